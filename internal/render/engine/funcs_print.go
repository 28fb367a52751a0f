package engine

import (
	"errors"
	"fmt"
	"reflect"
	"text/template"
)

// printFuncs turn values into text. text/template's own are among them: they
// print whatever they are given, and Go's fmt follows a map that contains
// itself until the stack ends.
func (r *run) printFuncs() template.FuncMap {
	return template.FuncMap{
		"print":    r.printer(fmt.Sprint),
		"println":  r.printer(fmt.Sprintln),
		"printf":   r.printf,
		"html":     r.printer(template.HTMLEscaper),
		"js":       r.printer(template.JSEscaper),
		"urlquery": r.printer(template.URLQueryEscaper),
		"cat":      r.printer(original[func(...any) string](r, "cat")),
		"quote":    r.printer(original[func(...any) string](r, "quote")),
		"squote":   r.printer(original[func(...any) string](r, "squote")),
		"eq":       r.equal,
		"ne": func(a, b reflect.Value) (bool, error) {
			same, err := r.equal(a, b)
			return !same, err
		},
	}
}

func (r *run) printer(f func(...any) string) func(...any) (string, error) {
	return func(vs ...any) (string, error) {
		if err := r.text(vs...); err != nil {
			return "", err
		}
		return r.str(f(vs...))
	}
}

func (r *run) printf(format string, vs ...any) (string, error) {
	met, err := r.deep(vs...)
	if err != nil {
		return "", err
	}
	if err := r.room(formatted(format, met, vs)); err != nil {
		return "", err
	}
	return r.str(fmt.Sprintf(format, vs...))
}

// formatted is no less than the length of what a format makes of values,
// short of quoting, which the check of the result bounds.
func formatted(format string, met extent, vs []any) int {
	total, number, explicit, verbs := len(format)+met.bytes+16*met.nodes, 0, false, 0
	inVerb := false
	for i := range len(format) {
		c := format[i]
		switch {
		case c == '%':
			inVerb, number = !inVerb, 0
			verbs++
		case !inVerb:
		case c == '[':
			explicit = true
			number = 0
		case c == ']':
			number = 0
		case c >= '0' && c <= '9':
			number = min(number*10+int(c-'0'), 1_000_000)
		case c == '*':
			total += starWidth(vs)
		case c == '.':
			total += number
			number = 0
		case c == '+' || c == '-' || c == '#' || c == ' ':
		default:
			total += number
			inVerb = false
		}
	}
	if explicit {
		total += product(verbs, met.bytes+16*met.nodes)
	}
	return total
}

// starWidth is the largest width that a * can take from the arguments.
func starWidth(vs []any) int {
	widest := 0
	for _, v := range vs {
		rv := reflect.ValueOf(v)
		if rv.IsValid() && rv.CanInt() {
			n := rv.Int()
			widest = max(widest, int(min(max(n, -n), 1_000_000)))
		}
	}
	return widest
}

var errNoComparison = errors.New("missing argument for comparison")

type basic int

const (
	other basic = iota
	boolean
	complexNumber
	integer
	float
	text
	unsigned
)

func basicOf(v reflect.Value) basic {
	switch v.Kind() {
	case reflect.Bool:
		return boolean
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return integer
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return unsigned
	case reflect.Float32, reflect.Float64:
		return float
	case reflect.Complex64, reflect.Complex128:
		return complexNumber
	case reflect.String:
		return text
	}
	return other
}

// equal is text/template's eq: whether the first value equals any other. Its
// errors print the values, so those are looked at before.
func (r *run) equal(first reflect.Value, others ...reflect.Value) (bool, error) {
	if len(others) == 0 {
		return false, errNoComparison
	}
	first = inside(first)
	for _, o := range others {
		same, err := r.same(first, inside(o))
		if same || err != nil {
			return same, err
		}
	}
	return false, r.step()
}

func inside(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Interface {
		return v.Elem()
	}
	return v
}

func (r *run) same(a, b reflect.Value) (bool, error) {
	ka, kb := basicOf(a), basicOf(b)
	switch {
	case ka == integer && kb == unsigned:
		return a.Int() >= 0 && uint64(a.Int()) == b.Uint(), nil
	case ka == unsigned && kb == integer:
		return b.Int() >= 0 && uint64(b.Int()) == a.Uint(), nil
	case ka != kb && a.IsValid() && b.IsValid():
		return false, fmt.Errorf("incompatible types for comparison: %v and %v", a.Type(), b.Type())
	case ka != kb:
		return false, nil
	}
	switch ka {
	case boolean:
		return a.Bool() == b.Bool(), nil
	case integer:
		return a.Int() == b.Int(), nil
	case unsigned:
		return a.Uint() == b.Uint(), nil
	case float:
		return a.Float() == b.Float(), nil
	case complexNumber:
		return a.Complex() == b.Complex(), nil
	case text:
		return a.String() == b.String(), nil
	}
	return r.sameOther(a, b)
}

func (r *run) sameOther(a, b reflect.Value) (bool, error) {
	if a.Kind() != b.Kind() && a.IsValid() && b.IsValid() {
		if err := r.describable(a, b); err != nil {
			return false, err
		}
		return false, fmt.Errorf("non-comparable types %s: %v, %s: %v", a, a.Type(), b.Type(), b)
	}
	if isNil(a) || isNil(b) {
		return isNil(a) == isNil(b), nil
	}
	if !b.Type().Comparable() {
		if err := r.describable(b); err != nil {
			return false, err
		}
		return false, fmt.Errorf("non-comparable type %s: %v", b, b.Type())
	}
	return a.Interface() == b.Interface(), nil
}

// describable reports an error unless fmt can print the values.
func (r *run) describable(vs ...reflect.Value) error {
	for _, v := range vs {
		if _, err := r.printable(v); err != nil {
			return err
		}
	}
	return nil
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice:
		return v.IsNil()
	}
	return false
}
