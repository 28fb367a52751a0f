//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// TestRenderFetched renders charts that are not on this machine: from a registry, and
// from a chart repository, by its URL and by the name that helm knows it under.
func TestRenderFetched(t *testing.T) {
	helm, own := program(t, "HELM", "helm"), binary(t)
	addr, s := startDistribution(t), newSandbox(t)
	for _, version := range []string{"1.0.0", "1.2.0", "2.0.0-rc.1"} {
		fixture.Write(t, filepath.Join(s.dir, "web", "Chart.yaml"), "apiVersion: v2\nname: web\nversion: "+version+"\n")
		fixture.Write(t, filepath.Join(s.dir, "web", "templates", "a.yaml"), "chart: {{ .Chart.Version }}\nvalues: {{ toJson .Values }}\n")
		s.must(t, 0, helm, "package", "web", "-d", "served")
		s.must(t, 0, helm, "push", filepath.Join("served", "web-"+version+".tgz"), "oci://"+addr+"/charts", "--plain-http")
	}
	served := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(s.dir, "served"))))
	t.Cleanup(served.Close)
	s.must(t, 0, helm, "repo", "index", "served")
	s.must(t, 0, helm, "repo", "add", "mine", served.URL)

	oci := "oci://" + addr + "/charts/web"
	var n renders
	for _, line := range []string{
		oci, oci + " --version 1.0.0", oci + ":1.0.0", oci + " --version ^1", oci + " --devel", oci + " --version 9.9.9", oci + "/none", "oci://" + addr + "/charts/none --version 1.0.0",
		"web --repo " + served.URL, "web --repo " + served.URL + " --version 1.0.0 --set a=1", "web --repo " + served.URL + " --devel", "none --repo " + served.URL,
		"mine/web", "mine/web --version 2.0.0-rc.1", "mine/none", "yours/web",
	} {
		t.Run(strings.NewReplacer(addr, "REGISTRY", served.URL, "REPOSITORY").Replace(line), func(t *testing.T) {
			args := append([]string{"rel"}, strings.Fields(line)...)
			if strings.HasPrefix(line, "oci") {
				args = append(args, "--plain-http")
			}
			theirs, ours := s.run(t, helm, append([]string{"template"}, args...)...), s.run(t, own, append([]string{"render"}, args...)...)
			if ours.code != theirs.code || ours.stdout != theirs.stdout {
				t.Errorf("exit code %d, helm's %d\n%s\nhelm: %s", ours.code, theirs.code, ours.all(), theirs.all())
			}
			if theirs.code == 0 {
				n.same.Add(1)
			}
		})
	}
	if n.same.Load() < 9 {
		t.Errorf("helm rendered %d of them", n.same.Load())
	}
}

// TestRenderResolves renders a chart whose dependencies nobody fetched, and leaves its folder alone.
func TestRenderResolves(t *testing.T) {
	helm, own := program(t, "HELM", "helm"), binary(t)
	addr, s := startDistribution(t), newSandbox(t)
	fixture.Write(t, filepath.Join(s.dir, "part", "Chart.yaml"), "apiVersion: v2\nname: part\nversion: 1.1.0\n")
	fixture.Write(t, filepath.Join(s.dir, "part", "templates", "a.yaml"), "part: {{ .Chart.Version }}\nname: {{ .Chart.Name }}\n")
	s.must(t, 0, helm, "package", "part")
	s.must(t, 0, helm, "push", "part-1.1.0.tgz", "oci://"+addr+"/charts", "--plain-http")
	fixture.Write(t, filepath.Join(s.dir, "whole", "Chart.yaml"), "apiVersion: v2\nname: whole\nversion: 1.0.0\ndependencies:\n"+
		"- {name: part, version: 1.x.x, repository: 'oci://"+addr+"/charts'}\n- {name: part, version: 1.x.x, alias: again, repository: 'oci://"+addr+"/charts'}\n")
	fixture.Write(t, filepath.Join(s.dir, "whole", "templates", "a.yaml"), "a: 1\n")

	before := tree(t, filepath.Join(s.dir, "whole"))
	first := s.must(t, 0, own, "render", "rel", "whole", "--plain-http")
	if after := tree(t, filepath.Join(s.dir, "whole")); len(after) != len(before) {
		t.Errorf("the chart's folder has %d entries, and had %d", len(after), len(before))
	}
	s.must(t, 1, helm, "template", "rel", "whole")
	s.must(t, 0, helm, "dependency", "update", "whole", "--plain-http")
	if helms := s.must(t, 0, helm, "template", "rel", "whole"); helms.stdout != first.stdout || !strings.Contains(first.stdout, "name: again") {
		t.Errorf("%s\nhelm: %s", first.stdout, helms.stdout)
	}
	broken := s.must(t, 1, own, "render", "rel", "whole", "--set", "a[")
	broken.want(t, "Error: failed parsing --set data")
}
