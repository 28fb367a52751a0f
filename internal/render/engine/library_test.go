package engine

import (
	"reflect"
	"slices"
	"testing"

	"github.com/Masterminds/sprig/v3"
)

// helmOwn are the functions that Helm has beside Sprig's, with Helm's
// parameters.
func helmOwn() map[string]any {
	toText, fromText := func(any) string { return "" }, func(string) map[string]any { return nil }
	return map[string]any{
		"include": func(string, any) (string, error) { return "", nil }, "tpl": func(string, any) (string, error) { return "", nil },
		"required": func(string, any) (any, error) { return nil, nil },
		"lookup":   func(string, string, string, string) (map[string]any, error) { return nil, nil },
		"toYaml":   toText, "toYamlPretty": toText, "toJson": toText, "toToml": toText,
		"fromYaml": fromText, "fromJson": fromText, "fromToml": fromText,
		"fromYamlArray": func(string) []any { return nil }, "fromJsonArray": func(string) []any { return nil },
	}
}

// TestLibrary checks that templates find Helm's functions, no fewer and no
// more, with parameters of the same types, since text/template's errors name
// them, and with results of the same type.
func TestLibrary(t *testing.T) {
	want := map[string]any(sprig.TxtFuncMap())
	delete(want, "env")
	delete(want, "expandenv")
	for name, f := range helmOwn() {
		want[name] = f
	}
	e := New(Options{})
	for _, r := range []*run{{engine: e}, {engine: e, random: new(drbg)}} {
		got := r.funcs()
		for name, f := range want {
			if got[name] == nil {
				t.Errorf("%s is missing", name)
				continue
			}
			compareTypes(t, name, reflect.TypeOf(got[name]), reflect.TypeOf(f))
		}
		more := append([]string{"eq", "ne", "print", "printf", "println", "html", "js", "urlquery", hiddenPrint, hiddenRange, hiddenCount, hiddenField}, builtins...)
		for name := range got {
			if want[name] == nil && !slices.Contains(more, name) {
				t.Errorf("%s is no function of Helm", name)
			}
		}
	}
	for _, hidden := range []string{hiddenPrint, hiddenRange, hiddenCount, hiddenField} {
		if e.library.names[hidden] != nil {
			t.Errorf("templates can call %s", hidden)
		}
		if _, err := renderOne(t, Options{}, "{{ 1 | "+hidden+" }}", nil); err == nil {
			t.Errorf("a template called %s", hidden)
		}
	}
}

func compareTypes(t *testing.T, name string, got, want reflect.Type) {
	t.Helper()
	if got.NumIn() != want.NumIn() || got.IsVariadic() != want.IsVariadic() {
		t.Errorf("%s is %v, in Helm it is %v", name, got, want)
		return
	}
	for i := range got.NumIn() {
		if got.In(i) != want.In(i) {
			t.Errorf("%s: parameter %d is %v, in Helm it is %v", name, i+1, got.In(i), want.In(i))
		}
	}
	if got.Out(0) != want.Out(0) {
		t.Errorf("%s gives %v, in Helm %v", name, got.Out(0), want.Out(0))
	}
}

// TestGuarded checks that no function of Sprig is left without a guard but
// those that are known to need none.
func TestGuarded(t *testing.T) {
	r := &run{engine: New(Options{})}
	got := r.funcs()
	for name, f := range sprig.TxtFuncMap() {
		if name == "env" || name == "expandenv" {
			continue
		}
		same := reflect.ValueOf(got[name]).Pointer() == reflect.ValueOf(f).Pointer()
		if same != asIs[name] {
			t.Errorf("%s: guarded is %v, and it is in the list of what needs no guard: %v", name, !same, asIs[name])
		}
	}
}
