package engine

import (
	"reflect"

	"github.com/chartgate/chartgate/internal/render/chartutil"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// maxNesting bounds how deep maps and lists may nest where a function walks
// them: encoders and fmt recurse once or twice a level. JSON's and YAML's own
// decoders stop at the same depth.
const maxNesting = 10_000

// extent is how much a walk of a value would meet. Values that are shared
// count each time that they are met, since encoders write them each time.
type extent struct {
	nodes, bytes int
}

// gauge walks values as an encoder would, and stops where they are too much.
// Cyclic values never end, so they are too much.
type gauge struct {
	lim    Limits
	met    extent
	excess *LimitError
}

func (g *gauge) add(nodes, bytes, depth int) bool {
	g.met.nodes += nodes
	g.met.bytes += bytes
	switch {
	case g.excess != nil:
	case depth > maxNesting:
		g.excess = &LimitError{What: "a value nests too deep, or contains itself", Limit: count(maxNesting) + " levels"}
	case g.met.nodes > g.lim.Items:
		g.excess = &LimitError{What: "a value has too many parts, or contains itself", Limit: count(g.lim.Items) + " parts"}
	}
	return g.excess == nil
}

func (g *gauge) walk(v any, depth int) bool {
	switch t := v.(type) {
	case nil, bool, int, int64, float64, int32, uint8, uint64:
		return g.add(1, 8, depth)
	case string:
		return g.add(1, len(t), depth)
	case map[string]any:
		return g.table(t, depth)
	case chartutil.Values:
		return g.table(t, depth)
	case helmutil.Values:
		return g.table(t, depth)
	case []any:
		if !g.add(1, 0, depth) {
			return false
		}
		for _, e := range t {
			if !g.walk(e, depth+1) {
				return false
			}
		}
		return true
	case []byte:
		return g.add(1, len(t), depth)
	}
	return g.reflect(reflect.ValueOf(v), depth)
}

func (g *gauge) table(m map[string]any, depth int) bool {
	if !g.add(1, 0, depth) {
		return false
	}
	for k, v := range m {
		g.met.bytes += len(k) + 4
		if !g.walk(v, depth+1) {
			return false
		}
	}
	return true
}

func (g *gauge) reflect(v reflect.Value, depth int) bool {
	if !g.add(1, 8, depth) {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		g.met.bytes += v.Len()
	case reflect.Interface, reflect.Pointer:
		return v.IsNil() || g.value(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			g.met.bytes += v.Len()
			return true
		}
		for i := range v.Len() {
			if !g.value(v.Index(i), depth+1) {
				return false
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if !g.value(it.Key(), depth+1) || !g.value(it.Value(), depth+1) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !g.value(v.Field(i), depth+1) {
				return false
			}
		}
	}
	return true
}

// value walks what an exported field or element holds by its concrete type,
// where reflection may look at it.
func (g *gauge) value(v reflect.Value, depth int) bool {
	if v.CanInterface() {
		switch v.Kind() {
		case reflect.Interface, reflect.Map, reflect.Slice:
			return g.walk(v.Interface(), depth)
		}
	}
	return g.reflect(v, depth)
}

// scalar reports values that need no walk: what most arguments are.
func scalar(v any) bool {
	switch v.(type) {
	case nil, string, bool, int, int64, float64:
		return true
	}
	return false
}
