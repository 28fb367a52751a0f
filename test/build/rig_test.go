//go:build e2e

package build

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/test/fixture"
	"golang.org/x/crypto/bcrypt"
)

const (
	account  = "builder"
	password = "not-a-secret"
)

func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here: %v", name, err)
	}
	return path
}

// repo is a Git repository with images, and the environment that chartgate runs in.
type repo struct {
	t   testing.TB
	dir string
	tmp string // the TMPDIR of the runs, which is empty after each
	env []string
}

// newRepo commits files; "busybox" stands for the program of that name.
func newRepo(t testing.TB, files map[string]string, env ...string) *repo {
	t.Helper()
	for _, name := range []string{"chartgate", "buildkitd", "rootlesskit", "newuidmap", "git"} {
		program(t, name)
	}
	tmp, err := os.MkdirTemp("", "t") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	r := &repo{t: t, dir: t.TempDir(), tmp: tmp}
	r.env = append(fixture.Env(t), append([]string{"TMPDIR=" + r.tmp, "XDG_RUNTIME_DIR=" + r.tmp}, env...)...)
	for name, text := range files {
		if text == "busybox" {
			data, err := os.ReadFile("/bin/busybox")
			if err != nil {
				t.Skip("a static busybox is wanted: ", err)
			}
			text = string(data)
		}
		fixture.Write(t, filepath.Join(r.dir, name), text)
		if strings.HasSuffix(name, "busybox") {
			if err := os.Chmod(filepath.Join(r.dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.commit()
	return r
}

func (r *repo) commit() {
	r.t.Helper()
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "--date=2024-05-06T07:08:09Z", "-m", "images"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = r.dir
		cmd.Env = append(r.env, "GIT_COMMITTER_DATE=2024-05-06T07:08:09Z", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			r.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

type result struct {
	code   int
	output string // standard output
	errors string // standard error
}

// command is chartgate in the repository.
func (r *repo) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program(r.t, "chartgate"), args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// run runs chartgate, which has to end with the code and to leave nothing behind.
func (r *repo) run(code int, args ...string) result {
	r.t.Helper()
	cmd := r.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	res := result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	if res.code != code {
		r.t.Fatalf("chartgate %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), res.code, code, res.output, res.errors)
	}
	r.nothingLeft()
	return res
}

// nothingLeft fails where a folder or a process of a run is still there, a moment later.
func (r *repo) nothingLeft() {
	r.t.Helper()
	var left []string
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		left = append(entries(r.tmp), processes(r.tmp)...)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("left behind: %s", strings.Join(left, "\n"))
		}
	}
}

func entries(dir string) []string {
	var out []string
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		out = append(out, filepath.Join(dir, e.Name()))
	}
	return out
}

// processes lists those that name the folder in their arguments or environment.
func processes(dir string) []string {
	var out []string
	list, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range list {
		if strings.Contains(name, fmt.Sprintf("/%d/", os.Getpid())) {
			continue
		}
		args, _ := os.ReadFile(name)
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "environ"))
		if bytes.Contains(args, []byte(dir)) || bytes.Contains(env, []byte(dir)) {
			out = append(out, name+": "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return out
}

func (res result) want(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(res.output+res.errors, text) {
			t.Errorf("the output lacks %q:\n%s%s", text, res.output, res.errors)
		}
	}
}

// registry starts the distribution registry on loopback, with one account.
func registry(t testing.TB) string {
	t.Helper()
	bin, dir := program(t, "registry"), t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, filepath.Join(dir, "htpasswd"), account+":"+string(hash)+"\n")
	fixture.Write(t, filepath.Join(dir, "config.yml"), fmt.Sprintf(
		"version: 0.1\nlog: {level: error}\nhttp: {addr: %q}\nauth: {htpasswd: {realm: test, path: %q}}\nstorage: {filesystem: {rootdirectory: %q}}\n",
		addr, filepath.Join(dir, "htpasswd"), filepath.Join(dir, "data")))
	cmd := exec.Command(bin, "serve", filepath.Join(dir, "config.yml"))
	cmd.Env = []string{"OTEL_TRACES_EXPORTER=none"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 300 {
		if resp, err := http.Get("http://" + addr + "/v2/"); err == nil {
			resp.Body.Close()
			return addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the registry does not answer")
	return ""
}

// login is the variable that holds a registry's account.
func login(addr, password string) string {
	auth := base64.StdEncoding.EncodeToString([]byte(account + ":" + password))
	return fmt.Sprintf(`DOCKER_AUTH_CONFIG={"auths":{%q:{"auth":%q}}}`, addr, auth)
}

// manifest fetches a manifest or index; "" and no digest where there is none.
func manifest(t testing.TB, addr, path, ref string) (digest string, content map[string]any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/v2/"+path+"/manifests/"+ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(account, password)
	for _, kind := range []string{"manifest.v1", "index.v1"} {
		req.Header.Add("Accept", "application/vnd.oci.image."+kind+"+json")
	}
	req.Header.Add("Accept", "application/vnd.docker.distribution.manifest.v2+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusNotFound {
		return "", nil
	}
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(data, &content) != nil {
		t.Fatalf("%s: %v %s", req.URL, err, data)
	}
	return resp.Header.Get("Docker-Content-Digest"), content
}
