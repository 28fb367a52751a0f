package engine

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"text/template"
)

// listFuncs make lists: how many elements is checked before they are made.
func (r *run) listFuncs() template.FuncMap {
	out := template.FuncMap{
		"until":     r.untilNumber,
		"untilStep": r.untilStep,
		"seq":       r.seq,
		"splitList": r.splitList,
		"split":     r.split,
		"splitn":    r.splitn,
		"toStrings": r.toStrings,
		"sortAlpha": r.sortAlpha,
		"list":      func(vs ...any) ([]any, error) { return vs, r.items(len(vs)) },
		"concat":    r.concat,
		"chunk":     func(n int, list any) ([][]any, error) { return r.chunk(n, list) },
		"mustChunk": func(n int, list any) ([][]any, error) { return r.chunk(n, list) },
		"deepEqual": func(a, b any) (bool, error) {
			if _, err := r.deep(a, b); err != nil {
				return false, err
			}
			return reflect.DeepEqual(a, b), nil
		},
		"slice":     r.slice,
		"mustSlice": r.slice,
	}
	out["tuple"] = out["list"]
	for _, name := range []string{"compact", "initial", "rest", "reverse"} {
		f := original[func(any) ([]any, error)](r, "must"+strings.ToUpper(name[:1])+name[1:])
		g := func(list any) ([]any, error) {
			if err := r.items(length(list)); err != nil {
				return nil, err
			}
			return f(list)
		}
		out[name], out["must"+strings.ToUpper(name[:1])+name[1:]] = g, g
	}
	for name, must := range map[string]string{"append": "mustAppend", "push": "mustPush", "prepend": "mustPrepend"} {
		f := original[func(any, any) ([]any, error)](r, must)
		g := func(list, v any) ([]any, error) {
			if err := r.items(length(list) + 1); err != nil {
				return nil, err
			}
			return f(list, v)
		}
		out[name], out[must] = g, g
	}
	for _, name := range []string{"uniq", "mustUniq"} {
		out[name] = r.uniq
	}
	for _, name := range []string{"without", "mustWithout"} {
		out[name] = r.without
	}
	for _, name := range []string{"has", "mustHas"} {
		out[name] = r.has
	}
	return out
}

// length is that of a list, or 0 for what is none: Sprig words that error.
func length(list any) int {
	v := reflect.ValueOf(list)
	if k := v.Kind(); k == reflect.Slice || k == reflect.Array {
		return v.Len()
	}
	return 0
}

func (r *run) untilNumber(n int) ([]int, error) {
	step := 1
	if n < 0 {
		step = -1
	}
	return r.untilStep(0, n, step)
}

func (r *run) untilStep(start, stop, step int) ([]int, error) {
	n := steps(start, stop, step)
	if n > uint64(r.lim.Items) {
		return nil, r.items(-1)
	}
	if err := r.items(int(n)); err != nil {
		return nil, err
	}
	out := make([]int, n)
	for i := range out {
		out[i] = start + i*step
	}
	return out, nil
}

// steps is how many numbers there are from start to before stop.
func steps(start, stop, step int) uint64 {
	switch {
	case start < stop && step > 0:
		return (uint64(stop) - uint64(start) + uint64(step) - 1) / uint64(step)
	case start > stop && step < 0:
		return (uint64(start) - uint64(stop) + uint64(-step) - 1) / uint64(-step)
	}
	return 0
}

// seq writes the numbers of the shell's seq, separated by spaces.
func (r *run) seq(params ...int) (string, error) {
	first, step, last := 1, 1, 0
	switch len(params) {
	case 1:
		last = params[0]
	case 2:
		first, last = params[0], params[1]
	case 3:
		first, step, last = params[0], params[1], params[2]
	default:
		return "", nil
	}
	away := 1 // the last number is in the sequence
	if last < first {
		away = -1
		if len(params) < 3 {
			step = -1
		} else if step > 0 {
			return "", nil
		}
	}
	numbers, err := r.untilStep(first, last+away, step)
	if err != nil {
		return "", err
	}
	if err := r.room(len(numbers) * 21); err != nil {
		return "", err
	}
	var b strings.Builder
	for i, n := range numbers {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(n))
	}
	return r.str(b.String())
}

