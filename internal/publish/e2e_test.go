//go:build e2e

package publish_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chartgate/chartgate/internal/publish"
)

// program finds a program through a variable or the PATH, or skips the test.
func program(t *testing.T, variable, name string) string {
	t.Helper()
	path, err := exec.LookPath(cmp.Or(os.Getenv(variable), name))
	if err != nil {
		t.Skipf("no %s (set %s, or put it on the PATH): %v", name, variable, err)
	}
	return path
}

// helm runs Helm's program with a home of its own, and returns what it prints to standard output.
func helm(t *testing.T, home string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program(t, "HELM", "helm"), args...)
	cmd.Dir, cmd.Env = home, []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		t.Fatalf("helm %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), messages.String())
	}
	return out.String()
}

// distributionRig is a rig whose registry is distribution's, behind the same tap.
func distributionRig(t *testing.T) *rig {
	t.Helper()
	bin := program(t, "REGISTRY", "registry")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, dir := l.Addr().String(), t.TempDir()
	conf := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: %q, relativeurls: true}\n", dir+"/data", addr)
	if err := errors.Join(l.Close(), os.WriteFile(dir+"/config.yml", []byte(conf), 0o600)); err != nil {
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
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			return tapped(t, httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr}))
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the registry did not start: %s", logged.String())
	return nil
}

// e2eTree is a repository: a library, a chart that takes it in, and one that takes that in.
func e2eTree() fstest.MapFS {
	return fstest.MapFS{
		"charts/lib/Chart.yaml": {Data: []byte("apiVersion: v2\nname: lib\nversion: 0.3.0\ntype: library\n")},
		"charts/lib/templates/_name.tpl": {Data: []byte(
			"{{- define \"lib.name\" -}}{{ .Release.Name }}-{{ .Chart.Name }}{{- end -}}\n")},
		"charts/web/Chart.yaml":  chartFile("web", "1.2.3+build.9", local("lib", "0.x.x")),
		"charts/web/values.yaml": {Data: []byte("# The port.\nport:   8080\n")},
		"charts/web/templates/service.yaml": {Data: []byte("apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ include \"lib.name\" . }}\n" +
			"spec:\n  ports: [{port: {{ .Values.port }}}]\n")},
		"charts/web/.helmignore": {Data: []byte("*.bak\n")},
		"charts/web/old.bak":     {Data: []byte("not published\n")},
		"charts/app/Chart.yaml":  chartFile("app", "2.0.0", local("web", "^1.0.0-0")),
		"charts/app/values.yaml": {Data: []byte("web: {port: 9090}\n")},
	}
}

// treeItems resolves the charts of a tree as a job would.
func treeItems(t *testing.T, tree fstest.MapFS) []publish.Item {
	t.Helper()
	resolved := resolveTree(t, tree, nil, "charts/lib", "charts/web", "charts/app")
	var items []publish.Item
	for _, res := range resolved {
		items = append(items, publish.ItemOf(res, ""))
	}
	return items
}

// packaged lays the tree out on disk and packages the charts with Helm, dependencies first; the archives are in the folder returned.
func packaged(t *testing.T, home string, tree fstest.MapFS) string {
	t.Helper()
	if err := os.CopyFS(home, tree); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(home, "out")
	for _, name := range []string{"lib", "web", "app"} {
		helm(t, home, "dependency", "update", "charts/"+name)
		// The lock is for Helm's own work here: a chart with nothing but file:// dependencies has none in the tree.
		if err := os.RemoveAll(filepath.Join(home, "charts", name, "Chart.lock")); err != nil {
			t.Fatal(err)
		}
		helm(t, home, "package", "charts/"+name, "-d", out)
	}
	return out
}

func eachRegistry(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Run("distribution", func(t *testing.T) { f(t, distributionRig(t)) })
	t.Run("embedded", func(t *testing.T) { f(t, newRig(t)) })
}

