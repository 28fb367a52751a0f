package chart

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chartutil"
)

func mapFS(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, data := range files {
		m[name] = &fstest.MapFile{Data: []byte(data), Mode: 0o644}
	}
	return m
}

const chartYAML = "apiVersion: v2\nname: web\nversion: 1.0.0\n"

func TestDiscover(t *testing.T) {
	fsys := mapFS(map[string]string{
		"charts/README.md":                       "",
		"charts/docs/index.md":                   "",
		"charts/flat/Chart.yaml":                 chartYAML,
		"charts/flat/charts/dep/Chart.yaml":      chartYAML,
		"charts/house/Chart/Chart.yaml":          chartYAML,
		"charts/house/README.md":                 "",
		"charts/broken/templates/a.yaml":         "",
		"charts/misspelt/chart.yml":              "",
		"charts/old/Chart.yaml":                  chartYAML,
		"more/deep/er/Chart.yaml":                chartYAML,
		"charts/house/Chart/charts/x/Chart.yaml": chartYAML,
	})
	for _, tc := range []struct {
		globs, exclude []string
		want           []Dir
	}{
		{[]string{"charts/*"}, []string{"charts/old"}, []Dir{
			{"charts/broken", "charts/broken", Flat},
			{"charts/flat", "charts/flat", Flat},
			{"charts/house/Chart", "charts/house", House},
			{"charts/misspelt", "charts/misspelt", Flat},
		}},
		{[]string{"./charts/house/Chart"}, nil, []Dir{{"charts/house/Chart", "charts/house", House}}},
		{[]string{"charts/house/"}, nil, []Dir{{"charts/house/Chart", "charts/house", House}}},
		{[]string{"**"}, []string{"charts/{old,broken,misspelt}"}, []Dir{
			{"charts/flat", "charts/flat", Flat},
			{"charts/house/Chart", "charts/house", House},
			{"more/deep/er", "more/deep/er", Flat},
		}},
	} {
		got, err := Discover(fsys, tc.globs, tc.exclude)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%v: %s", tc.globs, diff)
		}
	}
	if _, err := Discover(fsys, []string{"charts/missing"}, nil); err == nil || !strings.Contains(err.Error(), `"charts/missing"`) {
		t.Errorf("missing chart: %v", err)
	}
}

func TestLoad(t *testing.T) {
	fsys := mapFS(map[string]string{
		"charts/web/Chart/Chart.yaml":           chartYAML,
		"charts/web/Chart/.helmignore":          "*.bak\n/secret/\n",
		"charts/web/Chart/values.yaml":          "\xEF\xBB\xBFa: 1\n",
		"charts/web/Chart/x.bak":                "x",
		"charts/web/Chart/secret/key":           "x",
		"charts/web/Chart/templates/a.yaml":     "a",
		"charts/web/Chart/templates/.hidden":    "a",
		"charts/web/Chart/ci/ha-values.yaml":    "b: 1\n",
		"charts/web/README.md":                  "# web",
		"charts/web/orgs/acme/values.yaml":      "c: 1\n",
		"charts/web/orgs/acme/more/values.yaml": "c: 1\n",
	})
	c := Load(fsys, Dir{"charts/web/Chart", "charts/web", House}, Limits{})
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	var names []string
	for _, f := range c.Files() {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{".helmignore", "Chart.yaml", "ci/ha-values.yaml", "templates/a.yaml", "values.yaml"}, names); diff != "" {
		t.Error(diff)
	}
	if len(c.Entries()) != 11 {
		t.Errorf("%d entries", len(c.Entries()))
	}
	var sets []string
	for _, s := range c.ValuesSets() {
		sets = append(sets, s.Name)
	}
	if diff := cmp.Diff([]string{"defaults", "ci/ha", "orgs/acme"}, sets); diff != "" || !c.HasCI() {
		t.Error(diff)
	}
	if f, ok := c.File("values.yaml"); !ok || f.Path != "charts/web/Chart/values.yaml" || string(f.Data) != "a: 1\n" {
		t.Errorf("%+v", f)
	}
}