func (r *run) splitList(sep, s string) ([]string, error) {
	if err := r.items(pieces(sep, s)); err != nil {
		return nil, err
	}
	return strings.Split(s, sep), nil
}

func pieces(sep, s string) int { return strings.Count(s, sep) + 1 }

func (r *run) split(sep, s string) (map[string]string, error) { return r.splitn(sep, -1, s) }

func (r *run) splitn(sep string, n int, s string) (map[string]string, error) {
	most := pieces(sep, s)
	if n >= 0 {
		most = min(most, n)
	}
	if err := r.items(3 * most); err != nil {
		return nil, err
	}
	parts := strings.SplitN(s, sep, n)
	out := make(map[string]string, len(parts))
	for i, p := range parts {
		out["_"+strconv.Itoa(i)] = p
	}
	return out, nil
}

func (r *run) toStrings(v any) ([]string, error) {
	if err := r.text(v); err != nil {
		return nil, err
	}
	return original[func(any) []string](r, "toStrings")(v), r.items(length(v))
}

func (r *run) sortAlpha(v any) ([]string, error) {
	if err := r.text(v); err != nil {
		return nil, err
	}
	return original[func(any) []string](r, "sortAlpha")(v), r.items(length(v))
}

func (r *run) concat(lists ...any) (any, error) {
	n := 0
	for _, l := range lists {
		n += length(l)
	}
	if err := r.items(n); err != nil {
		return nil, err
	}
	return original[func(...any) any](r, "concat")(lists...), nil
}

func (r *run) chunk(n int, list any) ([][]any, error) {
	if err := r.items(2 * length(list)); err != nil {
		return nil, err
	}
	return original[func(int, any) ([][]any, error)](r, "mustChunk")(n, list)
}

func (r *run) slice(list any, indices ...any) (any, error) {
	if _, err := r.deep(indices...); err != nil {
		return nil, err
	}
	return original[func(any, ...any) (any, error)](r, "mustSlice")(list, indices...)
}

// elements gives what a list holds. what names the function in the error.
func elements(list any, what string) (reflect.Value, error) {
	v := reflect.ValueOf(list)
	if k := reflect.TypeOf(list).Kind(); k != reflect.Slice && k != reflect.Array {
		//lint:ignore ST1005 Sprig's words
		return v, fmt.Errorf("Cannot find %s on type %s", what, k)
	}
	return v, nil
}

func (r *run) uniq(list any) ([]any, error) {
	v, err := r.comparableElements(list, "uniq")
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i := range v.Len() {
		item := v.Index(i).Interface()
		found, err := r.among(out, item)
		if err != nil {
			return nil, err
		}
		if !found {
			out = append(out, item)
		}
	}
	return out, nil
}

func (r *run) without(list any, omit ...any) ([]any, error) {
	if _, err := r.deep(omit...); err != nil {
		return nil, err
	}
	v, err := r.comparableElements(list, "without")
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i := range v.Len() {
		item := v.Index(i).Interface()
		found, err := r.among(omit, item)
		if err != nil {
			return nil, err
		}
		if !found {
			out = append(out, item)
		}
	}
	return out, nil
}

func (r *run) has(needle, list any) (bool, error) {
	if list == nil {
		return false, nil
	}
	if _, err := r.deep(needle); err != nil {
		return false, err
	}
	v, err := r.comparableElements(list, "has")
	if err != nil {
		return false, err
	}
	for i := range v.Len() {
		if equalItems(needle, v.Index(i).Interface()) {
			return true, r.step()
		}
	}
	return false, nil
}

func (r *run) comparableElements(list any, what string) (reflect.Value, error) {
	if _, err := r.deep(list); err != nil {
		return reflect.Value{}, err
	}
	if err := r.items(length(list)); err != nil {
		return reflect.Value{}, err
	}
	return elements(list, what)
}

func (r *run) among(list []any, item any) (bool, error) {
	for i, e := range list {
		if equalItems(item, e) {
			return true, nil
		}
		if i&1023 == 1023 {
			if err := r.check(); err != nil {
				return false, err
			}
		}
	}
	return false, r.step()
}

func equalItems(a, b any) bool {
	s, ok := a.(string)
	t, ok2 := b.(string)
	if ok && ok2 {
		return s == t
	}
	return reflect.DeepEqual(a, b)
}
