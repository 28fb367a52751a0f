package lintandtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint/linttest"
	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chartutil"
	helmlint "helm.sh/helm/v3/pkg/lint"
)

const meta = "apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://example.com/i.png\n"

// TestSameWordsAsHelm runs Helm's own linter over the same charts: it must say the
// same words about the same things.
func TestSameWordsAsHelm(t *testing.T) {
	deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec: {}\n"
	for name, files := range map[string]map[string]string{
		"clean":               {"Chart.yaml": meta, "values.yaml": "a: 1\n", "templates/a.yaml": "a: 1\n"},
		"no icon":             {"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "values.yaml": ""},
		"no values":           {"Chart.yaml": meta},
		"no apiVersion":       {"Chart.yaml": "name: web\nversion: 1.0.0\nicon: https://e.com/i.png\n", "values.yaml": ""},
		"apiVersion v3":       {"Chart.yaml": strings.Replace(meta, "v2", "v3", 1), "values.yaml": ""},
		"version 0":           {"Chart.yaml": strings.Replace(meta, "1.0.0", "0.0.0", 1), "values.yaml": ""},
		"version as a number": {"Chart.yaml": meta + "appVersion: 1.20\n", "values.yaml": ""},
		"maintainer's email":  {"Chart.yaml": meta + "maintainers: [{name: a, email: b}]\n", "values.yaml": ""},
		"maintainer's name":   {"Chart.yaml": meta + "maintainers: [{email: b@example.com}]\n", "values.yaml": ""},
		"maintainer's URL":    {"Chart.yaml": meta + "maintainers: [{name: a, url: b c}]\n", "values.yaml": ""},
		"source":              {"Chart.yaml": meta + "sources: [nonsense]\n", "values.yaml": ""},
		"icon's URL":          {"Chart.yaml": strings.Replace(meta, "https://example.com/i.png", "nonsense", 1), "values.yaml": ""},
		"type in v1":          {"Chart.yaml": strings.Replace(meta, "v2", "v1", 1) + "type: application\n", "values.yaml": ""},
		"extension":           {"Chart.yaml": meta, "values.yaml": "", "templates/a.conf": "x: y"},
		"crd-install":         {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": "kind: A\nmetadata:\n  name: a\n  annotations:\n    \"helm.sh/hook\": crd-install\n"},
		"release time":        {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": "a: 1\n# {{/* .Release.Time */}}\n"},
		"indent":              {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": "\n  {a: 1, metadata: {name: a}}\n"},
		"object's name":       {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": "kind: Pod\nmetadata: {name: A_b}\n"},
		"service's name":      {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": "kind: Service\nmetadata: {name: 1a}\n---\nkind: Role\nmetadata: {name: 'a:b'}\n"},
		"selector":            {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": deployment},
		"second document":     {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": "---\n# c\n---\nkind: A\nmetadata: {name: a}\n---\n" + deployment},
		"list":                {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": "kind: List\nmetadata: {name: l}\nitems:\n- metadata:\n    annotations: {helm.sh/resource-policy: keep}\n"},
		"deprecated":          {"Chart.yaml": meta, "values.yaml": "", "templates/a.yaml": "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\n"},
		"undeclared":          {"Chart.yaml": meta, "values.yaml": "", "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(helms(t, files), ours(t, files)); diff != "" {
				t.Errorf("(-helm +chartgate)\n%s", diff)
			}
		})
	}
}

// helms is what Helm's linter says: severity and words.
func helms(t *testing.T, files map[string]string) []string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "web")
	for name, data := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kube := chartutil.KubeVersion{Version: "v1.37.0", Major: "1", Minor: "37"}
	var out []string
	for _, m := range helmlint.AllWithKubeVersion(dir, nil, "default", &kube).Messages {
		out = append(out, []string{"unknown", "info", "warning", "error"}[m.Severity]+" "+m.Err.Error())
	}
	slices.Sort(out)
	return out
}

func ours(t *testing.T, files map[string]string) []string {
	t.Helper()
	below := map[string]string{}
	for name, data := range files {
		below["charts/web/"+name] = data
	}
	found, _ := linttest.Run(t, New(), below, nil)
	var out []string
	for _, f := range found {
		if f.Line == 0 && f.Rule != "values-file" && f.Rule != "template-extension" {
			t.Errorf("%s has no line", f.Message)
		}
		out = append(out, f.Severity.String()+" "+f.Message)
	}
	slices.Sort(out)
	return out
}

func TestRenderFaults(t *testing.T) {
	files := map[string]string{
		"charts/web/Chart.yaml":            meta,
		"charts/web/values.yaml":           "name: \"\"\n",
		"charts/web/templates/a.yaml":      "metadata:\n  name: {{ required \"say a name\" .Values.name }}\n",
		"charts/web/ci/good-values.yaml":   "name: x\n",
		"charts/web/ci/list-values.yaml":   "# no map\n- a\n",
		"charts/web/orgs/acme/values.yaml": "name: [\n",
	}
	found, _ := linttest.Run(t, New(), files, nil)
	var got []string
	for _, f := range found {
		got = append(got, strings.Join(f.Values, ",")+" "+f.Severity.String()+" "+f.Rule+" "+f.File)
	}
	want := []string{
		"ci/list error values charts/web/ci/list-values.yaml",
		"orgs/acme error values charts/web/orgs/acme/values.yaml",
		"defaults warning value-missing charts/web/templates/a.yaml",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, f := range found {
		if f.Line != 2 {
			t.Errorf("%s: line %d, want 2", f.File, f.Line)
		}
	}

	// Without values for tests nothing excuses the defaults.
	delete(files, "charts/web/ci/good-values.yaml")
	delete(files, "charts/web/ci/list-values.yaml")
	delete(files, "charts/web/orgs/acme/values.yaml")
	found, _ = linttest.Run(t, New(), files, nil)
	if len(found) != 1 || found[0].Severity != finding.Error {
		t.Errorf("%+v", found)
	}
}

func TestDocumentStarts(t *testing.T) {
	for text, want := range map[string][]int{
		"a: 1\n":                  {1},
		"---\na: 1\n---\nb: 1\n":  {1, 4},
		"# c\n---\n# d\na: 1\n":   {1, 3},
		"a: 1\n--- # c\nb: 1":     {1, 3},
		"a: |\n  x\n---x\nb: 1\n": {1},
		"a: 1\n---\n---\nb: 1\n":  {1, 3},
		"":                        {1},
	} {
		if diff := cmp.Diff(want, documentStarts(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
