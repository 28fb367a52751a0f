//go:build e2e

package buildkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/chartgate/chartgate/internal/buildkit/driver/local"
)

// TestMain lets this binary look after the daemon that a test has started.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "supervise" {
		if err := local.Supervise(context.Background(), os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if shared.driver != nil {
		shared.driver.Close(context.Background())
	}
	os.RemoveAll(shared.dir)
	os.Exit(code)
}

// shared is the daemon of all tests: each has a key of its own.
var shared struct {
	once   sync.Once
	dir    string
	driver *local.Driver
	err    error
}

// daemon is a rootless daemon of an ordinary user's, whoever runs the tests.
func daemon(t *testing.T) driver.Driver {
	t.Helper()
	for _, name := range []string{"buildkitd", "rootlesskit", "newuidmap"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
	shared.once.Do(func() { shared.driver, shared.err = startDaemon() })
	if shared.err != nil {
		t.Fatal(shared.err, driver.HintOf(shared.err))
	}
	return shared.driver
}

// startDaemon copies the programs to where the daemon's user can reach them.
func startDaemon() (*local.Driver, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if shared.dir, err = os.MkdirTemp("", "bkroom-"); err != nil {
		return nil, err
	}
	if err := os.Chmod(shared.dir, 0o755); err != nil {
		return nil, err
	}
	for name, from := range map[string]string{"self": self, "buildkitd": "buildkitd", "rootlesskit": "rootlesskit"} {
		path, err := exec.LookPath(from)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(shared.dir, name), data, 0o755); err != nil {
			return nil, err
		}
	}
	env := func(name string) string {
		if name == "PATH" {
			return shared.dir + ":" + os.Getenv("PATH")
		}
		return os.Getenv(name)
	}
	d, err := local.New(nil, driver.Host{Env: env, Self: []string{filepath.Join(shared.dir, "self"), "supervise"}, Log: func(string) {}})
	if err != nil {
		return nil, err
	}
	return d, d.Start(context.Background())
}

