//go:build e2e

package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

func contextDialer(b *driver.Builder) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, _ string) (net.Conn, error) { return b.Dial(ctx) }
}

func builderOf(t *testing.T, d *Driver) *driver.Builder {
	t.Helper()
	b, err := d.Builder(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBuild starts a daemon, shows that it is rootless, builds, and shows that nothing is left.
func TestBuild(t *testing.T) {
	needDaemon(t)
	before := time.Now()
	d := started(t, nil)
	t.Logf("answered after %s", time.Since(before))
	b := builderOf(t, d)
	if masked := os.Getenv(maskedProc) != ""; d.start.Sandbox == masked || d.start.PIDs == masked {
		t.Errorf("proc can be mounted: %t, and the daemon was started as %+v", !masked, *d.start)
	}

	daemons := 0
	for _, pid := range append(below(t, d.cmd.Process.Pid), d.cmd.Process.Pid) {
		program, _, _ := strings.Cut(command(pid), " ")
		uidmap := strings.Join(strings.Fields(read(fmt.Sprintf("/proc/%d/uid_map", pid))), " ")
		t.Logf("process %d, %s: uid map %s", pid, filepath.Base(program), uidmap)
		if filepath.Base(program) == "buildkitd" {
			daemons++
			if want := fmt.Sprintf("0 %d 1 1 ", os.Getuid()); !strings.HasPrefix(uidmap, want) {
				t.Errorf("the uid map of buildkitd is %q, not %q…", uidmap, want)
			}
		}
		if uids := strings.Fields(field(pid, "Uid")); len(uids) < 2 || uids[1] != strconv.Itoa(os.Getuid()) {
			t.Errorf("process %d runs as %v", pid, uids)
		}
		if environ := read(fmt.Sprintf("/proc/%d/environ", pid)); strings.Contains(environ, "CI_JOB_TOKEN") {
			t.Errorf("process %d knows the job's variables", pid)
		}
	}
	if daemons != 1 {
		t.Errorf("%d daemons run", daemons)
	}
	dir := contextDir(t, "RUN echo hello >/made && /bin/busybox chown 1000:1000 /made && /bin/busybox id\n")
	if _, err := build(t.Context(), b, dir); err != nil {
		t.Fatal(err)
	}
	pids := append(below(t, d.cmd.Process.Pid), d.cmd.Process.Pid)
	before = time.Now()
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed after %s", time.Since(before))
	nothingLeft(t, d.at, pids)
}

// nothingLeft fails the test for what a daemon left behind.
func nothingLeft(t *testing.T, at place, pids []int) {
	t.Helper()
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is left: %s", pid, command(pid))
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "buildkit*")); len(left) > 0 {
		t.Errorf("temporary files are left: %q", left)
	}
	for _, dir := range []string{at.run, at.state} {
		if dir == at.state && !at.temporary {
			continue
		}
		if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", dir, err)
		}
		if _, err := os.Lstat(dir + ".rk"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s.rk is left: %v", dir, err)
		}
		if strings.Contains(read("/proc/self/mountinfo"), dir) {
			t.Errorf("%s is mounted", dir)
		}
	}
}

// TestKilled kills, or ends, a process that drives a daemon in the middle of a RUN step.
func TestKilled(t *testing.T) {
	needDaemon(t)
	for i, sandbox := range []string{"auto", "false", "none"} {
		for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			t.Run(fmt.Sprintf("%s/%s", sandbox, sig), func(t *testing.T) {
				t.Parallel() // they wait more than they work
				self, err := os.Executable()
				if err != nil {
					t.Fatal(err)
				}
				mark := strconv.Itoa(100*(100000+os.Getpid()) + 20*i + int(sig))
				dir := contextDir(t, "RUN /bin/busybox setsid /bin/busybox sleep "+mark+" & /bin/busybox sleep "+mark+"\n")
				cmd := exec.Command(self, "drive", dir, sandbox)
				cmd.Stderr = os.Stderr
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(out)
				var at place
				for at.run == "" && lines.Scan() {
					fmt.Sscanf(lines.Text(), "AT %s %s", &at.run, &at.state)
				}
				at.temporary = true
				eventually(t, "two sleeping processes", func() bool { return len(commands(mark)) >= 2 })
				pids := below(t, cmd.Process.Pid)
				if len(pids) < 4 {
					t.Fatalf("only %v run", pids)
				}
				if err := syscall.Kill(-cmd.Process.Pid, sig); err != nil { // as runners do it: the whole group
					t.Fatal(err)
				}
				_ = cmd.Wait()
				eventually(t, "the end of all processes", func() bool {
					for _, pid := range pids {
						if alive(pid) {
							return false
						}
					}
					return len(commands(mark)) == 0
				})
				nothingLeft(t, at, pids)
			})
		}
	}
}

// drive is the process that TestKilled ends: it builds a folder that never gets done.
func drive() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	self, _ := os.Executable()
	given := map[string]string{}
	if os.Args[3] != "none" {
		given["process-sandbox"] = os.Args[3]
	}
	d, err := New(given, driver.Host{Env: os.Getenv, Self: []string{self, "supervise"}, Log: func(string) {}})
	if err == nil {
		d.noProc = os.Args[3] == "none"
		err = d.Start(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("AT %s %s\n", d.at.run, d.at.state)
	b, _ := d.Builder(ctx, "")
	_, err = build(ctx, b, os.Args[2])
	if ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "the build ended:", err)
	}
	if err := d.Close(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// below lists the processes below one.
func below(t *testing.T, top int) []int {
	t.Helper()
	all, known, out := parents(), map[int]bool{top: true}, []int(nil)
	for grown := true; grown; {
		grown = false
		for pid, parent := range all {
			if known[parent] && !known[pid] {
				known[pid], grown = true, true
				out = append(out, pid)
			}
		}
	}
	return out
}

// commands lists the processes whose command line has a word.
func commands(word string) []int {
	var out []int
	for pid := range parents() {
		for _, w := range strings.Fields(command(pid)) {
			if w == word && !strings.Contains(command(pid), "-c ") {
				out = append(out, pid)
			}
		}
	}
	return out
}

// alive says whether a process runs. One that ended and that the init process has yet to
// take note of does not.
func alive(pid int) bool {
	state := strings.TrimSpace(field(pid, "State"))
	return state != "" && !strings.HasPrefix(state, "Z")
}

func command(pid int) string {
	return strings.TrimSpace(strings.ReplaceAll(read(fmt.Sprintf("/proc/%d/cmdline", pid)), "\x00", " "))
}

func field(pid int, name string) string {
	for _, line := range strings.Split(read(fmt.Sprintf("/proc/%d/status", pid)), "\n") {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return value
		}
	}
	return ""
}

func read(file string) string {
	data, _ := os.ReadFile(file)
	return string(data)
}
