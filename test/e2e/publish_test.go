//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
	"github.com/google/go-cmp/cmp"
)

// TestPublish publishes every chart that passes to the distribution registry,
// and wants helm to pull each and to render it as it renders the sources.
func TestPublish(t *testing.T) {
	helm, addr := program(t, "HELM", "helm"), startDistribution(t)
	s := newSandbox(t)
	charts := okRepository(t, s.dir)
	target := "oci://" + addr + "/team/charts"
	s.must(t, 0, binary(t), "publish", "--to", target, "--plain-http")
	digests := map[string]string{}
	for name, dir := range charts {
		version := field(t, filepath.Join(s.dir, dir), "version")
		digests[name] = tagDigest(t, addr, "team/charts/"+name, version)
		sameRender(t, s, helm, target, name, filepath.Join(s.dir, dir))
	}
	second := s.must(t, 0, binary(t), "publish", "--to", target, "--plain-http")
	second.want(t, "nothing")
	for name, dir := range charts {
		if got := tagDigest(t, addr, "team/charts/"+name, field(t, filepath.Join(s.dir, dir), "version")); got != digests[name] {
			t.Errorf("%s: the second run changed %s to %s", name, digests[name], got)
		}
	}
}

// TestReproducible publishes two clones made at different times, in different
// folders, to two registries: the manifests must be the same.
func TestReproducible(t *testing.T) {
	var digests [2]map[string]string
	for i := range digests {
		addr, s := startDistribution(t), newSandbox(t)
		digests[i] = map[string]string{}
		charts := okRepository(t, s.dir)
		s.must(t, 0, binary(t), "publish", "--to", "oci://"+addr+"/c", "--plain-http", "--jobs", []string{"1", "8"}[i])
		for name, dir := range charts {
			digests[i][name] = tagDigest(t, addr, "c/"+name, field(t, filepath.Join(s.dir, dir), "version"))
		}
	}
	if diff := cmp.Diff(digests[0], digests[1]); diff != "" {
		t.Errorf("the same charts gave other manifests:\n%s", diff)
	}
}

