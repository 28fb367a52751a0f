package render

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/source"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/releaseutil"
)

// resolved loads and resolves the chart in folder dir of a tree.
func resolved(t testing.TB, tree map[string]string, dir string) *deps.Resolved {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, data := range tree {
		fsys[name] = &fstest.MapFile{Data: []byte(data)}
	}
	d, ok := chart.Identify(fsys, dir)
	if !ok {
		t.Fatalf("no chart in %q", dir)
	}
	return resolve(t, chart.Load(fsys, d, chart.Limits{}))
}

func resolve(t testing.TB, c *chart.Chart) *deps.Resolved {
	t.Helper()
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	r, err := deps.New(deps.Options{Repo: chart.NewRepo([]*chart.Chart{c})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	res, err := r.Resolve(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// app is a chart with one template.
func app(template, values string) map[string]string {
	return map[string]string{
		"app/Chart.yaml":            "apiVersion: v2\nname: app\nversion: 1.0.0\n",
		"app/values.yaml":           values,
		"app/templates/_h.tpl":      "{{ define \"meta\" }}\nmetadata:\n  name: {{ .Release.Name }}\n  bad: {{ .Values.bad }}\n{{ end }}",
		"app/templates/object.yaml": template,
	}
}

func renderApp(t testing.TB, template, values string, set chart.ValuesSet) (*Result, error) {
	t.Helper()
	return New(Options{Seed: "test"}).Render(context.Background(), resolved(t, app(template, values), "app"), set)
}

// TestFeatures renders a chart that uses everything, with the output of the
// helm program as the golden file.
func TestFeatures(t *testing.T) {
	fsys := os.DirFS("testdata/charts")
	d, _ := chart.Identify(fsys, "features")
	res, err := New(Options{}).Render(t.Context(), resolve(t, chart.Load(fsys, d, chart.Limits{})), chart.ValuesSet{Release: chart.ReleaseOptions{Name: "rel"}})
	if err != nil {
		t.Fatal(err)
	}
	for file, opts := range map[string]PrintOptions{
		"testdata/features.golden":      {IncludeCRDs: true},
		"testdata/features-only.golden": {SkipTests: true, ShowOnly: []string{"templates/h*.yaml", "templates/crlf.yaml"}},
	} {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := res.Print(&got, opts); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs:\n%s", file, got.String())
		}
	}
	if err := res.Print(&bytes.Buffer{}, PrintOptions{ShowOnly: []string{"templates/none.yaml"}}); err == nil || err.Error() != "could not find template templates/none.yaml in chart" {
		t.Errorf("showing what is not there: %v", err)
	}
	if res.Notes != "Thanks for features. \n" {
		t.Errorf("notes %q", res.Notes)
	}
	if res.Values["fromRoot"] != nil {
		t.Error("Result.Values holds what a template set")
	}
	for _, m := range res.Manifests {
		if m.Kind == "Job" && (m.Hook == nil || m.Hook.Weight != -5 || strings.Join(m.Hook.Events, " ") != "pre-install pre-upgrade") {
			t.Errorf("hook %+v", m.Hook)
		}
		if m.Pos(1).File != m.Template {
			t.Errorf("%s comes from %s", m.Template, m.Pos(1).File)
		}
	}
}

func place(file string) func(int) Pos { return func(n int) Pos { return Pos{File: file, Line: n} } }

func TestPos(t *testing.T) {
	res, err := renderApp(t, "# first\n---\nkind: A\n{{ include \"meta\" . }}\nspec:\n  {{- range list 1 2 }}\n  n{{ . }}: {{ . }}\n  {{- end }}\n---\n\n\nkind: B\n", "bad: 1\n", chart.ValuesSet{})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Manifests) != 3 {
		t.Fatalf("%d manifests", len(res.Manifests))
	}
	m := res.Manifests[1]
	if m.Kind != "A" || m.Name != "release-name" {
		t.Fatalf("%+v", m)
	}
	own, helper := place("app/templates/object.yaml"), place("app/templates/_h.tpl")
	for n, want := range map[int]Origin{
		1: {Pos: own(3)},
		3: {Pos: own(4), Inner: helper(2)},
		4: {Pos: own(4), Inner: helper(3)},
		7: {Pos: own(5)},
		8: {Pos: own(7)},
		9: {Pos: own(7)},
	} {
		if got := m.Origin(n); got != want {
			t.Errorf("line %d comes from %+v, want %+v:\n%s", n, got, want, m.Data)
		}
	}
	if p := res.Manifests[2].Pos(1); p.Line != 12 {
		t.Errorf("the third manifest starts at %+v", p)
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		template, values string
		set              chart.ValuesSet
		kind             Kind
		file             string
		line             int
		message          string
	}{
		"scanner":    {"kind: A\na: b: c\n", "", chart.ValuesSet{}, YAML, "app/templates/object.yaml", 2, "YAML parse error on app/templates/object.yaml: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context"},
		"parser":     {"x: 1\n---\nkind: A\na:\n  - b\n c: d\n", "", chart.ValuesSet{}, YAML, "app/templates/object.yaml", 6, "YAML parse error on app/templates/object.yaml: error converting YAML to JSON: yaml: line 3: did not find expected key"},
		"included":   {"kind: A\n{{ include \"meta\" . }}\n", "bad: 'x: y'\n", chart.ValuesSet{}, YAML, "app/templates/object.yaml", 2, "YAML parse error on app/templates/object.yaml: error converting YAML to JSON: yaml: line 5: mapping values are not allowed in this context"},
		"list":       {"\n\n- a\n", "", chart.ValuesSet{}, YAML, "app/templates/object.yaml", 3, "YAML parse error on app/templates/object.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type releaseutil.SimpleHead"},
		"large":      {"a: {{ repeat 4000000 \"1,\" }}{{ repeat 4000000 \"1,\" }}\n", "", chart.ValuesSet{}, Limit, "app/templates/object.yaml", 1, "rendering was stopped: the size of one manifest: the limit is 8 MiB"},
		"values":     {"a: 1\n", "", chart.ValuesSet{Files: []source.File{{Path: "ci/x.yaml", Data: []byte("a: 1\nb: {c\n")}}}, Values, "ci/x.yaml", 3, "failed to parse ci/x.yaml: error converting YAML to JSON: yaml: line 2: did not find expected ',' or '}'"},
		"no map":     {"a: 1\n", "", chart.ValuesSet{Files: []source.File{{Path: "ci/x.yaml", Data: []byte("- a\n")}}}, Values, "ci/x.yaml", 0, "failed to parse ci/x.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}"},
		"release":    {"a: 1\n", "", chart.ValuesSet{Release: chart.ReleaseOptions{Name: "No"}}, Chart, "", 0, `release name "No": invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53`},
		"Kubernetes": {"a: 1\n", "", chart.ValuesSet{Release: chart.ReleaseOptions{KubeVersion: "x"}}, Chart, "", 0, `invalid kube version 'x': could not parse "x" as version`},
	} {
		_, err := renderApp(t, c.template, c.values, c.set)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Kind != c.kind || e.File != c.file || e.Line != c.line || e.Message != c.message {
			t.Errorf("%s: %s at %s:%d: %s", name, e.Kind, e.File, e.Line, e.Message)
		}
	}
}

func TestKubeVersion(t *testing.T) {
	tree := app("kind: A\nv: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.APIVersions.Has \"x.example.com/v1\" }} {{ .Release.IsUpgrade }} {{ .Release.Namespace }}\n", "")
	tree["app/Chart.yaml"] += "kubeVersion: \">=1.30.0\"\n"
	res := resolved(t, tree, "app")
	out, err := New(Options{}).Render(t.Context(), res, chart.ValuesSet{Release: chart.ReleaseOptions{APIVersions: []string{"x.example.com/v1"}, IsUpgrade: true, Namespace: "ns"}})
	if err != nil || out.Manifests[0].Data != "kind: A\nv: "+DefaultKubeVersion+" true true ns" {
		t.Errorf("%v %+v", err, out)
	}
	_, err = New(Options{}).Render(t.Context(), res, chart.ValuesSet{Release: chart.ReleaseOptions{KubeVersion: "1.29"}})
	if err == nil || err.Error() != "chart requires kubeVersion: >=1.30.0 which is incompatible with Kubernetes v1.29" {
		t.Error(err)
	}
}

func TestLibrary(t *testing.T) {
	tree := app("", "")
	tree["app/Chart.yaml"] += "type: library\n"
	_, err := New(Options{}).Render(t.Context(), resolved(t, tree, "app"), chart.ValuesSet{})
	var e *Error
	if !errors.As(err, &e) || e.Kind != Chart || e.Message != "library charts are not installable" {
		t.Error(err)
	}
}

// TestMerge checks that later files win, maps are merged, and null deletes.
func TestMerge(t *testing.T) {
	set := chart.ValuesSet{Files: []source.File{
		{Path: "1.yaml", Data: []byte("m: {a: 1, b: {x: 1}}\nl: [1, 2]\ngone: 1\n")},
		{Path: "2.yaml", Data: []byte("m: {b: {z: 2}, c: 3}\nl: [3]\ngone: null\ndefault: null\n")},
	}}
	res, err := renderApp(t, "v: {{ .Values | toJson }}\n", "default: 1\nkept: true\n", set)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := res.Manifests[0].Data, `v: {"gone":null,"kept":true,"l":[3],"m":{"a":1,"b":{"x":1,"z":2},"c":3}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, ok := res.Values["default"]; ok || res.Values["kept"] != true {
		t.Errorf("values %v", res.Values)
	}
}

func TestSeedPerSet(t *testing.T) {
	data := func(set string) string {
		res, err := renderApp(t, "v: {{ randAlphaNum 30 }}\n", "", chart.ValuesSet{Name: set})
		if err != nil {
			t.Fatal(err)
		}
		if res.Manifests[0].Set != set {
			t.Errorf("a manifest of %q says that it is of %q", set, res.Manifests[0].Set)
		}
		return res.Manifests[0].Data
	}
	first, again, other := data("a"), data("a"), data("b")
	if first != again || first == other {
		t.Errorf("%s, again %s, another set %s", first, again, other)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := New(Options{}).Render(ctx, resolved(t, app("a: 1\n", ""), "app"), chart.ValuesSet{})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestClone checks that no map or list of values is shared.
func TestClone(t *testing.T) {
	in := helmutil.Values{"a": map[string]any{"b": []any{map[string]any{"c": 1}}}, "v": helmutil.Values{"x": 1}}
	out := cloneTable(in)
	in["a"].(map[string]any)["b"].([]any)[0].(map[string]any)["c"] = 2
	in["v"].(helmutil.Values)["x"] = 2
	if out["a"].(map[string]any)["b"].([]any)[0].(map[string]any)["c"] != 1 || out["v"].(map[string]any)["x"] != 1 {
		t.Errorf("%v", out)
	}
}

// FuzzSplit compares with Helm's way of cutting documents.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "a", "---", "---\n---\na", "a\n---\n---\nb", "\n\n--- # c\na\n \n---x\n----\nb\n---", "a ---\nb\n\u00a0---\n\u00a0", "a\r\n---\r\nb", "a\n\t ---\nb\v\n---\n\v"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := releaseutil.SplitManifests(text)
		got := split(text)
		if len(got) != len(want) {
			t.Fatalf("%d documents, Helm cuts %d: %q", len(got), len(want), want)
		}
		i := 0
		for _, p := range got {
			name := "manifest-" + strconv.Itoa(i)
			if text[p.start:p.end] != want[name] {
				t.Fatalf("document %d is %q, in Helm %q", i, text[p.start:p.end], want[name])
			}
			i++
		}
	})
}
