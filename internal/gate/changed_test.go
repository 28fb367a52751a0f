package gate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/google/go-cmp/cmp"
)

// tree writes files and links ("-> target") into a folder.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(data, "-> "); ok {
			err = os.Symlink(strings.ReplaceAll(target, "ROOT", root), name)
		} else {
			err = os.WriteFile(name, []byte(data), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// chartFile is a Chart.yaml with dependencies NAME VERSION REPOSITORY.
func chartFile(name string, dependencies ...string) string {
	s := "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"
	if len(dependencies) > 0 {
		s += "dependencies:\n"
	}
	for _, d := range dependencies {
		f := strings.Fields(d)
		s += fmt.Sprintf("  - {name: %s, version: %q, repository: %q}\n", f[0], f[1], f[2])
	}
	return s
}

// touched lists the charts that files concern, with the reasons.
func touched(t testing.TB, root string, cfg *config.Config, targets []string, files ...string) map[string]string {
	t.Helper()
	if cfg == nil {
		cfg = config.Default()
	}
	g, err := open(Options{Root: root, Config: cfg, Touched: true, Only: files, Targets: targets, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	if err := g.discover(context.Background()); err != nil {
		t.Fatal(err)
	}
	affected, _, err := g.impact(context.Background(), files, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, a := range affected {
		var reasons []string
		for _, r := range a.Reasons {
			reasons = append(reasons, r.String())
		}
		out[a.Chart.Path] = strings.Join(reasons, "; ")
	}
	if len(out) != len(g.subjects) || slices.ContainsFunc(g.subjects, func(s *lint.Subject) bool { return out[s.Chart.Path] == "" }) {
		t.Errorf("%d subjects for %v", len(g.subjects), out)
	}
	return out
}

// TestReverseClosure draws graphs of charts: what a change of one concerns is
// found along them as a plain search over the edges finds it.
func TestReverseClosure(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		const n = 10
		files := map[string]string{}
		depends := [n][n]bool{}
		for i := range n {
			var deps []string
			for k := range n { // cycles too: they are for resolving to complain of
				if i == k || random.IntN(6) > 0 {
					continue
				}
				depends[i][k] = true
				repository := fmt.Sprintf("file://../c%d", k)
				if random.IntN(2) == 0 {
					repository = "oci://example.com/team/"
				}
				deps = append(deps, fmt.Sprintf("c%d 1.0.0 %s", k, repository))
			}
			files[fmt.Sprintf("charts/c%d/Chart.yaml", i)] = chartFile(fmt.Sprintf("c%d", i), deps...)
		}
		start := random.IntN(n)
		want := map[int]bool{start: true}
		for range n {
			for i := range n {
				for k := range n {
					if depends[i][k] && want[k] {
						want[i] = true
					}
				}
			}
		}
		got := touched(t, tree(t, files), nil, []string{"oci://example.com/team"}, fmt.Sprintf("charts/c%d/values.yaml", start))
		for i := range n {
			if _, ok := got[fmt.Sprintf("charts/c%d", i)]; ok != want[i] {
				t.Fatalf("c%d changed: c%d is %v in %v", start, i, ok, got)
			}
		}
	}
}

func TestTouchedReasons(t *testing.T) {
	root := tree(t, map[string]string{
		"charts/web/Chart.yaml":                 chartFile("web", "redis 1.0.0 oci://registry.example.com/mirror/redis", "shared 1.0.0 file:///ROOT/lib/shared"),
		"charts/api/Chart.yaml":                 chartFile("api", "redis ^1.0.0 oci://registry.example.com/other"),
		"charts/out/Chart.yaml":                 chartFile("out", "gone 1.0.0 file://../../../elsewhere"),
		"charts/house/Chart/Chart.yaml":         chartFile("house"),
		"charts/house/README.md":                "",
		"charts/user/Chart.yaml":                chartFile("user", "house 1.0.0 file://../house/Chart"),
		"stand-ins/redis/redis/Chart.yaml":      chartFile("redis", "deep 1.0.0 file://../../deep"),
		"stand-ins/redis/redis-1.1.0.tgz":       "",
		"stand-ins/deep/Chart.yaml":             chartFile("deep"),
		"lib/shared/Chart.yaml":                 chartFile("shared"),
		"charts/linked/Chart.yaml":              chartFile("linked"),
		"charts/linked/templates":               "-> ../../common/templates",
		"charts/linked/loop":                    "-> loop",
		"charts/linked/away":                    "-> ../../../../etc/passwd",
		"charts/linked/absolute":                "-> ROOT/common/absolute.yaml",
		"common/templates/a.yaml":               "-> ../far/a.yaml",
		"common/far/a.yaml":                     "",
		"common/absolute.yaml":                  "",
		"charts/requirements/Chart.yaml":        "apiVersion: v1\nname: requirements\nversion: 1.0.0\n",
		"charts/requirements/requirements.yaml": "dependencies:\n  - {name: shared, version: 1.0.0, repository: \"file://../../lib/shared\"}\n",
	})
	fixed := filepath.Join(root, "charts/web/Chart.yaml")
	data, err := os.ReadFile(fixed)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(fixed, []byte(strings.ReplaceAll(string(data), "file:///ROOT", "file://"+root)), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Mirrors = map[string]string{"oci://registry.example.com/mirror": "stand-ins"}
	cfg.CAFile = "ca.pem"
	all := func(reason string) map[string]string {
		out := map[string]string{}
		for _, c := range []string{"web", "api", "out", "house/Chart", "user", "linked", "requirements"} {
			out["charts/"+c] = reason
		}
		return out
	}
	shared := "depends on shared (lib/shared) through file://../../lib/shared: lib/shared/values.yaml changed"
	tests := []struct {
		files []string
		want  map[string]string
	}{
		{nil, map[string]string{}},
		{[]string{"README.md", "charts/README.md", "charts/webs/values.yaml"}, map[string]string{}},
		{[]string{"charts/web/values.yaml", "charts/web/a", "charts/web/b"}, map[string]string{"charts/web": "charts/web/a and 2 more files changed"}},
		{[]string{"lib/shared/values.yaml"}, map[string]string{
			"charts/web":          strings.Replace(shared, "file://../../lib", "file://"+root+"/lib", 1),
			"charts/requirements": shared}},
		{[]string{"stand-ins/redis/redis/values.yaml"}, map[string]string{
			"charts/web": "depends on redis (stand-ins/redis/redis) through oci://registry.example.com/mirror/redis: stand-ins/redis/redis/values.yaml changed"}},
		{[]string{"stand-ins/redis/redis-1.1.0.tgz"}, map[string]string{
			"charts/web": "depends on redis (stand-ins/redis/redis-1.1.0.tgz) through oci://registry.example.com/mirror/redis: stand-ins/redis/redis-1.1.0.tgz changed"}},
		{[]string{"stand-ins/redis/postgresql-1.1.0.tgz"}, map[string]string{}},
		{[]string{"stand-ins/deep/values.yaml"}, map[string]string{"charts/web": "depends on redis (stand-ins/redis/redis) through oci://registry.example.com/mirror/redis"}},
		{[]string{"charts/house/README.md"}, map[string]string{"charts/house/Chart": "charts/house/README.md changed"}},
		{[]string{"charts/house/Chart/values.yaml"}, map[string]string{
			"charts/house/Chart": "charts/house/Chart/values.yaml changed", "charts/user": "depends on house (charts/house/Chart) through file://../house/Chart"}},
		{[]string{"common/far/a.yaml"}, map[string]string{"charts/linked": "common/far/a.yaml changed, where common/templates/a.yaml leads"}},
		{[]string{"common/templates/new.yaml"}, map[string]string{"charts/linked": "common/templates/new.yaml changed, where charts/linked/templates leads"}},
		{[]string{"common/absolute.yaml"}, map[string]string{"charts/linked": "common/absolute.yaml changed, where charts/linked/absolute leads"}},
		{[]string{"charts"}, all("charts changed")}, // a link, or a submodule
		{[]string{"ca.pem"}, all("ca.pem changed")},
		{[]string{".yamllint"}, all(".yamllint changed")},
		{[]string{"../.yamllint.yml"}, all("../.yamllint.yml changed")},
		{[]string{"chartgate.yaml"}, all("chartgate.yaml changed")},
	}
	for _, tt := range tests {
		got := touched(t, root, cfg, nil, tt.files...)
		for path, reason := range got { // a submodule or a link above the charts spreads along them as well
			if i := strings.Index(reason, "; depends on"); i >= 0 && tt.files[0] == "charts" {
				got[path] = reason[:i]
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v: %s", tt.files, diff)
		}
	}
}

func TestNearestConfigurations(t *testing.T) {
	root := tree(t, map[string]string{
		".yamllint":           "rules: {}\n",
		"charts/.yamllint":    "extends: ../rules/base.yaml\n",
		"rules/base.yaml":     "rules: {}\n",
		"charts/a/Chart.yaml": chartFile("a"),
		"charts/a/.yamllint":  "rules: {}\n",
		"charts/d/Chart.yaml": chartFile("d"),
		"more/b/Chart.yaml":   chartFile("b"),
		"more/c/Chart.yaml":   chartFile("c"),
		"more/c/.yamllint":    "extends: ../rules.yaml\n",
		"more/rules.yaml":     "rules: {}\n",
		"unused/.yamllint":    "rules: {}\n",
	})
	cfg := config.Default()
	cfg.Charts = []string{"*/*"}
	cfg.YAMLLint.Nearest = true
	for file, want := range map[string]string{
		".yamllint":          "[charts/a charts/d more/b more/c]",
		"charts/.yamllint":   "[charts/a charts/d]",
		"charts/a/.yamllint": "[charts/a]",
		"more/c/.yamllint":   "[more/c]",
		"unused/.yamllint":   "[]",
		"unused/rules.yaml":  "[]",
	} {
		var got []string
		for path := range touched(t, root, cfg, nil, file) {
			got = append(got, path)
		}
		slices.Sort(got)
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, and not %s", file, got, want)
		}
	}
	// What is extended concerns at least those that extend it.
	for file, who := range map[string]string{"rules/base.yaml": "charts/d", "more/rules.yaml": "more/c"} {
		if got := touched(t, root, cfg, nil, file); got[who] != file+" changed" {
			t.Errorf("%s: %v", file, got)
		}
	}
	cfg.Checks = []string{"kubesec"}
	if got := touched(t, root, cfg, nil, ".yamllint"); len(got) > 0 {
		t.Errorf("without yaml-lint: %v", got)
	}
}

func TestConfigurationKeys(t *testing.T) {
	im := &impact{run: &run{Options: Options{Config: config.Default()}}}
	before := config.Default()
	for key, want := range map[string]bool{"jobs": false, "images": false, "build": false, "default-branch": false, "publish": false, "rules": true, "a-key-to-come": true} {
		k, ok := im.effect(key, before, config.Default())
		if ok != want || want && (k.concerns != nil || k.key != key) {
			t.Errorf("%s: %+v, %v", key, k, ok)
		}
	}
	after := config.Default()
	after.Publish.To = []string{"oci://example.com/charts"}
	if k, ok := im.effect("publish", before, after); !ok || k.key != "publish.to" {
		t.Errorf("publish: %+v, %v", k, ok)
	}
}

func TestFilesIn(t *testing.T) {
	s := newFileSet([]string{"../x", "a", "b/c", "b/c-d", "b/c/d", "b/c/d/e", "b/cd", "z/y"})
	for dir, want := range map[string]string{
		".":     "[a b/c b/c-d b/c/d b/c/d/e b/cd z/y]",
		"b/c":   "[b/c b/c/d b/c/d/e]",
		"b":     "[b/c b/c-d b/c/d b/c/d/e b/cd]",
		"a/b/c": "[a]",
		"b/c/d": "[b/c b/c/d b/c/d/e]",
		"q":     "[]",
	} {
		if got := fmt.Sprint(s.in(dir)); got != want {
			t.Errorf("%s: %s, and not %s", dir, got, want)
		}
	}
}

func TestAllows(t *testing.T) {
	for _, tt := range []struct {
		constraint, version string
		want                bool
	}{{"^1.0.0", "1.2.0", true}, {"^1.0.0", "2.0.0", false}, {"1.0.0", "1.0.0", true}, {"", "1.0.0", true}, {"nonsense", "1.0.0", true}, {"1.0.0", "", true}, {"1.0.0", "x", true}} {
		if got := allows(tt.constraint, tt.version); got != tt.want {
			t.Errorf("%q allows %q: %v", tt.constraint, tt.version, got)
		}
	}
}

func TestLinksAreBounded(t *testing.T) {
	root := tree(t, map[string]string{"charts/web/self": "-> .", "charts/web/up": "-> ..", "charts/web/a": "-> b", "charts/web/b": "-> a", "charts/other/back": "-> ../web"})
	found := links(root, "charts/web")
	if len(found) == 0 || len(found) > 100 {
		t.Errorf("%d places", len(found))
	}
}
