package deps_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/deps"
)

func chartYAML(name, version, dependencies string) string {
	return fmt.Sprintf("-- charts/%s/Chart.yaml --\napiVersion: v2\nname: %s\nversion: %s\ndependencies: [%s]\n", name, name, version, dependencies)
}

func onFile(name string) string {
	return fmt.Sprintf("{name: %s, version: '*', repository: 'file://../%s'}", name, name)
}

func TestFileErrors(t *testing.T) {
	common := "-- charts/common/Chart.yaml --\n{apiVersion: v2, name: common, version: 0.1.5}\n"
	tests := map[string]struct {
		repository, version string
		kind                deps.Kind
		want                string
	}{
		"version":          {"file://../common", ">=1.0.0", deps.KindVersion, `the chart there has version 0.1.5, which ">=1.0.0" does not allow`},
		"no constraint":    {"file://../common", "latest", deps.KindVersion, "neither a version nor a range"},
		"missing":          {"file://../none", "*", deps.KindMissing, "there is no folder charts/none in the repository"},
		"a file":           {"file://../common/Chart.yaml", "*", deps.KindLocation, "is a file"},
		"out":              {"file://../../../common", "*", deps.KindLocation, "leads out of the repository"},
		"absolute":         {"file:///etc", "*", deps.KindLocation, "leads out of the repository"},
		"by a link":        {"file://../link", "*", deps.KindArchive, "leads out of the repository"},
		"by another link":  {"file://../../elsewhere/link", "*", deps.KindLocation, "escapes"},
		"another name":     {"file://../other", "*", deps.KindArchive, `is named "different"`},
		"broken":           {"file://../broken", "*", deps.KindArchive, "does not load"},
		"broken, no chart": {"file://../../elsewhere", "*", deps.KindArchive, "does not load"},
		"itself":           {"file://.", "*", deps.KindArchive, "is named"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, common+"-- charts/other/Chart.yaml --\n{apiVersion: v2, name: different, version: 0.1.5}\n"+
				"-- charts/broken/Chart.yaml --\na: [\n-- elsewhere/README.md --\nx\n"+
				webChart("- {name: common, version: '"+tt.version+"', repository: '"+tt.repository+"'}\n"))
			outside := t.TempDir()
			if err := os.WriteFile(filepath.Join(outside, "Chart.yaml"), []byte("{apiVersion: v2, name: common, version: 0.1.5}"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, link := range []string{"charts/link", "elsewhere/link"} {
				if err := os.Symlink(outside, filepath.Join(r.dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := r.resolve()
			var errs deps.Errors
			if !errors.As(err, &errs) || errs[0].Kind != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v (%+v), want %q", err, errs, tt.want)
			}
		})
	}
}

func TestAbsoluteFileInsideTheTree(t *testing.T) {
	r := newRig(t, "-- elsewhere/common/Chart.yaml --\n{apiVersion: v2, name: common, version: 0.1.5}\n"+
		webChart("- {name: common, version: '*', repository: 'file://$DIR/elsewhere/common'}\n"))
	wantSummary(t, r, r.mustResolve(), "common 0.1.5 file elsewhere/common")
}

func TestDependenciesOfFileDependencies(t *testing.T) {
	r := newRig(t, webChart("- "+onFile("mid")+"\n")+
		chartYAML("mid", "1.0.0", onFile("low")+", {name: redis, version: 1.x.x, repository: $OCI}, {name: etcd, version: 2.x.x, repository: $OCI}")+
		chartYAML("low", "1.0.0", "")+
		"-- charts/mid/charts/etcd/Chart.yaml --\n{apiVersion: v2, name: etcd, version: 2.0.1}\n")
	r.push("redis@1.1.0", "etcd@2.9.0")
	res := r.mustResolve()
	want := ".=web@1.0.0 charts/mid=mid@1.0.0 charts/mid/charts/etcd=etcd@2.0.1 charts/mid/charts/low=low@1.0.0 charts/mid/charts/redis=redis@1.1.0"
	if got := graphOf(t, res); got != want {
		t.Errorf("graph %s, want %s", got, want)
	}
	if mid := res.Deps[0]; len(mid.Deps) != 3 || mid.Deps[0].Name != "low" {
		t.Errorf("dependencies of the dependency: %v", mid.Deps)
	}
}

func TestErrorsOfFileDependencies(t *testing.T) {
	r := newRig(t, webChart("- "+onFile("mid")+"\n")+
		chartYAML("mid", "1.0.0", "{name: redis, version: 7.x.x, repository: $OCI}, {name: own, version: 1.x.x, repository: ''}"))
	r.push("redis@1.1.0")
	_, err := r.resolve()
	var errs deps.Errors
	if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Kind != deps.KindNested || errs[0].Index != 0 || len(errs[0].Tried) == 0 {
		t.Fatalf("error = %+v", errs)
	}
	for _, part := range []string{`dependency "mid"`, `dependency "redis"`, `dependency "own"`, "no folder charts/own"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in %v", part, err)
		}
	}
}

func TestCycles(t *testing.T) {
	tests := map[string]struct{ tree, want string }{
		"itself":     {webChart("- {name: web, version: '*', repository: 'file://.'}\n"), "charts/web → charts/web"},
		"two":        {webChart("- "+onFile("mid")+"\n") + chartYAML("mid", "1.0.0", onFile("web")), "charts/web → charts/mid → charts/web"},
		"further in": {webChart("- "+onFile("a")+"\n") + chartYAML("a", "1.0.0", onFile("b")) + chartYAML("b", "1.0.0", onFile("a")), "charts/a → charts/b → charts/a"},
		"by the registry": {webChart("- {name: mid, version: 1.x.x, repository: $OCI}\n") +
			chartYAML("mid", "1.0.0", "{name: web, version: 1.x.x, repository: $OCI}"), "charts/web → charts/mid → charts/web"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.tree)
			r.opt.PublishTargets = []string{r.oci}
			_, err := r.resolve()
			var errs deps.Errors
			if !errors.As(err, &errs) || errs[0].Kind != deps.KindCycle || !strings.Contains(err.Error(), "depends on itself: "+tt.want) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestGraphsThatExplode(t *testing.T) {
	var wide, deep strings.Builder
	for i := range 40 {
		next := fmt.Sprintf("c%d", i+1)
		one := fmt.Sprintf("{name: %s, version: '*', repository: 'file://../%s'}", next, next)
		deep.WriteString(chartYAML(fmt.Sprintf("c%d", i), "1.0.0", one))
		wide.WriteString(chartYAML(fmt.Sprintf("c%d", i), "1.0.0", one+", "+strings.Replace(one, "{", "{alias: second, ", 1)))
	}
	last := chartYAML("c40", "1.0.0", "")
	for name, tt := range map[string]struct{ tree, want string }{
		"deep": {deep.String(), "more than 32 charts depend on one another"},
		"wide": {wide.String(), "more than 1000 charts are taken in by charts/web"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, webChart("- "+onFile("c0")+"\n")+tt.tree+last)
			start := time.Now()
			_, err := r.resolve()
			if err == nil || !strings.Contains(err.Error(), tt.want) && !strings.Contains(err.Error(), "more than 32") {
				t.Errorf("error = %.300v", err)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if err != nil && len(err.Error()) > 10_000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestVendored(t *testing.T) {
	r := newRig(t, "")
	write := func(name string, data []byte) { r.writeFile("charts/web/charts/"+name, data) }
	r.push("redis@1.5.0")
	write("redis-1.0.0.tgz", packed(t, "redis@1.0.0", "old"))
	write("other-1.0.0.tgz", packed(t, "other@1.0.0", "old"))
	write("folder/Chart.yaml", []byte("{apiVersion: v2, name: folder, version: 3.0.0}"))
	write("redis/Chart.yaml", []byte("{apiVersion: v2, name: redis, version: 1.4.0}"))
	write("_hidden/Chart.yaml", []byte("nothing"))

	// Without dependencies, Helm leaves charts/ alone.
	r.write("-- charts/web/Chart.yaml --\n{apiVersion: v2, name: web, version: 1.0.0}\n")
	wantSummary(t, r, r.mustResolve(), "folder 3.0.0 vendored charts/folder", "other 1.0.0 vendored charts/other-1.0.0.tgz",
		"redis 1.4.0 vendored charts/redis", "redis 1.0.0 vendored charts/redis-1.0.0.tgz")

	// With some, archives go, folders stay, but for the one whose chart is fetched.
	r.write(webChart("- {name: redis, version: 1.x.x, repository: $OCI}\n"))
	res := r.mustResolve()
	wantSummary(t, r, res, "redis 1.5.0 oci $OCI/redis:1.5.0", "folder 3.0.0 vendored charts/folder")
	if got := graphOf(t, res); got != ".=web@1.0.0 charts/folder=folder@3.0.0 charts/redis=redis@1.5.0" {
		t.Errorf("graph %s", got)
	}

	// Without a repository, only the folder will do.
	for dependency, want := range map[string]string{
		"{name: redis, version: 1.x.x, repository: ''}":   "",
		"{name: redis, version: 2.x.x, repository: ''}":   `has version 1.4.0, which "2.x.x" does not allow`,
		"{name: other, version: 1.x.x, repository: ''}":   "as the archive other-1.0.0.tgz only",
		"{name: none, version: 1.x.x}":                    "there is no folder charts/none",
		"{name: ../common, version: 1.x.x}":               "has a slash",
		"{name: folder, version: latest, repository: ''}": "neither a version nor a range",
	} {
		r.write(webChart("- " + dependency + "\n"))
		res, err := r.resolve()
		if want == "" {
			if err != nil {
				t.Error(err)
				continue
			}
			wantSummary(t, r, res, "redis 1.4.0 vendored charts/redis", "folder 3.0.0 vendored charts/folder", "redis 1.0.0 vendored charts/redis-1.0.0.tgz")
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want %q", dependency, err, want)
		}
	}
}

func TestChartThatDoesNotLoad(t *testing.T) {
	r := newRig(t, "-- charts/web/Chart.yaml --\na: [\n")
	if _, err := r.resolve(); err == nil || !strings.Contains(err.Error(), "charts/web/Chart.yaml") {
		t.Errorf("error = %v", err)
	}
}

func TestTooManyDependencies(t *testing.T) {
	var b strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&b, "- {name: c%d, version: 1.0.0, repository: $OCI}\n", i)
	}
	r := newRig(t, webChart(b.String()))
	if _, err := r.resolve(); err == nil || !strings.Contains(err.Error(), "it has 1001 dependencies, and 1000 are allowed") {
		t.Errorf("error = %.300v", err)
	}
	if n := r.web.requests("GET", ""); n > 0 {
		t.Errorf("%d requests", n)
	}
}

func TestTooManyBytes(t *testing.T) {
	r := newRig(t, webChart(`
- {name: a, version: 1.0.0, repository: $OCI}
- {name: b, version: 1.0.0, repository: $OCI}
- {name: mid, version: 1.0.0, repository: 'file://../mid'}
`)+chartYAML("mid", "1.0.0", "{name: c, version: 1.0.0, repository: $OCI}"))
	for _, name := range []string{"a", "b", "c"} {
		r.pushArchive(name+"@1.0.0", archiveOf(t, name, "Chart.yaml", "{apiVersion: v2, name: "+name+", version: 1.0.0}", "zeros", strings.Repeat("\x00", 1<<20)))
	}
	r.opt.MaxTotal = 4 << 20
	r.mustResolve()
	r.opt.MaxTotal = 3 << 20 // of all three, their Chart.yaml is too much
	if _, err := r.resolve(); err == nil || !strings.Contains(err.Error(), "the dependencies of charts/web have more than 3145728 bytes together") {
		t.Errorf("error = %.300v", err)
	}
}