// tree writes files, busybox among them, and returns their folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if text == "busybox" {
			data, err := os.ReadFile("/bin/busybox")
			if err != nil {
				t.Skip("a static busybox is wanted: ", err)
			}
			if err := os.WriteFile(name, data, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func image(name, dir string) *Image {
	return &Image{Name: name, Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
}

func run(t *testing.T, r *Run, images ...*Image) []Result {
	t.Helper()
	var out bytes.Buffer
	p, err := NewProgress(&out, "plain", len(images) > 1)
	if err != nil {
		t.Fatal(err)
	}
	r.Progress = p
	results, err := r.Build(context.Background(), images)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	t.Log(out.String())
	return results
}

const busyboxImage = "FROM scratch\nCOPY busybox /bin/busybox\n"

func TestBuildTwice(t *testing.T) {
	when := time.Unix(1700000000, 0)
	dir := tree(t, map[string]string{"busybox": "busybox", "Dockerfile": busyboxImage + "RUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo $(/bin/busybox date) > /made\"]\nENTRYPOINT [\"/bin/busybox\"]\n"})
	r := &Run{Driver: daemon(t), Key: "group/project", Epoch: &when}
	first := run(t, r, image("a", dir))[0]
	if first.State != Built || first.Steps != 2 || first.Size == 0 || !strings.HasPrefix(first.Digest, "sha256:") {
		t.Fatalf("%+v", first)
	}
	second := run(t, r, image("a", dir))[0]
	if second.Cached != 2 || second.Digest != first.Digest {
		t.Errorf("%+v", second)
	}
}

func TestNeeds(t *testing.T) {
	base := tree(t, map[string]string{"busybox": "busybox", "Dockerfile": busyboxImage})
	top := tree(t, map[string]string{"Dockerfile": "FROM base\nRUN [\"/bin/busybox\", \"touch\", \"/x\"]\n"})
	other := tree(t, map[string]string{"Dockerfile": "FROM registry.example.com/team/base:1\nCOPY --from=base /bin/busybox /copy\n"})
	b, a, c := image("base", base), image("top", top), image("other", other)
	b.Tags = []string{"registry.example.com/team/base:1"}
	a.Needs, c.Needs = []string{"base"}, []string{"base"}
	for _, res := range run(t, &Run{Driver: daemon(t), Key: "group/needs"}, b, a, c) {
		if res.State != Built {
			t.Errorf("%s: %s %v", res.Image.Name, res.State, res.Err)
		}
	}
}

func failure(t *testing.T, r Result) *Error {
	t.Helper()
	var e *Error
	if r.State != Failed || !errors.As(r.Err, &e) {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	t.Logf("%v\nhint: %s", e, e.Hint)
	return e
}

func TestFaults(t *testing.T) {
	d := daemon(t)
	for name, c := range map[string]struct {
		dockerfile string
		ours       bool
		message    []string
		hint       string
	}{
		"syntax":      {"FROM scratch\nCOPI a b\n", false, []string{"unknown instruction: COPI", "Dockerfile:2", ">>> COPI a b"}, ""},
		"run":         {busyboxImage + "RUN [\"/bin/busybox\", \"false\"]\n", false, []string{"exit code: 1", ">>> RUN"}, ""},
		"copy":        {"FROM scratch\nCOPY nothing /x\n", false, []string{`"/nothing": not found`, ">>> COPY"}, ""},
		"secret":      {busyboxImage + "RUN --mount=type=secret,id=token,required=true [\"/bin/busybox\", \"true\"]\n", false, []string{"secret token: not found"}, "--secret id=token,src=FILE"},
		"full disk":   {busyboxImage + "COPY says /says\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"/bin/busybox cat /says; exit 1\"]\n", true, []string{"exit code: 1", "no space left on device"}, "disk is full"},
		"base":        {"FROM 127.0.0.1:9/no/base:1\n", true, []string{"127.0.0.1:9/no/base:1"}, "cannot fetch the base image 127.0.0.1:9/no/base:1"},
		"entitlement": {"# syntax\n" + busyboxImage + "RUN --security=insecure [\"/bin/busybox\", \"true\"]\n", false, []string{"security.insecure is not allowed"}, "--allow"},
	} {
		t.Run(name, func(t *testing.T) {
			i := image("web", tree(t, map[string]string{"busybox": "busybox", "says": "dd: No space left on device\n", "Dockerfile": c.dockerfile}))
			e := failure(t, run(t, &Run{Driver: d, Root: filepath.Dir(i.Context)}, i)[0])
			if e.Ours != c.ours || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("ours %v, hint %q", e.Ours, e.Hint)
			}
			for _, want := range c.message {
				if !strings.Contains(e.Error(), want) {
					t.Errorf("%q is not in it", want)
				}
			}
		})
	}
}

func TestSecretIsNotInTheImage(t *testing.T) {
	dir := tree(t, map[string]string{"busybox": "busybox", "Dockerfile": busyboxImage +
		"ARG MIRROR\nRUN --mount=type=secret,id=token [\"/bin/busybox\", \"sh\", \"-c\", \"test $(/bin/busybox wc -c < /run/secrets/token) = 6 && echo $MIRROR > /mirror\"]\n"})
	i, out := image("web", dir), t.TempDir()
	i.Args = map[string]string{"MIRROR": "https://mirror.example.com"}
	i.Secrets = []Secret{{ID: "token", Origin: "env TOKEN", value: []byte("s3cret")}}
	i.Outputs = []Output{{Type: "local", Dest: out}, {Type: "oci", Dest: filepath.Join(t.TempDir(), "web.tar")}}
	res := run(t, &Run{Driver: daemon(t)}, i)[0]
	if res.State != Built {
		t.Fatal(res.Err)
	}
	if got, _ := os.ReadFile(filepath.Join(out, "mirror")); string(got) != "https://mirror.example.com\n" {
		t.Errorf("%q", got)
	}
	tar, err := os.ReadFile(i.Outputs[1].Dest)
	if err != nil || len(tar) < 1000 || bytes.Contains(tar, []byte("s3cret")) {
		t.Error(err, len(tar))
	}
}

// TestSameEverywhere builds the same files with other permissions and times.
func TestSameEverywhere(t *testing.T) {
	when := time.Unix(1700000000, 0)
	files := map[string]string{"busybox": "busybox", "a/b.txt": "text", "Dockerfile": "FROM scratch\nCOPY . /\n"}
	one, two := tree(t, files), tree(t, files)
	for name, mode := range map[string]os.FileMode{"a": 0o777, "a/b.txt": 0o666, "busybox": 0o777} {
		if err := os.Chmod(filepath.Join(two, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(two, "a/b.txt"), later, later); err != nil {
		t.Fatal(err)
	}
	r := &Run{Driver: daemon(t), Epoch: &when}
	i, j := image("one", one), image("two", two)
	j.NoCache = true
	a, b := run(t, r, i)[0], run(t, r, j)[0]
	if a.Digest == "" || a.Digest != b.Digest {
		t.Errorf("%s and %s", a.Digest, b.Digest)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	dir := tree(t, map[string]string{"busybox": "busybox", "Dockerfile": busyboxImage + "ARG NOW\nRUN [\"/bin/busybox\", \"sleep\", \"60\"]\n"})
	i := image("slow", dir)
	i.Args = map[string]string{"NOW": time.Now().String()}
	time.AfterFunc(time.Second, cancel)
	began := time.Now()
	results, err := (&Run{Driver: daemon(t)}).Build(ctx, []*Image{i})
	if err != nil || !errors.Is(results[0].Err, context.Canceled) || time.Since(began) > 10*time.Second {
		t.Errorf("%v %+v after %s", err, results, time.Since(began))
	}
}

// TestFigures times builds on the local driver's daemon beside buildctl's on the same one, in turn. It runs where
// BENCH_BUILD says how often. buildctl's times hold the start of a process; ours do not, which chartgate version shows.
func TestFigures(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("BENCH_BUILD"))
	if n < 1 {
		t.Skip("BENCH_BUILD says how many builds are timed: make bench-build")
	}
	ctl, err := exec.LookPath("buildctl")
	if err != nil {
		t.Skip(err)
	}
	when := time.Unix(1700000000, 0)
	dir := tree(t, map[string]string{"busybox": "busybox", "Dockerfile": busyboxImage + "ARG RUN\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo $RUN > /made\"]\n"})
	r := &Run{Driver: daemon(t), Key: "group/figures", Epoch: &when}
	addr := address(t)
	contestants := map[string]func(string) error{
		"chartgate": func(arg string) error {
			i := image("web", dir)
			i.Args = map[string]string{"RUN": arg}
			results, err := r.Build(t.Context(), []*Image{i})
			return errors.Join(err, results[0].Err)
		},
		"buildctl": func(arg string) error {
			return exec.Command(ctl, "--addr", addr, "build", "--progress", "plain", "--frontend", "dockerfile.v0", "--local", "context="+dir, "--local", "dockerfile="+dir,
				"--opt", "build-arg:RUN="+arg, "--opt", "build-arg:SOURCE_DATE_EPOCH=1700000000", "--output", "type=image,rewrite-timestamp=true").Run()
		},
	}
	for _, kind := range []string{"a changed step", "nothing changed"} {
		took := map[string][]time.Duration{}
		for i := range n {
			for _, name := range []string{"chartgate", "buildctl"} {
				arg := "same"
				if kind == "a changed step" {
					arg = fmt.Sprint(name, i)
				}
				began := time.Now()
				if err := contestants[name](arg); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				took[name] = append(took[name], time.Since(began))
			}
		}
		for _, d := range took {
			slices.Sort(d)
		}
		t.Logf("local driver, %s, median of %d: chartgate %v, buildctl %v", kind, n, took["chartgate"][n/2].Round(time.Millisecond), took["buildctl"][n/2].Round(time.Millisecond))
	}
}

// address is where the daemon of these tests listens, as its command line says.
func address(t *testing.T) string {
	t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		data, _ := os.ReadFile(f)
		args := strings.Split(string(data), "\x00")
		if !strings.Contains(string(data), shared.dir) || !strings.Contains(string(data), "buildkitd") {
			continue
		}
		for i, a := range args {
			if addr, ok := strings.CutPrefix(a, "--addr="); ok {
				return addr
			} else if a == "--addr" && i+1 < len(args) {
				return args[i+1]
			}
		}
	}
	t.Skip("the daemon's address is not in its command line")
	return ""
}
