package render

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	helmvalues "helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/getter"
)

// sameAsHelm merges with Helm's own code, and with ours.
func sameAsHelm(t *testing.T, o Overrides) (map[string]any, error) {
	t.Helper()
	helm := helmvalues.Options{ValueFiles: o.Files, JSONValues: o.JSON, Values: o.Set, StringValues: o.Strings, FileValues: o.Texts, LiteralValues: o.Literal}
	want, wantErr := helm.MergeValues(getter.Providers{})
	got, err := o.Merge(t.Context())
	switch {
	case (err == nil) != (wantErr == nil), err != nil && err.Error() != wantErr.Error():
		t.Errorf("%+v: %v, Helm says %v", o, err, wantErr)
	case err == nil && !reflect.DeepEqual(got, want):
		t.Errorf("%+v: %v, in Helm %v", o, got, want)
	}
	return got, err
}

func TestOverrides(t *testing.T) {
	dir := t.TempDir()
	file := func(name, data string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	one, two := file("one.yaml", "a: 1\nk: {b: [1], c: 1}\nd: 1\n"), file("two.yaml", "k: {b: [2], e: 2}\nd: null\n")
	empty, bad, list, null := file("empty.yaml", ""), file("bad.yaml", "a: {\n"), file("list.yaml", "- a\n"), file("null.yaml", "null\n")
	all := Overrides{
		Files: []string{one, empty, two, null}, JSON: []string{`a={"f":[1]}`, `g={"h":1},i=[null]`}, Set: []string{"a.f[0]=2,x=1", "x=2"},
		Strings: []string{"x=3,y=4"}, Texts: []string{"y=" + empty}, Literal: []string{"y=a,b=c"}, Read: os.ReadFile,
	}
	got, err := sameAsHelm(t, all)
	want := map[string]any{"a": map[string]any{"f": []any{int64(2)}}, "k": map[string]any{"b": []any{2.0}, "c": 1.0, "e": 2.0}, "d": nil, "g": map[string]any{"h": 1.0}, "i": []any{nil}, "x": "3", "y": "a,b=c"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %#v", err, got)
	}
	for _, o := range []Overrides{
		{Files: []string{filepath.Join(dir, "none")}}, {Files: []string{bad}}, {Files: []string{list}}, {Files: []string{dir}}, {JSON: []string{"a"}}, {JSON: []string{"a={"}}, {JSON: []string{`{"a":1}`}}, {Set: []string{"a"}}, {Set: []string{"a=1,a[0]=2", "a.b"}},
		{Strings: []string{"a[x]=1"}}, {Texts: []string{"a=" + filepath.Join(dir, "none")}}, {Literal: []string{"a"}}, {Set: []string{"a[70000]=1"}}, {Set: []string{strings.Repeat("a.", 40) + "b=1"}},
	} {
		o.Read = os.ReadFile
		if _, err := sameAsHelm(t, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	var e *Error
	if _, err := (&Overrides{Files: []string{bad}, Read: os.ReadFile}).Merge(t.Context()); !errors.As(err, &e) || e.File != bad || e.Line != 2 {
		t.Errorf("%+v", e)
	}
	if _, err := (&Overrides{Files: []string{"x"}, Read: func(string) ([]byte, error) { return nil, fs.ErrPermission }}).Merge(t.Context()); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := all.Merge(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// FuzzOverrides compares the parsers of --set and its siblings, and the merge of
// values files under them, with Helm's: what is made, what is refused, and in which words.
func FuzzOverrides(f *testing.F) {
	for _, s := range []string{"a=1", "a.b[1].c=x,d={1,two},e=", `a\.b=c\,d`, "a[0][1]=2,a[0]=3", "a=null,b=true,c=012,d=1e5", `a={"b":[1]}`, `{"a":{"b":null}}`, "a[", "a[-1]=x", "=", "a={}", "a.b=1,a=2,a.c=3", "global.x=1,list[2]=z"} {
		f.Add(s, "", "a: {b: 1}\nlist: [1, 2]\n")
		f.Add("list[0].x=1", s, s)
	}
	f.Fuzz(func(t *testing.T, first, second, file string) {
		name := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, o := range []Overrides{
			{Files: []string{name}, Set: []string{first, second}},
			{Files: []string{name}, JSON: []string{first}, Strings: []string{second}},
			{Files: []string{name, name}, Strings: []string{first}, Literal: []string{second}},
			{Set: []string{second}, Texts: []string{strings.ReplaceAll(first, "=", "="+name)}},
		} {
			o.Read = os.ReadFile
			sameAsHelm(t, o)
		}
	})
}

func TestReleaseName(t *testing.T) {
	for text, want := range map[string]string{
		`plain`: "plain", `{{ "A" | lower }}-{{ add 1 2 }}`: "a-3", `{{ getHostByName "localhost" }}`: "", `x{{ .Values }}`: "x",
		`{{ env "HOME" }}`:                 `!template: name-template:1: function "env" not defined`,
		`{{`:                               "!template: name-template:1: unclosed action",
		`{{ fail "no" }}`:                  "!execution error at (name-template:1:3): no",
		`{{ upper }}`:                      `!template: name-template:1:3: executing "name-template" at <upper>: wrong number of args for upper: want 1 got 0`,
		`{{ until 10000000 }}`:             "!rendering was stopped: elements of one list or map: the limit is 1,000,000",
		`{{ range until 9999 }}x{{ end }}`: "!rendering was stopped: the output of one template: the limit is 1 KiB",
		`{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}`: "!rendering was stopped: templates nested in one another: the limit is 10,000 levels",
	} {
		got, err := ReleaseName(t.Context(), text)
		if err != nil {
			got = "!" + err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
