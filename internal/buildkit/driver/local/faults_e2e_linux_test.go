//go:build e2e

package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/moby/buildkit/client"
)

// pidOf finds a program below the driver's supervisor.
func pidOf(t *testing.T, d *Driver, program string) int {
	t.Helper()
	for _, pid := range below(t, d.cmd.Process.Pid) {
		if name, _, _ := strings.Cut(command(pid), " "); filepath.Base(name) == program {
			return pid
		}
	}
	t.Fatalf("no %s runs", program)
	return 0
}

// TestLost kills what the build relies on, in the middle of a RUN step.
func TestLost(t *testing.T) {
	needDaemon(t)
	for _, c := range []struct {
		name   string
		victim func(*testing.T, *Driver) int
		signal syscall.Signal
		want   string
	}{
		{"daemon", func(t *testing.T, d *Driver) int { return pidOf(t, d, "buildkitd") }, syscall.SIGKILL, "buildkitd ended: signal: killed"},
		{"rootlesskit", func(t *testing.T, d *Driver) int { return pidOf(t, d, "rootlesskit") }, syscall.SIGKILL, "buildkitd ended: signal: killed"},
		{"supervisor", func(t *testing.T, d *Driver) int { return d.cmd.Process.Pid }, syscall.SIGKILL, "its supervisor ended: signal: killed"},
		{"asked", func(t *testing.T, d *Driver) int { return d.cmd.Process.Pid }, syscall.SIGTERM, "since a signal asked its supervisor to end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := started(t, nil)
			b := builderOf(t, d)
			mark := fmt.Sprint(300000 + os.Getpid())
			ended := make(chan error, 1)
			dir := contextDir(t, "RUN /bin/busybox sleep "+mark+"\n")
			go func() { _, err := build(context.Background(), b, dir); ended <- err }()
			eventually(t, "the RUN step", func() bool { return len(commands(mark)) > 0 })
			pids := below(t, d.cmd.Process.Pid)
			if lost := b.Lost(t.Context()); lost != nil {
				t.Fatalf("a daemon that is well is lost: %v", lost)
			}
			if err := syscall.Kill(c.victim(t, d), c.signal); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err == nil {
				t.Error("the build ended well")
			}
			lost := b.Lost(t.Context())
			if lost == nil || !strings.Contains(lost.Error(), c.want) {
				t.Errorf("%v, not %s", lost, c.want)
			}
			if _, err := b.Dial(t.Context()); err == nil {
				t.Error("a daemon that is gone was connected to")
			}
			if err := d.Close(t.Context()); err != nil {
				t.Error(err)
			}
			eventually(t, "the end of all processes", func() bool { return len(commands(mark)) == 0 })
			if c.name != "supervisor" { // nobody is left to remove the folders: the next run does
				nothingLeft(t, d.at, pids)
				return
			}
			old := time.Now().Add(-2 * staleAge)
			for _, dir := range []string{d.at.run, d.at.state} {
				if err := os.Chtimes(filepath.Join(dir, lockName), old, old); err != nil {
					t.Fatal(err)
				}
			}
			if err := started(t, nil).Close(t.Context()); err != nil {
				t.Error(err)
			}
			nothingLeft(t, d.at, pids)
		})
	}
}

// TestKeptRoot builds twice on a root, which the second build finds in the cache, and has
// two runs want it at once.
func TestKeptRoot(t *testing.T) {
	needDaemon(t)
	root := filepath.Join(t.TempDir(), "kept", "root")
	t.Cleanup(func() { _ = plan{Rootlesskit: []string{find("rootlesskit", searchPath(os.Getenv))}}.remove(root) })
	dir := contextDir(t, "RUN echo one >/one && /bin/busybox chown 7:7 /one\n")
	first := started(t, map[string]string{"root": root, "keep-storage": "3GB"})
	if _, err := build(t.Context(), builderOf(t, first), dir); err != nil {
		t.Fatal(err)
	}
	if got := maximum(t, first); got != 3e9 {
		t.Errorf("the daemon keeps %d bytes", got)
	}

	refused := unstarted(t, map[string]string{"root": root, "root-wait": "0s"}, os.Getenv)
	err := refused.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("another run uses the root %q", root)) || !strings.Contains(driver.HintOf(err), "root-wait=30m") {
		t.Errorf("%v, hint %q", err, driver.HintOf(err))
	}
	second := unstarted(t, map[string]string{"root": root}, os.Getenv)
	ready := make(chan error, 1)
	go func() { ready <- second.Start(context.Background()) }()
	select {
	case err := <-ready:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	cached, err := build(t.Context(), builderOf(t, second), dir)
	if err != nil || cached < 2 {
		t.Errorf("%d steps came out of the cache: %v", cached, err)
	}
	if err := second.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "cache.db")); err != nil {
		t.Errorf("the root was not kept: %v", err)
	}
}

