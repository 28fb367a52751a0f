package engine

import (
	"fmt"
	"strconv"
	"text/template"
)

// maxOperands bounds the arguments of decimal arithmetic, whose numbers grow
// by some digits with each.
const maxOperands = 1000

// numberFuncs are those of Sprig's numeric functions whose signatures no
// other function has.
func (r *run) numberFuncs() template.FuncMap {
	out := template.FuncMap{
		"addf": func(vs ...any) (float64, error) {
			if err := r.operands(vs...); err != nil {
				return 0, err
			}
			return original[func(...any) float64](r, "addf")(vs...), nil
		},
		"round": func(v any, places int, on ...float64) (float64, error) {
			if err := r.operands(v); err != nil {
				return 0, err
			}
			return original[func(any, int, ...float64) float64](r, "round")(v, places, on...), nil
		},
		"toDecimal": func(v any) (int64, error) {
			if err := r.text(v); err != nil {
				return 0, err
			}
			n, err := strconv.ParseInt(fmt.Sprint(v), 8, 64)
			if err != nil {
				return 0, nil
			}
			return n, nil
		},
	}
	for _, name := range []string{"subf", "divf", "mulf", "maxf", "minf"} {
		f := original[func(any, ...any) float64](r, name)
		out[name] = func(v any, vs ...any) (float64, error) {
			if err := r.operands(append([]any{v}, vs...)...); err != nil {
				return 0, err
			}
			return f(v, vs...), nil
		}
	}
	return out
}

func (r *run) operands(vs ...any) error {
	if len(vs) > maxOperands {
		return r.exceeded("arguments of one function", count(maxOperands))
	}
	_, err := r.deep(vs...)
	return err
}
