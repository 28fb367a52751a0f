//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// TestNewcomer does what a newcomer does: clone, `make run`, `make run` again,
// `chartgate serve`, `helm pull` and `helm template`. Only what is committed counts.
func TestNewcomer(t *testing.T) {
	helm := program(t, "HELM", "helm")
	s := newSandbox(t, goEnv(t)...)
	clone := s.in(filepath.Join(s.dir, "chartgate"))
	fixture.Git(t, s.dir, "clone", "-q", "--no-hardlinks", fixture.Root(t), clone.dir)

	first := clone.must(t, 0, "make", "run")
	charts := chartsOf(t, clone.dir)
	for name := range charts {
		first.want(t, name)
	}
	first.want(t, "sha256:", "chartgate serve", "helm pull")
	registry := snapshot(t, filepath.Join(clone.dir, ".chartgate"))
	second := clone.must(t, 0, "make", "run")
	second.want(t, "nothing")
	if after := snapshot(t, filepath.Join(clone.dir, ".chartgate")); after != registry {
		t.Errorf("the second run changed the registry:\nbefore:\n%s\nafter:\n%s", registry, after)
	}
	if status := fixture.Git(t, clone.dir, "status", "--porcelain"); status != "" {
		t.Errorf("make run left something in the tree:\n%s", status)
	}

	addr := address(t, start(t, clone, filepath.Join(clone.dir, "bin", "chartgate"), "serve", "--addr", "127.0.0.1:0"))
	answers(t, addr)
	for name, dir := range charts {
		version := field(t, filepath.Join(clone.dir, dir), "version")
		r := pullAndRender(t, clone, helm, "oci://"+addr+"/"+published(t, clone.dir, name), name, version)
		if r.code != 0 || !strings.Contains(r.stdout, "kind: Deployment") {
			t.Errorf("helm template of %s: exit code %d\n%s", name, r.code, r.stderr)
		}
	}
}

// published is the prefix under which the embedded registry has a chart.
func published(t *testing.T, root, name string) string {
	t.Helper()
	repos := filepath.Join(root, ".chartgate", "registry", "repos")
	found := ""
	err := filepath.WalkDir(repos, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == name {
			found, err = filepath.Rel(repos, filepath.Dir(path))
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("%s is not in the embedded registry: %v", name, err)
	}
	return filepath.ToSlash(found)
}

// snapshot lists the manifests and tags below a folder with their sizes and times.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "_tags") && !strings.Contains(path, "_manifests") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			b.WriteString(path + " " + info.ModTime().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.Len() == 0 {
		t.Fatalf("no tags below %s", dir)
	}
	return b.String()
}

// goEnv is what the go command needs to use this machine's caches and proxy.
func goEnv(t *testing.T) []string {
	t.Helper()
	names := []string{"GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOFLAGS", "GOTOOLCHAIN", "GOCACHE", "GOMODCACHE"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	env := []string{"CGO_ENABLED=0"}
	for i, value := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		env = append(env, names[i]+"="+value)
	}
	return env
}
