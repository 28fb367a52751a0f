package chartutil

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// TestSameAsHelm checks the methods against those of Helm's type.
func TestSameAsHelm(t *testing.T) {
	in := map[string]any{"a": map[string]any{"b": 1, "c": []any{"x"}}, "s": "text"}
	own, helm := Values(in), helmutil.Values(in)
	y1, _ := own.YAML()
	y2, _ := helm.YAML()
	var b strings.Builder
	if err := own.Encode(&b); err != nil || y1 != y2 || b.String() != y2 {
		t.Errorf("%q, encoded %q, in Helm %q (%v)", y1, b.String(), y2, err)
	}
	for _, path := range []string{"a", "a.b", "s", "none", "a.none", ""} {
		t1, e1 := own.Table(path)
		t2, e2 := helm.Table(path)
		if !reflect.DeepEqual(map[string]any(t1), map[string]any(t2)) || (e1 == nil) != (e2 == nil) {
			t.Errorf("Table(%q): %v %v, in Helm %v %v", path, t1, e1, t2, e2)
		}
		v1, e1 := own.PathValue(path)
		v2, e2 := helm.PathValue(path)
		if !reflect.DeepEqual(v1, v2) || (e1 == nil) != (e2 == nil) {
			t.Errorf("PathValue(%q): %v %v, in Helm %v %v", path, v1, e1, v2, e2)
		}
	}
	if Values(nil).AsMap() == nil || reflect.TypeFor[Values]().String() != reflect.TypeFor[helmutil.Values]().String() {
		t.Error("templates can tell the types apart")
	}
}

func TestTooLarge(t *testing.T) {
	ring := Values{}
	ring["self"] = map[string]any(ring)
	fan := map[string]any{}
	for range 60 {
		fan = map[string]any{"l": fan, "r": []any{fan}}
	}
	for _, v := range []Values{ring, fan, {"s": strings.Repeat("x", maxBytes+1)}} {
		if _, err := v.YAML(); !errors.Is(err, ErrTooLarge) {
			t.Errorf("wrote it: %v", err)
		}
	}
}