func TestLoadErrorsNameFileAndLine(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		file  string
		line  int
		text  string
	}{
		"missing":     {map[string]string{"c/values.yaml": ""}, "c/Chart.yaml", 1, "Chart.yaml file is missing"},
		"empty":       {map[string]string{"c/Chart.yaml": ""}, "c/Chart.yaml", 1, "chart.metadata.name is required"},
		"malformed":   {map[string]string{"c/Chart.yaml": "apiVersion: v2\nname: [\n"}, "c/Chart.yaml", 3, "cannot load Chart.yaml"},
		"values":      {map[string]string{"c/Chart.yaml": chartYAML, "c/values.yaml": "- a\n"}, "c/values.yaml", 1, "cannot unmarshal array"},
		"values YAML": {map[string]string{"c/Chart.yaml": chartYAML, "c/values.yaml": "a: 1\nb: {\n"}, "c/values.yaml", 3, "cannot load values.yaml"},
		"lock":        {map[string]string{"c/Chart.yaml": chartYAML, "c/Chart.lock": "a: ]\n"}, "c/Chart.lock", 1, "cannot load Chart.lock"},
		"subchart":    {map[string]string{"c/Chart.yaml": chartYAML, "c/charts/x/values.yaml": ""}, "c/charts/x", 0, "Chart.yaml file is missing"},
		"helmignore":  {map[string]string{"c/Chart.yaml": chartYAML, "c/.helmignore": "a/**\n"}, "c/.helmignore", 1, "double-star"},
	} {
		c := Load(mapFS(tc.files), Dir{Path: "c", Root: "c"}, Limits{})
		e := c.Err()
		if e == nil || e.File != tc.file || e.Line != tc.line || !strings.Contains(e.Message, tc.text) {
			t.Errorf("%s: %+v", name, e)
		}
		if _, err := c.Package(); err == nil || c.Helm() != nil {
			t.Errorf("%s: a broken chart has a package", name)
		}
		if c.Name() == "" {
			t.Errorf("%s: no name", name)
		}
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "passwd")
	for name, data := range map[string]string{
		outside:                             "secret",
		filepath.Join(dir, "LICENSE"):       "license",
		filepath.Join(dir, "c/Chart.yaml"):  chartYAML,
		filepath.Join(dir, "common/a.yaml"): "a",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, "c", name)); err != nil {
			t.Fatal(err)
		}
	}
	link("../LICENSE", "LICENSE")
	link("../common", "templates")
	c := Load(root.FS(), Dir{Path: "c", Root: "c"}, Limits{})
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	if _, ok := c.File("templates/a.yaml"); !ok {
		t.Error("a link to a folder was not followed")
	}
	for to, want := range map[string]string{
		outside:   "out of the repository",
		"../../x": "out of the repository",
		"nowhere": "leads nowhere",
		"loop":    "leads to itself",
		"../c":    "leads to itself",
	} {
		link(to, "loop")
		e := Load(root.FS(), Dir{Path: "c", Root: "c"}, Limits{}).Err()
		if e == nil || !strings.Contains(e.Error(), want) {
			t.Errorf("link to %s: %v", to, e)
		}
		os.Remove(filepath.Join(dir, "c/loop"))
	}
}

func TestLimits(t *testing.T) {
	fsys := mapFS(map[string]string{"c/Chart.yaml": chartYAML, "c/big": strings.Repeat("x", 100), "c/a/b/c/d": "x"})
	for want, lim := range map[string]Limits{
		"Helm takes 80":       {File: 80},
		"more than 2 files":   {Files: 2},
		"more than 120 bytes": {Total: 120},
		"more than 2 nested":  {Depth: 2},
	} {
		if e := Load(fsys, Dir{Path: "c", Root: "c"}, lim).Err(); e == nil || !strings.Contains(e.Error(), want) {
			t.Errorf("%+v: %v", lim, e)
		}
	}
}

