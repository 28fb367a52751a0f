package engine

import (
	"maps"
	"slices"
	"text/template"

	"github.com/chartgate/chartgate/internal/render/chartutil"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// tableFuncs make maps, or lists of what is in maps.
func (r *run) tableFuncs() template.FuncMap {
	out := template.FuncMap{
		"dict":         r.dict,
		"set":          r.setKey,
		"keys":         r.keys,
		"values":       r.values,
		"pick":         r.pick,
		"omit":         r.omit,
		"pluck":        r.pluck,
		"deepCopy":     r.deepCopy,
		"mustDeepCopy": r.mustDeepCopy,
	}
	for _, name := range []string{"merge", "mergeOverwrite"} {
		f := original[func(map[string]any, ...map[string]any) any](r, name)
		out[name] = func(dst map[string]any, srcs ...map[string]any) (any, error) {
			return r.merge(dst, srcs, func(src map[string]any) (any, error) { return f(dst, src), nil })
		}
	}
	for _, name := range []string{"mustMerge", "mustMergeOverwrite"} {
		f := original[func(map[string]any, ...map[string]any) (any, error)](r, name)
		out[name] = func(dst map[string]any, srcs ...map[string]any) (any, error) {
			return r.merge(dst, srcs, func(src map[string]any) (any, error) { return f(dst, src) })
		}
	}
	return out
}

func (r *run) dict(vs ...any) (map[string]any, error) {
	for i := 0; i < len(vs); i += 2 {
		if _, ok := vs[i].(string); !ok {
			if err := r.text(vs[i]); err != nil {
				return nil, err
			}
		}
	}
	if err := r.items(len(vs)); err != nil {
		return nil, err
	}
	return original[func(...any) map[string]any](r, "dict")(vs...), nil
}

func (r *run) setKey(d map[string]any, key string, value any) (map[string]any, error) {
	if err := r.take(2 * nodeCost); err != nil {
		return nil, err
	}
	d[key] = value
	return d, nil
}

// keys are in the map's random order in Helm; sorted is one of those orders.
func (r *run) keys(dicts ...map[string]any) ([]string, error) {
	n := 0
	for _, d := range dicts {
		n += len(d)
	}
	if err := r.items(n); err != nil {
		return nil, err
	}
	out := make([]string, 0, n)
	for _, d := range dicts {
		out = append(out, slices.Sorted(maps.Keys(d))...)
	}
	return out, nil
}

// values are in the order of their keys.
func (r *run) values(d map[string]any) ([]any, error) {
	if err := r.items(len(d)); err != nil {
		return nil, err
	}
	out := make([]any, 0, len(d))
	for _, k := range slices.Sorted(maps.Keys(d)) {
		out = append(out, d[k])
	}
	return out, nil
}

func (r *run) pick(d map[string]any, keys ...string) (map[string]any, error) {
	return original[func(map[string]any, ...string) map[string]any](r, "pick")(d, keys...), r.items(len(keys))
}

func (r *run) omit(d map[string]any, keys ...string) (map[string]any, error) {
	if err := r.items(len(d)); err != nil {
		return nil, err
	}
	return original[func(map[string]any, ...string) map[string]any](r, "omit")(d, keys...), nil
}

func (r *run) pluck(key string, dicts ...map[string]any) ([]any, error) {
	return original[func(string, ...map[string]any) []any](r, "pluck")(key, dicts...), r.items(len(dicts))
}

func (r *run) deepCopy(v any) (any, error) {
	met, err := r.deep(v)
	if err != nil {
		return nil, err
	}
	if err := r.items(met.nodes); err != nil {
		return nil, err
	}
	return original[func(any) any](r, "deepCopy")(v), nil
}

func (r *run) mustDeepCopy(v any) (any, error) {
	met, err := r.deep(v)
	if err != nil {
		return nil, err
	}
	if err := r.items(met.nodes); err != nil {
		return nil, err
	}
	return original[func(any) (any, error)](r, "mustDeepCopy")(v)
}

// merge merges one source after the other, as Sprig does, and looks before
// each how far the merge would recurse.
func (r *run) merge(dst map[string]any, srcs []map[string]any, one func(map[string]any) (any, error)) (any, error) {
	for _, src := range srcs {
		g := gauge{lim: r.lim}
		if !g.both(dst, src, 0) {
			return nil, r.stop(g.excess)
		}
		if err := r.items(g.met.nodes); err != nil {
			return nil, err
		}
		out, err := one(src)
		if err != nil {
			return nil, err
		}
		if _, ok := out.(map[string]any); !ok {
			return out, nil
		}
	}
	return dst, nil
}

// both walks where two maps have maps under the same keys: there a merge
// recurses.
func (g *gauge) both(dst, src map[string]any, depth int) bool {
	if !g.add(len(src)+1, 0, depth) {
		return false
	}
	for k, v := range src {
		if s, ok := table(v); ok {
			if d, ok := table(dst[k]); ok && !g.both(d, s, depth+1) {
				return false
			}
		}
	}
	return true
}

func table(v any) (map[string]any, bool) {
	switch t := v.(type) {
	case map[string]any:
		return t, true
	case chartutil.Values:
		return t, true
	case helmutil.Values:
		return t, true
	}
	return nil, false
}
