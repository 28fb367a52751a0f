//go:build linux

package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReports(t *testing.T) {
	var wire bytes.Buffer
	r := &reporter{out: &wire}
	r.send(report{Started: &start{PID: 12, PIDs: true}})
	r.copyLog(strings.NewReader("one\n" + strings.Repeat("x", 3*maxLogLine) + "\n\ntwo"))
	r.send(report{Ended: &end{Status: "exit status 1", OOM: true}})
	wire.WriteString("not JSON\n")
	var got []report
	readReports(&wire, func(r report) { got = append(got, r) })
	want := []report{{Started: &start{PID: 12, PIDs: true}}, {Log: "one"}, {Log: strings.Repeat("x", maxLogLine)}, {}, {Log: "two"},
		{Ended: &end{Status: "exit status 1", OOM: true}}, {Log: `chartgate: no report: "not JSON"`}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

type closedPipe struct{ writes int }

func (c *closedPipe) Write([]byte) (int, error) { c.writes++; return 0, io.ErrClosedPipe }

func TestReportsToNobody(t *testing.T) {
	out := &closedPipe{}
	r := &reporter{out: out}
	r.copyLog(strings.NewReader("one\ntwo\n"))
	if out.writes != 1 {
		t.Errorf("%d reports were written to a reader that is gone", out.writes)
	}
}

func FuzzReports(f *testing.F) {
	f.Add([]byte(`{"log":"x"}` + "\n"))
	f.Add([]byte(`{"started":{"pid":1}}` + "\n" + `{"ended":null}` + "\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := 0
		readReports(bytes.NewReader(data), func(report) { lines++ })
		if lines > bytes.Count(data, []byte("\n"))+1 {
			t.Errorf("%d reports in %q", lines, data)
		}
	})
}

func TestLog(t *testing.T) {
	lines := strings.Split(`time="2026-01-01T00:00:00Z" level=info msg="auto snapshotter: using overlayfs"
time="2026-01-01T00:00:00Z" level=warning msg="no space left on device"
buildkitd: could not lock /x/buildkitd.lock, another instance running?
main.main.func3
	/src/cmd/buildkitd/main.go:392
github.com/urfave/cli/v3.(*Command).run
	/src/command_run.go:365

[rootlesskit:child ] error: command [buildkitd --root /x] exited: exit status 1
[rootlesskit:parent] error: child exited: exit status 1`, "\n")
	want := "  buildkitd: could not lock /x/buildkitd.lock, another instance running?"
	if d := cmp.Diff(want, last(lines)); d != "" {
		t.Error(d)
	}
	if want, got := "  "+lines[1], last(lines[:2]); got != want {
		t.Error(got)
	}
	for _, c := range []struct {
		end   end
		lines []string
		want  string
		oom   bool
	}{
		{end{Status: "exit status 3"}, nil, "exit status 3", false},
		{end{Status: "exit status 3", OOM: true}, lines, "exit status 1", false},
		{end{Status: "exit status 1", Signal: true}, nil, "exit status 1, since a signal asked its supervisor to end", false},
		{end{Status: "signal: killed"}, nil, "signal: killed", false},
		{end{Status: "signal: killed", OOM: true}, nil, "signal: killed, as memory ran out", true},
	} {
		if got, oom := c.end.told(c.lines); got != c.want || oom != c.oom {
			t.Errorf("%+v: %s, %t", c.end, got, oom)
		}
	}
	if hint := hintOf(lines, false); !strings.Contains(hint, "give the job one of its own") {
		t.Error(hint)
	}
	if hint := hintOf(lines, true); !strings.Contains(hint, "more memory") {
		t.Error(hint)
	}
	var log tail
	log.add("\x1b[2Jred \u202eline\xff")
	if got := log.all()[0]; got != "[2Jred line\ufffd" {
		t.Errorf("%q", got)
	}
	for i := range 3 * maxLog {
		log.add(fmt.Sprint(i))
	}
	if all := log.all(); len(all) != maxLog || all[maxLog-1] != fmt.Sprint(3*maxLog-1) || strings.Count(last(all), "\n") != shown-1 {
		t.Errorf("%d lines: %s", len(all), last(all))
	}
}

func TestNotByHand(t *testing.T) {
	for _, args := range [][]string{nil, {"serve"}, {"serve", "{"}, {"dance", "x"}} {
		if err := Supervise(t.Context(), args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%q is done", args)
		}
	}
}

// TestLock has two users of one folder.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	var wire bytes.Buffer
	reports := &reporter{out: &wire}
	first, err := lockFolder(t.Context(), dir, 0, reports)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockFolder(t.Context(), dir, 0, reports); err == nil || !strings.Contains(err.Error(), "another run uses the root") || wire.Len() != 0 {
		t.Error(err, wire.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := lockFolder(ctx, dir, time.Minute, reports); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	time.AfterFunc(150*time.Millisecond, func() { first.Close() })
	second, err := lockFolder(t.Context(), dir, time.Minute, reports)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	if got := strings.Count(wire.String(), `"waiting"`); got != 2 {
		t.Errorf("%d reports of waiting: %s", got, wire.String())
	}
	if _, err := lockFolder(t.Context(), dir+"/none", 0, reports); err == nil {
		t.Error("a folder that is not there was locked")
	}
}

// TestSweep leaves folders behind as a killed supervisor does, and others that are not stale.
func TestSweep(t *testing.T) {
	base := t.TempDir()
	long := time.Now().Add(-time.Hour)
	folder := func(name string, age time.Time) string {
		t.Helper()
		dir := filepath.Join(base, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		lock := filepath.Join(dir, lockName)
		if err := os.WriteFile(lock, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(lock, age, age); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	left, own := folder(folderPrefix+"1", long), folder(folderPrefix+"2", long)
	kept := []string{own, folder("other-1", long), folder(folderPrefix+"3", time.Now()), folder(folderPrefix+"4", long), folder(folderPrefix+"5", long)}
	used, err := os.Open(filepath.Join(kept[3], lockName))
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	if err := syscall.Flock(int(used.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(kept[4], lockName)); err != nil { // nothing says that it is ours
		t.Fatal(err)
	}
	target := t.TempDir()
	if err := os.WriteFile(filepath.Join(target, lockName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(base, folderPrefix+"6")); err != nil {
		t.Fatal(err)
	}
	plan{Rootlesskit: []string{"/nonexistent"}, Run: own, State: filepath.Join(base, "state")}.sweep()
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s was not removed: %v", left, err)
	}
	for _, dir := range append(kept, target) {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
}

func TestOOMCounter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "memory.events")
	if err := os.WriteFile(file, []byte("low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\noom_group_kill 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := counter(file); n != 2 {
		t.Error(n)
	}
	if n := counter(file + "x"); n != 0 {
		t.Error(n)
	}
}