// TestAfterHelmPush: what `helm push` has published from the same files is left alone; a change is named.
func TestAfterHelmPush(t *testing.T) {
	program(t, "HELM", "helm")
	eachRegistry(t, func(t *testing.T, r *rig) {
		home := t.TempDir()
		out := packaged(t, home, e2eTree())
		for _, tgz := range []string{"lib-0.3.0.tgz", "web-1.2.3+build.9.tgz", "app-2.0.0.tgz"} {
			helm(t, home, "push", filepath.Join(out, tgz), r.target.Ref.String(), "--plain-http")
		}
		steps := r.publish(treeItems(t, e2eTree())...)
		want(t, steps, "app skip", "lib skip", "web skip")
		for _, s := range steps {
			contains(t, s.Reason, "same files")
		}
		changed := e2eTree()
		changed["charts/web/values.yaml"] = &fstest.MapFile{Data: []byte("port: 8081\n")}
		steps = r.publish(treeItems(t, changed)...)
		want(t, steps, "app refuse", "lib skip", "web refuse")
		if got := fmt.Sprint(steps[0].Changes, steps[2].Changes); got != "[modified charts/web/values.yaml] [modified values.yaml]" {
			t.Errorf("changes %s", got)
		}
	})
}

// TestHelmPullsWhatWePublish: Helm finds, verifies, unpacks and renders it, and renders the same as from its own package.
func TestHelmPullsWhatWePublish(t *testing.T) {
	program(t, "HELM", "helm")
	eachRegistry(t, func(t *testing.T, r *rig) {
		steps := r.publish(treeItems(t, e2eTree())...)
		want(t, steps, "app push", "lib push", "web push")
		home := t.TempDir()
		out := packaged(t, home, e2eTree())
		prefix := r.target.Ref.String()
		for name, version := range map[string]string{"app": "2.0.0", "web": "1.2.3+build.9"} {
			tgz := fmt.Sprintf("%s-%s.tgz", name, version)
			helm(t, home, "pull", prefix+"/"+name, "--version", version, "--plain-http")
			helms := helm(t, home, "template", "rel", filepath.Join(out, tgz))
			if !strings.Contains(helms, "name: rel-web") {
				t.Fatalf("Helm renders %s as\n%s", name, helms)
			}
			if ours := helm(t, home, "template", "rel", tgz); ours != helms {
				t.Errorf("%s pulled renders as\n%s\nwant\n%s", name, ours, helms)
			}
			if direct := helm(t, home, "template", "rel", prefix+"/"+name, "--version", version, "--plain-http"); direct != helms {
				t.Errorf("%s from the registry renders as\n%s\nwant\n%s", name, direct, helms)
			}
			helm(t, home, "lint", tgz)
		}
		helm(t, home, "pull", steps[2].Reference.String(), "--plain-http", "--untar", "-d", "byDigest")
		got, err := os.ReadFile(filepath.Join(home, "byDigest", "web", "values.yaml"))
		if err != nil || string(got) != "# The port.\nport:   8080\n" {
			t.Errorf("pulled by digest: %q, %v", got, err)
		}
		if got := helm(t, home, "show", "chart", prefix+"/lib", "--version", "0.3.0", "--plain-http"); !strings.Contains(got, "type: library") {
			t.Errorf("helm shows %s", got)
		}
		want(t, r.publish(treeItems(t, e2eTree())...), "app skip", "lib skip", "web skip")
	})
}

// TestBrokenPushOnDistribution: what the tests with the embedded registry show holds for the reference one.
func TestBrokenPushOnDistribution(t *testing.T) {
	r := distributionRig(t)
	items := treeItems(t, e2eTree())
	r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
		if name, ok := isManifestPut(req); isUpload(req, "web") || ok && name == "web" {
			_, _ = req.Body.Read(make([]byte, 10))
			panic(http.ErrAbortHandler)
		}
		on.ServeHTTP(w, req)
	})
	want(t, r.publish(items...), "app hold", "lib push", "web fail")
	if r.visible("web", "1.2.3+build.9") || r.visible("app", "2.0.0") {
		t.Error("half a push is visible")
	}
	r.tap.Store(nil)
	want(t, r.publish(items...), "app push", "lib skip", "web push")
}

func TestTwoJobsOnDistribution(t *testing.T) {
	r := distributionRig(t)
	for i := range 5 {
		version := fmt.Sprintf("1.0.%d", i)
		same := together(r, item("same", version), item("same", version))
		if same[0].Reference != same[1].Reference || publish.Steps(same[:]).Count(publish.Push, publish.Skip) != 2 {
			t.Errorf("same content:%s", describe(same[:]))
		}
		other := publish.Steps{}
		for _, s := range together(r, item("other", version, "who", "a"), item("other", version, "who", "b")) {
			other = append(other, s)
		}
		if other.Count(publish.Push) != 1 || other.Count(publish.Refuse) != 1 || other[0].Reference != other[1].Reference {
			t.Errorf("other content:%s", describe(other))
		}
	}
}
