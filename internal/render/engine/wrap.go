package engine

import (
	"time"

	"github.com/Masterminds/semver/v3"
)

// wrap puts the guard that fits a function's signature around it: strings
// that go in or come out are counted, values of any type are looked at before
// the function walks or prints them (conversions to numbers print what they
// cannot convert). Functions that need more than that have their own wrappers
// in helmFuncs and its siblings, or are in asIs.
func (r *run) wrap(name string, fn any) any {
	if asIs[name] {
		return fn
	}
	switch f := fn.(type) {
	case func() string:
		return func() (string, error) { return r.str(f()) }
	case func() time.Time:
		return func() (time.Time, error) { return f(), r.step() }
	case func(string) string:
		return func(a string) (string, error) {
			if err := r.room(len(a)); err != nil {
				return "", err
			}
			return r.str(f(a))
		}
	case func(string, string) string:
		return func(a, b string) (string, error) {
			if err := r.room(len(a) + len(b)); err != nil {
				return "", err
			}
			return r.str(f(a, b))
		}
	case func(string, string) bool:
		return func(a, b string) (bool, error) {
			if err := r.room(len(a) + len(b)); err != nil {
				return false, err
			}
			return f(a, b), nil
		}
	case func(string, string) (string, error):
		return func(a, b string) (string, error) {
			if err := r.room(len(a) + len(b)); err != nil {
				return "", err
			}
			return with(r, f, a, b)
		}
	case func(int, string) string:
		return func(n int, a string) (string, error) {
			if err := r.room(len(a)); err != nil {
				return "", err
			}
			return r.str(f(n, a))
		}
	case func(int, int, string) string:
		return func(n, m int, a string) (string, error) {
			if err := r.room(len(a)); err != nil {
				return "", err
			}
			return r.str(f(n, m, a))
		}
	default:
		return r.wrapValues(name, fn)
	}
}

func with(r *run, f func(string, string) (string, error), a, b string) (string, error) {
	out, err := f(a, b)
	if err != nil {
		return out, err
	}
	return r.str(out)
}

// wrapValues guards functions that take values of any type.
func (r *run) wrapValues(name string, fn any) any {
	switch f := fn.(type) {
	case func(any) string:
		return func(v any) (string, error) {
			if err := r.text(v); err != nil {
				return "", err
			}
			return r.str(f(v))
		}
	case func(any) (string, error):
		return func(v any) (string, error) {
			if err := r.text(v); err != nil {
				return "", err
			}
			out, err := f(v)
			if err != nil {
				return out, err
			}
			return r.str(out)
		}
	case func(any) bool:
		return func(v any) (bool, error) { return f(v), r.step() }
	case func(any) int:
		return func(v any) (int, error) { return deepCall(r, f, v) }
	case func(any) int64:
		return func(v any) (int64, error) { return deepCall(r, f, v) }
	case func(any) float64:
		return func(v any) (float64, error) { return deepCall(r, f, v) }
	case func(any, any) int64:
		return func(a, b any) (int64, error) {
			if _, err := r.deep(a, b); err != nil {
				return 0, err
			}
			return f(a, b), nil
		}
	case func(...any) int64:
		return func(vs ...any) (int64, error) {
			if _, err := r.deep(vs...); err != nil {
				return 0, err
			}
			return f(vs...), nil
		}
	case func(any, ...any) int64:
		return func(v any, vs ...any) (int64, error) {
			if _, err := r.deep(append([]any{v}, vs...)...); err != nil {
				return 0, err
			}
			return f(v, vs...), nil
		}
	case func(string, any) string:
		return func(a string, v any) (string, error) {
			if err := r.text(a, v); err != nil {
				return "", err
			}
			return r.str(f(a, v))
		}
	case func(any, string) string:
		return func(v any, a string) (string, error) {
			if err := r.text(a, v); err != nil {
				return "", err
			}
			return r.str(f(v, a))
		}
	case func(string, any, string) string:
		return func(a string, v any, b string) (string, error) {
			if err := r.text(a, v, b); err != nil {
				return "", err
			}
			return r.str(f(a, v, b))
		}
	default:
		return r.wrapOther(name, fn)
	}
}

func deepCall[T any](r *run, f func(any) T, v any) (T, error) {
	if _, err := r.deep(v); err != nil {
		var zero T
		return zero, err
	}
	return f(v), nil
}

// maxShort bounds strings given to functions that parse small things:
// versions, names of zones.
const maxShort = 8 << 10

func (r *run) short(ss ...string) error {
	for _, s := range ss {
		if len(s) > maxShort {
			return r.exceeded("the length of a string given to a function that parses small ones", size(maxShort))
		}
	}
	return r.step()
}

// wrapOther guards the signatures that only a few functions have. nil says
// that there is no guard for a signature: a test keeps that from happening.
func (r *run) wrapOther(name string, fn any) any {
	switch f := fn.(type) {
	case func(int) string:
		return func(n int) (string, error) {
			if err := r.drawable(n); err != nil {
				return "", err
			}
			return r.str(f(n))
		}
	case func(int) (string, error):
		return func(n int) (string, error) {
			if err := r.drawable(n); err != nil {
				return "", err
			}
			return f(n)
		}
	case func(string) (*semver.Version, error):
		return func(a string) (*semver.Version, error) {
			if err := r.short(a); err != nil {
				return nil, err
			}
			return f(a)
		}
	case func(string, string) (bool, error):
		return func(a, b string) (bool, error) {
			if err := r.short(a, b); err != nil {
				return false, err
			}
			return f(a, b)
		}
	case func(string) map[string]any:
		return func(a string) (map[string]any, error) {
			if err := r.take(len(a)); err != nil {
				return nil, err
			}
			return f(a), nil
		}
	case func(map[string]any) string:
		return func(m map[string]any) (string, error) {
			if err := r.text(m); err != nil {
				return "", err
			}
			return r.str(f(m))
		}
	case func(uint32, string, string, string, string) string:
		return func(n uint32, a, b, c, d string) (string, error) {
			if err := r.check(); err != nil {
				return "", err
			}
			return f(n, a, b, c, d), nil
		}
	}
	return r.wrapCerts(fn)
}

// asIs are functions that need no guard: they look at their arguments' tops
// only and make nothing.
var asIs = map[string]bool{
	"all": true, "any": true, "atoi": true, "coalesce": true, "default": true, "empty": true, "get": true, "hasKey": true,
	"isAbs": true, "osIsAbs": true, "kindIs": true, "kindOf": true, "typeIs": true, "typeIsLike": true, "typeOf": true,
	"plural": true, "ternary": true, "unset": true, "unixEpoch": true, "first": true, "last": true, "mustFirst": true,
	"mustLast": true, "dateModify": true, "date_modify": true, "mustDateModify": true, "must_date_modify": true,
	"mustToDate": true, "toDate": true, "randInt": true, "dig": true,
}
