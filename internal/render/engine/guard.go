package engine

import (
	"reflect"

	"github.com/chartgate/chartgate/internal/render/chartutil"
)

// nodeCost is about what an element of a list or map takes in memory.
const nodeCost = 48

// str counts a string that a function returns.
func (r *run) str(s string) (string, error) {
	if len(s) > r.lim.String {
		return "", r.tooLong()
	}
	return s, r.take(len(s))
}

func (r *run) tooLong() error {
	return r.exceeded("the length of one string", size(r.lim.String))
}

// room refuses to make a string of n bytes that would be too long.
func (r *run) room(n int) error {
	if n < 0 || n > r.lim.String {
		return r.tooLong()
	}
	return r.step()
}

// items counts the elements of a list or map that a function is to make.
func (r *run) items(n int) error {
	if n < 0 || n > r.lim.Items {
		return r.exceeded("elements of one list or map", count(r.lim.Items))
	}
	return r.take(n * nodeCost)
}

// deep looks at values that a function walks or prints in full, and returns
// how much there is of them.
func (r *run) deep(vs ...any) (extent, error) {
	g := gauge{lim: r.lim}
	for _, v := range vs {
		if s, ok := v.(string); ok {
			g.met.bytes += len(s)
		} else if !scalar(v) && !g.walk(v, 0) {
			return g.met, r.stop(g.excess)
		}
	}
	return g.met, r.step()
}

// text is deep for functions that turn values into text.
func (r *run) text(vs ...any) error {
	met, err := r.deep(vs...)
	if err == nil && met.bytes > r.lim.String {
		err = r.tooLong()
	}
	return err
}

// printable is hiddenPrint: it lets a value through that is about to be
// printed if it can be printed at all.
func (r *run) printable(v reflect.Value) (reflect.Value, error) {
	if shallow(v) {
		return v, r.step()
	}
	g := gauge{lim: r.lim}
	if !g.reflect(v, 0) {
		return v, r.stop(g.excess)
	}
	if g.met.bytes > r.lim.String {
		return v, r.tooLong()
	}
	return v, r.step()
}

// walkable is hiddenRange: text/template prints what a loop cannot walk.
func (r *run) walkable(v reflect.Value) (reflect.Value, error) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() == reflect.Struct {
		return r.printable(v)
	}
	return v, r.step()
}

// counted is hiddenCount and hiddenField: it counts what a method returned.
func (r *run) counted(v reflect.Value) (reflect.Value, error) {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		_, err := r.str(v.String())
		return v, err
	case reflect.Slice, reflect.Map:
		switch v.Interface().(type) {
		case map[string]any, []any, chartutil.Values:
			return v, r.step() // a field of that name: nothing was made
		}
		return v, r.items(v.Len())
	}
	return v, r.step()
}

// shallow reports values that print without a walk.
func shallow(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Interface:
		return v.IsNil() || shallow(v.Elem())
	case reflect.Map, reflect.Slice, reflect.Array, reflect.Struct:
		return false
	case reflect.Pointer:
		return v.IsNil() || v.Elem().Kind() != reflect.Pointer && shallow(v.Elem())
	}
	return true
}
