package engine

import (
	"maps"
	"reflect"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// library is what an Engine knows of template functions before any render:
// their names for the parser, and Sprig's implementations.
type library struct {
	sprig  template.FuncMap
	names  map[string]any  // every function that templates may call
	scalar map[string]bool // functions whose result is a string, number or boolean
}

// builtins are the functions of text/template that are left as they are.
var builtins = []string{"and", "call", "index", "slice", "len", "not", "or", "ge", "gt", "le", "lt"}

func newLibrary() *library {
	l := &library{sprig: sprig.TxtFuncMap(), names: map[string]any{}, scalar: map[string]bool{}}
	delete(l.sprig, "env")
	delete(l.sprig, "expandenv")
	funcs := (&run{engine: &Engine{library: l}}).funcs()
	for _, hidden := range []string{hiddenPrint, hiddenRange, hiddenCount, hiddenField} {
		delete(funcs, hidden)
	}
	for name, f := range funcs {
		l.names[name] = true
		switch reflect.TypeOf(f).Out(0).Kind() {
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
			l.scalar[name] = true
		}
	}
	for _, name := range builtins {
		l.names[name] = true
	}
	return l
}

// funcs are the functions of one render: Helm's set, each with the guards
// that it needs. hidden ones included.
func (r *run) funcs() template.FuncMap {
	out := make(template.FuncMap, 256)
	for name, f := range r.engine.library.sprig {
		out[name] = r.wrap(name, f)
	}
	for _, more := range []template.FuncMap{
		r.helmFuncs(), r.printFuncs(), r.stringFuncs(), r.listFuncs(), r.tableFuncs(), r.regexFuncs(), r.numberFuncs(),
	} {
		maps.Copy(out, more)
	}
	if r.random != nil {
		maps.Copy(out, r.clockFuncs())
		maps.Copy(out, r.randomFuncs())
		maps.Copy(out, r.certFuncs())
	}
	out[hiddenPrint] = r.printable
	out[hiddenRange] = r.walkable
	out[hiddenCount] = r.counted
	out[hiddenField] = r.counted
	return out
}

// original returns Sprig's implementation of a function.
func original[F any](r *run, name string) F {
	return r.engine.library.sprig[name].(F)
}