// maximum is how much the daemon keeps at most.
func maximum(t *testing.T, d *Driver) int64 {
	t.Helper()
	c, err := client.New(t.Context(), "", client.WithContextDialer(contextDialer(builderOf(t, d))))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	workers, err := c.ListWorkers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return workers[0].GCPolicy[len(workers[0].GCPolicy)-1].MaxUsedSpace
}

// TestForeignDaemon has a buildkitd on the root that knows nothing of our locks.
func TestForeignDaemon(t *testing.T) {
	needDaemon(t)
	root := t.TempDir()
	lock, err := os.Create(filepath.Join(root, "buildkitd.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	d := unstarted(t, map[string]string{"root": root}, os.Getenv)
	wantError(t, d.Start(t.Context()), "starting buildkitd: it ended: exit status 1", "another instance running?", "not of chartgate's")
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, lockName)); err != nil {
		t.Errorf("the root was removed: %v", err)
	}
}

func wantError(t *testing.T, err error, want, detail, hint string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), detail) || !strings.Contains(driver.HintOf(err), hint) {
		t.Errorf("%v\nhint: %s\nwant %q, %q, %q", err, driver.HintOf(err), want, detail, hint)
	}
}

// TestWrongStarts are daemons that do not come up.
func TestWrongStarts(t *testing.T) {
	needDaemon(t)
	bad := filepath.Join(t.TempDir(), "bad.toml")
	if err := os.WriteFile(bad, []byte("[worker.oci\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stub := t.TempDir() // a rootlesskit that never gets to a daemon
	if err := os.WriteFile(filepath.Join(stub, "rootlesskit"), []byte("#!/bin/sh\necho waiting for Godot >&2\nexec sleep 1000\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	noMaps := t.TempDir() // a newuidmap that may not do its work
	if err := os.WriteFile(filepath.Join(noMaps, "newuidmap"), []byte("#!/bin/sh\necho 'newuidmap: write to uid_map failed: Operation not permitted' >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	with := func(path string) func(string) string {
		return func(key string) string {
			if key == "PATH" {
				return path + ":" + os.Getenv("PATH")
			}
			return os.Getenv(key)
		}
	}
	for _, c := range []struct {
		name               string
		given              map[string]string
		env                func(string) string
		want, detail, hint string
	}{
		{"no configuration", map[string]string{"buildkitd-config": bad + "x"}, os.Getenv, "no such file", "", ""},
		{"configuration", map[string]string{"buildkitd-config": bad}, os.Getenv, "it ended: exit status 1", "toml", ""},
		{"flag", map[string]string{"buildkitd-flags": "--no-such-flag"}, os.Getenv, "it ended: exit status", "no-such-flag", "buildkitd-flags"},
		{"rootlesskit's flag", map[string]string{"rootlesskit-flags": "--no-such-flag"}, os.Getenv, "it ended: exit status", "no-such-flag", "rootlesskit-flags"},
		{"mute", map[string]string{"timeout": "300ms"}, with(stub), "it does not answer within 300ms", "waiting for Godot", "timeout=2m"},
		{"newuidmap", nil, with(noMaps), "it ended: exit status 1", "Operation not permitted", "setuid root or have the capability"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := unstarted(t, c.given, c.env)
			err := d.Start(t.Context())
			wantError(t, err, c.want, c.detail, c.hint)
			t.Logf("%v\nhint: %s", err, driver.HintOf(err))
			if err := d.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if d.cmd != nil {
				nothingLeft(t, d.at, []int{d.cmd.Process.Pid})
			}
		})
	}
}

// TestNoSandbox wants a sandbox where proc cannot be mounted.
func TestNoSandbox(t *testing.T) {
	needDaemon(t)
	d := unstarted(t, map[string]string{"process-sandbox": "true"}, os.Getenv)
	d.noProc = true
	wantError(t, d.Start(t.Context()), "starting buildkitd: there is no process sandbox", "proc cannot be mounted here", "unmasked")
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	nothingLeft(t, d.at, []int{d.cmd.Process.Pid})
}

// TestCancelledStart ends a run while its daemon starts.
func TestCancelledStart(t *testing.T) {
	needDaemon(t)
	for _, after := range []time.Duration{0, 10 * time.Millisecond, 60 * time.Millisecond, 120 * time.Millisecond} {
		d := unstarted(t, nil, os.Getenv)
		ctx, cancel := context.WithTimeout(t.Context(), after)
		if err := d.Start(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if d.cmd != nil {
			nothingLeft(t, d.at, []int{d.cmd.Process.Pid})
		}
	}
}

// TestSnapshotters builds with each, where there is what it needs.
func TestSnapshotters(t *testing.T) {
	needDaemon(t)
	for _, name := range []string{"overlayfs", "native", "fuse-overlayfs"} {
		t.Run(name, func(t *testing.T) {
			if name == "fuse-overlayfs" {
				if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
					t.Skip(err)
				} else {
					f.Close()
				}
			}
			d := unstarted(t, map[string]string{"snapshotter": name}, os.Getenv)
			if err := d.Start(t.Context()); err != nil {
				if name == "overlayfs" && strings.Contains(err.Error(), "overlay") {
					t.Skip(err)
				}
				t.Fatal(err)
			}
			dir := contextDir(t, "RUN /bin/busybox mkdir -m 0 /closed && /bin/busybox chown 5:5 /closed\nRUN /bin/busybox touch /closed/file\n")
			if _, err := build(t.Context(), builderOf(t, d), dir); err != nil {
				t.Fatal(err)
			}
			if err := d.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			nothingLeft(t, d.at, []int{d.cmd.Process.Pid})
		})
	}
}

// TestNetworks builds on each network, where there is what it needs: a step reaches this
// machine's loopback on the host's, and does not on slirp4netns's.
func TestNetworks(t *testing.T) {
	needDaemon(t)
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"host", "slirp4netns", "pasta"} {
		t.Run(name, func(t *testing.T) {
			if name != "host" {
				for _, program := range []string{name, "ip"} {
					if find(program, searchPath(os.Getenv)) == "" {
						t.Skipf("%s is not installed", program)
					}
				}
				if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
					t.Skip(err)
				} else {
					f.Close()
				}
			}
			d := started(t, map[string]string{"net": name})
			_, err := build(t.Context(), builderOf(t, d), contextDir(t, "RUN /bin/busybox ip address && /bin/busybox nc -w 2 127.0.0.1 "+port+" </dev/null\n"))
			if reached := err == nil; name != "pasta" && reached != (name == "host") { // pasta's default is to hand it on
				t.Errorf("loopback was reached: %t, %v", reached, err)
			}
			if err := d.Close(t.Context()); err != nil {
				t.Error(err)
			}
			nothingLeft(t, d.at, []int{d.cmd.Process.Pid})
		})
	}
}

// TestFullDisk keeps the state on a file system of a few megabytes, which root mounts before
// these tests become an ordinary user's.
func TestFullDisk(t *testing.T) {
	needDaemon(t)
	small := os.Getenv(smallDisk)
	if small == "" {
		t.Skip("nobody mounted a small file system: that takes root, and the right to mount")
	}
	root := filepath.Join(small, "root")
	d := started(t, map[string]string{"root": root})
	b := builderOf(t, d)
	dir := contextDir(t, "COPY big /\n")
	if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := build(t.Context(), b, dir)
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "no space left on device") {
		t.Errorf("a full disk is told as %v", err)
	}
	if lost := b.Lost(t.Context()); lost != nil {
		t.Errorf("the daemon is lost: %v", lost)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := (plan{Rootlesskit: []string{find("rootlesskit", searchPath(os.Getenv))}}).remove(root); err != nil {
		t.Fatal(err)
	}
	full, err := os.Create(filepath.Join(small, "full"))
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(full.Name())
	defer full.Close()
	for data := make([]byte, 4096); err == nil; {
		_, err = full.Write(data)
	}
	d = unstarted(t, map[string]string{"root": root}, os.Getenv)
	err = d.Start(t.Context())
	wantError(t, err, "starting buildkitd", "no space left on device", "the disk of the daemon's state is full")
	t.Logf("%v\nhint: %s", err, driver.HintOf(err))
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
