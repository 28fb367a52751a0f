//go:build e2e

package build

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// daemon starts a rootless buildkitd that both programs use, and returns its socket.
func daemon(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bk") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(program(t, "rootlesskit"), "--net=host", "--state-dir", filepath.Join(dir, "rk"), program(t, "buildkitd"), "--rootless",
		"--oci-worker-no-process-sandbox", "--root", filepath.Join(dir, "root"), "--addr", "unix://"+socket)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		_ = exec.Command("rootlesskit", "rm", "-rf", filepath.Join(dir, "root")).Run()
		os.RemoveAll(dir)
	})
	for range 600 {
		if exec.Command(program(t, "buildctl"), "--addr", "unix://"+socket, "debug", "workers").Run() == nil {
			return socket
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the daemon does not answer")
	return ""
}

// big is a repository with one image out of 1,000 files and 20 MiB.
func big(t *testing.T) *repo {
	t.Helper()
	files := map[string]string{"images/web/busybox": "busybox",
		"images/web/Dockerfile": "FROM scratch\nCOPY busybox /busybox\nCOPY src /src\nARG RUN\nRUN [\"/busybox\", \"sh\", \"-c\", \"/busybox echo $RUN | /busybox md5sum > /made\"]\n"}
	seed := sha256.Sum256([]byte("chartgate"))
	for i := range 1000 {
		data := make([]byte, 0, 20<<10)
		for len(data) < 20<<10 {
			seed = sha256.Sum256(seed[:])
			data = append(data, seed[:]...)
		}
		files[fmt.Sprintf("images/web/src/%d/%d", i%50, i)] = string(data)
	}
	return newRepo(t, files)
}

// TestFigures times chartgate beside buildctl on one daemon, in turn. It runs where BENCH_BUILD
// says how often: a timed test is no test.
func TestFigures(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("BENCH_BUILD"))
	if n < 1 {
		t.Skip("BENCH_BUILD says how many builds are timed: make bench-build")
	}
	r, addr := big(t), "unix://"+daemon(t)
	r.env = append(r.env, "CHARTGATE_BUILD_REPRODUCIBLE=true")
	epoch := "1714979289" // of the commit
	context := filepath.Join(r.dir, "images/web")
	programs := map[string]func(arg string) *exec.Cmd{
		"chartgate": func(arg string) *exec.Cmd {
			return r.command("build", "web", "--driver", "remote", "--builder", addr, "--progress", "plain", "--build-arg", "RUN="+arg)
		},
		"buildctl": func(arg string) *exec.Cmd {
			cmd := exec.Command(program(t, "buildctl"), "--addr", addr, "build", "--frontend", "dockerfile.v0", "--local", "context="+context, "--local", "dockerfile="+context, "--progress", "plain",
				"--opt", "build-arg:RUN="+arg, "--opt", "build-arg:SOURCE_DATE_EPOCH="+epoch, "--output", "type=image,rewrite-timestamp=true")
			cmd.Dir, cmd.Env = r.dir, r.env
			return cmd
		},
	}
	for _, kind := range []string{"a changed step", "nothing changed"} {
		took := map[string][]time.Duration{}
		for i := range n + 1 {
			for _, name := range []string{"chartgate", "buildctl"} {
				arg := "same" + name // each has a context of its own in the daemon
				if kind == "a changed step" {
					arg = fmt.Sprint(name, i)
				}
				began := time.Now()
				if out, err := programs[name](arg).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", name, err, out)
				}
				if i > 0 { // the first sends the files
					took[name] = append(took[name], time.Since(began))
				}
			}
		}
		a, b := median(took["chartgate"]), median(took["buildctl"])
		t.Logf("%s, median of %d: chartgate %v, buildctl %v: %+.1f %%, %v more", kind, n, a, b, 100*(float64(a)/float64(b)-1), a-b)
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2].Round(time.Millisecond)
}
