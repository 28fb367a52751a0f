package engine

import (
	"math/bits"
	"strings"
	"text/template"
	"unicode/utf8"
)

// stringFuncs are functions whose results can be far longer than their
// arguments: how long is known before the work is done.
func (r *run) stringFuncs() template.FuncMap {
	out := template.FuncMap{
		"repeat":   r.repeat,
		"indent":   func(n int, s string) (string, error) { return r.indent("indent", n, s) },
		"nindent":  func(n int, s string) (string, error) { return r.indent("nindent", n, s) },
		"replace":  r.replace,
		"wrap":     func(n int, s string) (string, error) { return r.wrapLines(n, "\n", s, "wrap") },
		"wrapWith": func(n int, sep, s string) (string, error) { return r.wrapLines(n, sep, s, "wrapWith") },
		"join":     r.join,
		"htpasswd": func(user, password string) (string, error) {
			if err := r.check(); err != nil {
				return "", err
			}
			return r.str(original[func(string, string) string](r, "htpasswd")(user, password))
		},
	}
	for _, name := range []string{"camelcase", "kebabcase", "snakecase", "swapcase", "initials", "untitle", "nospace", "shuffle", "title"} {
		f := original[func(string) string](r, name)
		out[name] = func(s string) (string, error) {
			if len(s) > maxSlow {
				return "", r.exceeded("the length of a string given to "+name, size(maxSlow))
			}
			return r.str(f(s))
		}
	}
	return out
}

// maxSlow bounds strings given to functions that work rune by rune.
const maxSlow = 1 << 20

// product multiplies lengths; what overflows is too long anyway.
func product(a, b int) int {
	if a <= 0 || b <= 0 {
		return 0
	}
	if hi, lo := bits.Mul64(uint64(a), uint64(b)); hi == 0 && lo < 1<<62 {
		return int(lo)
	}
	return 1 << 62
}

func (r *run) repeat(n int, s string) (string, error) {
	if err := r.room(product(n, len(s))); err != nil {
		return "", err
	}
	return r.str(original[func(int, string) string](r, "repeat")(n, s))
}

func (r *run) indent(name string, n int, s string) (string, error) {
	if err := r.room(len(s)); err != nil {
		return "", err
	}
	if err := r.room(len(s) + product(n, 1+strings.Count(s, "\n"))); err != nil {
		return "", err
	}
	return r.str(original[func(int, string) string](r, name)(n, s))
}

func (r *run) replace(from, to, s string) (string, error) {
	if grow := len(to) - len(from); grow > 0 {
		n := utf8.RuneCountInString(s) + 1
		if from != "" {
			n = strings.Count(s, from)
		}
		if err := r.room(len(s) + product(n, grow)); err != nil {
			return "", err
		}
	}
	return r.str(strings.ReplaceAll(s, from, to))
}

func (r *run) wrapLines(width int, sep, s, name string) (string, error) {
	if len(s) > maxSlow {
		return "", r.exceeded("the length of a string given to "+name, size(maxSlow))
	}
	if err := r.room(len(s) + product(len(s)/max(width, 1)+1, len(sep))); err != nil {
		return "", err
	}
	if name == "wrap" {
		return r.str(original[func(int, string) string](r, name)(width, s))
	}
	return r.str(original[func(int, string, string) string](r, name)(width, sep, s))
}

func (r *run) join(sep string, list any) (string, error) {
	met, err := r.deep(list)
	if err != nil {
		return "", err
	}
	if err := r.room(met.bytes + product(met.nodes, len(sep))); err != nil {
		return "", err
	}
	return r.str(original[func(string, any) string](r, "join")(sep, list))
}
