//go:build e2e

package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/registry/server"
)

// program finds a program through a variable or PATH, or skips the test.
func program(t *testing.T, variable, name string) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s: set %s to its path, or put it on PATH", name, variable)
	}
	return path
}

// helm runs the CLI with a home of its own.
type helm struct {
	t         *testing.T
	bin, home string
}

func newHelm(t *testing.T) *helm {
	t.Helper()
	return &helm{t, program(t, "HELM", "helm"), t.TempDir()}
}

func (h *helm) run(dir string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command(h.bin, args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + h.home, "PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// chart writes a small chart and packages it.
func (h *helm) chart(name, version, more string) (archive string) {
	h.t.Helper()
	dir := filepath.Join(h.t.TempDir(), name)
	files := map[string]string{
		"Chart.yaml":         "apiVersion: v2\nname: " + name + "\nversion: " + version + "\ndescription: a chart\n" + more,
		"values.yaml":        "key: value\n",
		"templates/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {key: {{ .Values.key }}}\n",
	}
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			h.t.Fatal(err)
		}
	}
	if more != "" {
		h.run(dir, "dependency", "update", ".", "--plain-http")
	}
	out := h.t.TempDir()
	h.run(out, "package", dir)
	return filepath.Join(out, name+"-"+version+".tgz")
}