// TestHelmPushedFirst wants what helm published from the same files to be left
// alone, whatever times it stamped, and other files to be refused by name.
func TestHelmPushedFirst(t *testing.T) {
	helm, addr := program(t, "HELM", "helm"), startDistribution(t)
	s := newSandbox(t)
	dir := filepath.Join(s.dir, okRepository(t, s.dir)["greeter"])
	version := field(t, dir, "version")
	out := t.TempDir()
	s.must(t, 0, helm, "package", dir, "-d", out)
	s.must(t, 0, helm, "push", filepath.Join(out, "greeter-"+version+".tgz"), "oci://"+addr+"/c", "--plain-http")
	before := tagDigest(t, addr, "c/greeter", version)

	s.must(t, 0, binary(t), "publish", "charts/greeter", "--to", "oci://"+addr+"/c", "--plain-http").want(t, "nothing")
	if after := tagDigest(t, addr, "c/greeter", version); after != before {
		t.Errorf("the tag was moved from %s to %s", before, after)
	}

	fixture.Write(t, filepath.Join(dir, "templates", "extra.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n")
	values, err := os.ReadFile(filepath.Join(dir, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, filepath.Join(dir, "values.yaml"), strings.Replace(string(values), "hello", "goodbye", 1))
	fixture.Commit(t, s.dir, "fix: another page under an old version")
	refused := s.must(t, 1, binary(t), "publish", "charts/greeter", "--no-validate", "--to", "oci://"+addr+"/c", "--plain-http")
	refused.want(t, "values.yaml", "templates/extra.yaml")
	if strings.Contains(refused.all(), "deployment.yaml") {
		t.Errorf("a file that is the same was named:\n%s", refused.all())
	}
	if after := tagDigest(t, addr, "c/greeter", version); after != before {
		t.Errorf("the tag was moved from %s to %s", before, after)
	}
}

// TestOurCharts publishes the platform's own charts. Through stand-ins only the
// embedded registry takes them; with their dependencies in a registry, each is published.
func TestOurCharts(t *testing.T) {
	helm, addr := program(t, "HELM", "helm"), startDistribution(t)
	s := newSandbox(t)
	charts := ourRepository(t, s.dir)
	target := "oci://" + addr + "/team/charts"
	refused := s.must(t, 1, binary(t), "publish", "--to", target, "--plain-http",
		"--mirror", upstream+"="+fixture.Path(t, "testdata", "upstream", "bitnamicharts"))
	refused.want(t, "stand-in")

	standIns, out := fixture.Path(t, "testdata", "upstream", "bitnamicharts"), t.TempDir()
	for _, name := range subfolders(t, standIns) {
		s.must(t, 0, helm, "package", filepath.Join(standIns, name), "-d", out)
	}
	packed, err := filepath.Glob(filepath.Join(out, "*.tgz"))
	if err != nil || len(packed) == 0 {
		t.Fatalf("nothing packed: %v", err)
	}
	for _, archive := range packed {
		s.must(t, 0, helm, "push", archive, "oci://"+addr+"/bitnamicharts", "--plain-http")
	}
	s.must(t, 0, binary(t), "publish", "--to", target, "--plain-http", "--mirror", upstream+"=oci://"+addr+"/bitnamicharts")
	for name, dir := range charts {
		pullAndRender(t, s, helm, target, name, field(t, filepath.Join(s.dir, dir), "version"))
	}
}

// TestFaultyAreHeldBack publishes a repository with a faulty chart, one that
// needs it and one that is well: only the last goes out, unless all must.
func TestFaultyAreHeldBack(t *testing.T) {
	addr, s := startDistribution(t), newSandbox(t)
	okRepository(t, s.dir)
	fixture.Write(t, filepath.Join(s.dir, "charts", "shapes", "Chart.yaml"), "apiVersion: v2\nname: shapes\ntype: library\nversion: 1.0.3\nappVersion: 1\n")
	fixture.Commit(t, s.dir, "fix: a fault")
	target := "oci://" + addr + "/c"
	s.must(t, 1, binary(t), "publish", "charts/shapes", "charts/shop", "charts/greeter", "--to", target, "--plain-http", "--all-or-nothing")
	absent(t, addr, "c/greeter", "1.4.2")
	held := s.must(t, 1, binary(t), "publish", "charts/shapes", "charts/shop", "charts/greeter", "--to", target, "--plain-http")
	held.want(t, "shapes", "shop")
	tagDigest(t, addr, "c/greeter", "1.4.2")
	absent(t, addr, "c/shapes", "1.0.3")
	absent(t, addr, "c/shop", "2.0.0")
}

// sameRender pulls a published chart and compares what helm makes of it with
// what helm makes of its sources.
func sameRender(t *testing.T, s sandbox, helm, target, name, source string) {
	t.Helper()
	got := pullAndRender(t, s, helm, target, name, field(t, source, "version"))
	if isLibrary(t, source) {
		return
	}
	// A copy with its neighbours: helm writes into charts/, and file:// leads to them.
	root := t.TempDir()
	fixture.Copy(t, filepath.Join(s.dir, "charts"), filepath.Join(root, "charts"))
	rel, err := filepath.Rel(s.dir, source)
	if err != nil {
		t.Fatal(err)
	}
	s.must(t, 0, helm, "dependency", "update", filepath.Join(root, rel))
	want := s.run(t, helm, "template", "release", filepath.Join(root, rel))
	if got.code != want.code {
		t.Fatalf("%s: helm template of the published chart: exit code %d, of its sources: %d\n%s%s", name, got.code, want.code, got.stderr, want.stderr)
	}
	if diff := cmp.Diff(want.stdout, got.stdout); diff != "" {
		t.Errorf("%s: the published chart renders otherwise than its sources:\n%s", name, diff)
	}
}

// pullAndRender pulls a chart with helm and renders what came. A library is pulled only.
func pullAndRender(t *testing.T, s sandbox, helm, target, name, version string) result {
	t.Helper()
	dir := t.TempDir()
	s.must(t, 0, helm, "pull", target+"/"+name, "--version", version, "--plain-http", "-d", dir)
	archive := filepath.Join(dir, name+"-"+version+".tgz")
	shown := s.must(t, 0, helm, "show", "chart", archive)
	if strings.Contains(shown.stdout, "type: library") {
		return shown
	}
	return s.run(t, helm, "template", "release", archive)
}

// tagDigest asks a registry what a tag stands for.
func tagDigest(t *testing.T, addr, repo, tag string) string {
	t.Helper()
	resp := head(t, addr, repo, tag)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s:%s: %s", repo, tag, resp.Status)
	}
	return resp.Header.Get("Docker-Content-Digest")
}

// absent fails the test if a tag is there.
func absent(t *testing.T, addr, repo, tag string) {
	t.Helper()
	if resp := head(t, addr, repo, tag); resp.StatusCode != http.StatusNotFound {
		t.Errorf("%s:%s: %s, want none", repo, tag, resp.Status)
	}
}

func head(t *testing.T, addr, repo, tag string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, "http://"+addr+"/v2/"+repo+"/manifests/"+strings.ReplaceAll(tag, "+", "_"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}