func TestDigests(t *testing.T) {
	files := map[string]string{"c/Chart.yaml": chartYAML, "c/.helmignore": "orgs\n", "c/orgs/a/values.yaml": "x: 1\n", "c/templates/a.yaml": "a"}
	load := func() *Chart { return Load(mapFS(files), Dir{Path: "c", Root: "c"}, Limits{}) }
	before := load()
	files["c/orgs/a/values.yaml"] = "x: 2\n"
	ignored := load()
	files["c/templates/a.yaml"] = "b"
	changed := load()
	pkg := func(c *Chart) string {
		d, err := c.Package()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	if pkg(before) != pkg(ignored) || pkg(before) == pkg(changed) {
		t.Error("Package must follow published files, and only those")
	}
	if before.Tree() == ignored.Tree() || ignored.Tree() == changed.Tree() {
		t.Error("Tree must follow every file")
	}
}

func TestHelmIsFreshEachTime(t *testing.T) {
	c := Load(mapFS(map[string]string{
		"c/Chart.yaml":             chartYAML + "dependencies:\n- name: dep\n  version: 1.0.0\n  alias: other\n  condition: dep.on\n",
		"c/values.yaml":            "dep: {on: true}\nlist: [{a: 1}]\n",
		"c/charts/dep/Chart.yaml":  "apiVersion: v2\nname: dep\nversion: 1.0.0\n",
		"c/charts/dep/values.yaml": "x: {y: 1}\n",
	}), Dir{Path: "c", Root: "c"}, Limits{})
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	one := c.Helm()
	if err := chartutil.ProcessDependenciesWithMerge(one, map[string]any{}); err != nil {
		t.Fatal(err)
	}
	one.Values["list"].([]any)[0].(map[string]any)["a"] = 2
	one.Dependencies()[0].Values["x"] = 3
	two := c.Helm()
	if two.Metadata.Dependencies[0].Name != "dep" || two.Dependencies()[0].Name() != "dep" || two.Dependencies()[0].Parent() != two {
		t.Error("Helm's mutation reached the next graph")
	}
	if two.Values["list"].([]any)[0].(map[string]any)["a"] != 1.0 || two.Dependencies()[0].Values["x"] == 3 {
		t.Error("values are shared between two graphs")
	}
}

func TestRepo(t *testing.T) {
	lib := "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n"
	fsys := mapFS(map[string]string{
		"charts/web/Chart.yaml":       chartYAML + "dependencies:\n- {name: mid, version: 1.x, repository: 'file://../mid'}\n",
		"charts/mid/Chart.yaml":       strings.Replace(chartYAML, "web", "mid", 1) + "dependencies:\n- {name: lib, version: 1.x, repository: 'file://../lib/Chart'}\n",
		"charts/lib/Chart/Chart.yaml": lib,
	})
	dirs, err := Discover(fsys, []string{"charts/*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var charts []*Chart
	for _, d := range dirs {
		charts = append(charts, Load(fsys, d, Limits{}))
	}
	r := NewRepo(charts)
	var names []string
	for _, c := range r.LocalDependencies(r.Named("web")[0]) {
		names = append(names, c.Name())
	}
	if diff := cmp.Diff([]string{"mid", "lib"}, names); diff != "" || !r.Named("lib")[0].IsLibrary() {
		t.Error(diff)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(chartYAML, "a: 1\n", "*.bak\n")
	f.Fuzz(func(t *testing.T, meta, values, ignored string) {
		var fsys fs.FS = mapFS(map[string]string{"c/Chart.yaml": meta, "c/values.yaml": values, "c/.helmignore": ignored, "c/Chart.lock": values})
		c := Load(fsys, Dir{Path: "c", Root: "c"}, Limits{})
		if c.Err() == nil {
			if _, err := c.Package(); err != nil {
				t.Skip(err)
			}
			c.Helm()
		}
		c.ValuesSets()
		c.Tree()
	})
}