func embedded(t *testing.T) string {
	t.Helper()
	s, err := server.New(t.TempDir(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.Start(context.Background(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(run.Close(context.Background()), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return run.Addr
}

// distribution starts the reference registry; users may be "".
func distribution(t *testing.T, user, password string) string {
	t.Helper()
	bin := program(t, "REGISTRY", "registry")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	conf := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %q}, delete: {enabled: true}}\nhttp: {addr: %q}\n", dir+"/data", addr)
	if user != "" {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		conf += fmt.Sprintf("auth: {htpasswd: {realm: charts, path: %q}}\n", dir+"/users")
		if err := os.WriteFile(dir+"/users", []byte(user+":"+string(hash)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/config.yml", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "serve", dir+"/config.yml")
	cmd.Env = []string{"OTEL_TRACES_EXPORTER=none"}
	var logged bytes.Buffer
	cmd.Stderr = &logged
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 200 {
		if resp, err := http.Get("http://" + addr + "/v2/"); err == nil {
			resp.Body.Close()
			return addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the registry did not start: %s", logged.String())
	return ""
}

func client(t *testing.T, pairs ...string) *registry.Client {
	t.Helper()
	c, err := registry.New(registry.Options{PlainHTTP: true, Env: func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parse(t *testing.T, format string, args ...any) registry.Reference {
	t.Helper()
	ref, err := registry.ParseReference(fmt.Sprintf(format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The helm CLI works with our registry, and our client with what helm pushed.
func TestHelmWithEmbedded(t *testing.T) {
	h, addr := newHelm(t), embedded(t)
	archive := h.chart("app", "1.2.3+build.7", "")
	h.run("", "push", archive, "oci://"+addr+"/charts", "--plain-http")

	got, err := client(t).PullChart(context.Background(), parse(t, "oci://%s/charts/app:1.2.3+build.7", addr))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Archive, read(t, archive)) {
		t.Error("our client pulled another archive than helm pushed")
	}
	var meta struct{ Name, Version string }
	if err := json.Unmarshal(got.Config, &meta); err != nil || meta.Name != "app" || meta.Version != "1.2.3+build.7" {
		t.Errorf("config %s: %v", got.Config, err)
	}

	out := t.TempDir()
	h.run(out, "pull", "oci://"+addr+"/charts/app", "--version", "1.2.3+build.7", "--plain-http")
	if pulled, _ := filepath.Glob(out + "/*.tgz"); len(pulled) != 1 || !bytes.Equal(read(t, pulled[0]), read(t, archive)) {
		t.Errorf("helm pulled %v", pulled)
	}
	if shown := h.run("", "show", "chart", "oci://"+addr+"/charts/app", "--version", "1.2.3+build.7", "--plain-http"); !strings.Contains(shown, "name: app") {
		t.Errorf("helm show: %s", shown)
	}
	if rendered := h.run("", "template", "oci://"+addr+"/charts/app", "--plain-http"); !strings.Contains(rendered, "key: value") {
		t.Errorf("helm template: %s", rendered)
	}
}

// A chart depends on one in our registry, by range: helm lists the tags.
func TestHelmDependencyUpdate(t *testing.T) {
	h, addr := newHelm(t), embedded(t)
	for _, version := range []string{"1.0.0", "1.4.0", "2.0.0"} {
		h.run("", "push", h.chart("base", version, ""), "oci://"+addr+"/charts", "--plain-http")
	}
	parent := h.chart("parent", "0.1.0", fmt.Sprintf("dependencies:\n- {name: base, version: 1.x.x, repository: \"oci://%s/charts\"}\n", addr))
	if list := h.run("", "show", "all", parent); !strings.Contains(list, "base") {
		t.Errorf("helm show: %s", list)
	}
	out := t.TempDir()
	cmd := exec.Command("tar", "-xzf", parent, "-C", out)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if lock := string(read(t, out+"/parent/Chart.lock")); !strings.Contains(lock, "version: 1.4.0") {
		t.Errorf("Chart.lock: %s", lock)
	}
}

// What our client pushes, helm pulls, from our registry and from the reference one.
func TestOurPushHelmPulls(t *testing.T) {
	h := newHelm(t)
	archive := h.chart("app", "1.0.0", "")
	for name, addr := range map[string]string{"embedded": embedded(t), "distribution": distribution(t, "", "")} {
		t.Run(name, func(t *testing.T) {
			c, ctx, ref := client(t), context.Background(), parse(t, "oci://%s/group/charts/app:1.0.0", addr)
			if _, err := c.Resolve(ctx, ref); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("before the push: %v", err)
			}
			if _, err := c.Tags(ctx, ref); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("tags before the push: %v", err)
			}
			desc, err := c.PushChart(ctx, ref, registry.ChartPush{Config: []byte(`{"name":"app","version":"1.0.0","apiVersion":"v2"}`), Archive: read(t, archive)})
			if err != nil {
				t.Fatal(err)
			}
			if found, err := c.Resolve(ctx, ref); err != nil || found.Digest != desc.Digest {
				t.Errorf("resolved %v, %v", found, err)
			}
			if tags, err := c.Tags(ctx, ref); err != nil || len(tags) != 1 || tags[0] != "1.0.0" {
				t.Errorf("tags %v, %v", tags, err)
			}
			h, out := &helm{t, h.bin, h.home}, t.TempDir()
			said := h.run(out, "pull", "oci://"+addr+"/group/charts/app", "--version", "1.0.0", "--plain-http")
			if !strings.Contains(said, desc.Digest.String()) || !bytes.Equal(read(t, out+"/app-1.0.0.tgz"), read(t, archive)) {
				t.Errorf("helm pulled something else: %s", said)
			}
		})
	}
}

// Credentials that `helm registry login` keeps are found.
func TestHelmLogin(t *testing.T) {
	h, addr := newHelm(t), distribution(t, "bob", "hunter2")
	archive, ctx := h.chart("app", "1.0.0", ""), context.Background()
	ref := parse(t, "oci://%s/charts/app:1.0.0", addr)
	push := registry.ChartPush{Config: []byte(`{"name":"app","version":"1.0.0"}`), Archive: read(t, archive)}
	_, err := client(t).PushChart(ctx, ref, push)
	if !errors.Is(err, registry.ErrDenied) || !strings.Contains(registry.HintOf(err), "DOCKER_AUTH_CONFIG (not set)") {
		t.Errorf("without credentials: %v, hint %q", err, registry.HintOf(err))
	}
	h.run("", "registry", "login", addr, "-u", "bob", "-p", "hunter2", "--plain-http")
	if _, err := client(t, "HOME", h.home).PushChart(ctx, ref, push); err != nil {
		t.Error(err)
	}
	if _, err := client(t, "CI_REGISTRY", addr, "CI_REGISTRY_USER", "bob", "CI_REGISTRY_PASSWORD", "hunter2").PullChart(ctx, ref); err != nil {
		t.Error(err)
	}
}
