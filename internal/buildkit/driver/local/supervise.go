//go:build linux

package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The first argument of Supervise.
const (
	actServe  = "serve"  // supervise the daemon of a plan
	actRemove = "remove" // remove folders, inside the user namespace that their files are of
	actProc   = "proc"   // try to mount proc on a folder, inside namespaces made for it
)

// Supervise is the process that a Driver starts, as its driver.Host.Self says. in is the end of
// a pipe that the driver's process holds the other end of; out takes its reports. It
// returns when in ended, or ctx, or the daemon, and nothing of the daemon is left.
func Supervise(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) < 2 {
		return errors.New("supervising a builder: this is started by chartgate itself, not by hand")
	}
	switch args[0] {
	case actServe:
		var p plan
		if err := json.Unmarshal([]byte(args[1]), &p); err != nil {
			return fmt.Errorf("reading the plan of a builder: %w", err)
		}
		return serve(ctx, p, in, &reporter{out: out})
	case actRemove:
		for _, dir := range args[1:] {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
		return nil
	case actProc:
		return unix.Mount("proc", args[1], "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	}
	return fmt.Errorf("supervising a builder: unknown act %q", args[0])
}

// noSandbox is how the error of a sandbox that cannot be had is recognised.
const noSandbox = "there is no process sandbox for RUN steps: proc cannot be mounted here"

// errGone is why a daemon is ended in the ordinary way: whoever it was for closed the pipe.
var errGone = errors.New("the run is over")

func serve(ctx context.Context, p plan, in io.Reader, reports *reporter) error {
	// The death of the thread that started a process is what its parent-death signal waits for.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Handled, not ignored, which the daemon would inherit: our reader may be gone.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE, syscall.SIGHUP)
	defer signal.Stop(broken)
	// What loses its parent below us becomes our child, so that it can be found and ended.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("becoming the reaper of a builder: %w", err)
	}
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)
	go func() {
		_, _ = io.Copy(io.Discard, in)
		gone(errGone)
	}()

	err := run(ctx, p, reports)
	if err != nil {
		reports.send(report{Failed: err.Error()})
	}
	endAll()
	if left := p.removeFolders(); left != nil {
		reports.send(report{Left: left.Error()})
		err = errors.Join(err, left)
	}
	return err
}

// run starts the daemon and returns when it ended.
func run(ctx context.Context, p plan, reports *reporter) (err error) {
	for _, dir := range []string{p.Run, p.State} {
		lock, err := lockFolder(ctx, dir, p.LockWait, reports)
		if err != nil {
			return err
		}
		defer lock.Close() // when nothing of the daemon is left
	}
	p.sweep()
	tmp, err := p.makeTemporary()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove(tmp)) }()
	own := !p.NoProc && canMountProc(ctx, p.Run)
	if p.Sandbox == "true" && !own {
		return errors.New(noSandbox)
	}
	argv, sandbox := p.argv(own)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = p.Run, append(os.Environ(), "TMPDIR="+tmp)
	// A group of its own, so that a signal to ours reaches the daemon once, from us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	logs, w, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = w, w
	before := oomKills()
	err = cmd.Start()
	w.Close()
	if err != nil {
		logs.Close()
		return fmt.Errorf("starting rootlesskit: %w", err)
	}
	reports.send(report{Started: &start{PID: cmd.Process.Pid, PIDs: own, Sandbox: sandbox}})
	logged := make(chan struct{})
	go func() { reports.copyLog(logs); logs.Close(); close(logged) }()

	status := wait(ctx, cmd, p.Grace)
	endAll() // or a process of a RUN step could hold the log open
	<-logged
	reports.send(report{Ended: &end{Status: status, OOM: oomKills() > before,
		Signal: ctx.Err() != nil && !errors.Is(context.Cause(ctx), errGone)}})
	return nil
}

// wait returns how the daemon ended. When ctx ends, that is asked for, and then forced.
func wait(ctx context.Context, cmd *exec.Cmd, grace time.Duration) string {
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	reap := time.NewTicker(time.Second)
	defer reap.Stop()
	asked := ctx.Done()
	var force <-chan time.Time
	for {
		select {
		case <-done:
			return cmd.ProcessState.String()
		case <-asked:
			asked = nil
			_ = cmd.Process.Signal(syscall.SIGTERM) // rootlesskit hands it on
			force = time.After(grace)
		case <-force:
			endDescendants()
			_ = cmd.Process.Kill()
		case <-reap.C:
			reapOthers(cmd.Process.Pid)
		}
	}
}

// argv is the command line, given whether a process namespace with its own proc can be
// had. It is had where it can, even when RUN steps are to share the daemon's: its end ends
// every process in it, and they see none outside of it.
func (p plan) argv(own bool) (argv []string, sandbox bool) {
	argv = append(argv, p.Rootlesskit...)
	if own {
		argv = append(argv, "--pidns")
	}
	sandbox = p.Sandbox == "true" || p.Sandbox == "auto" && own
	argv = append(argv, p.Buildkitd...)
	if !sandbox {
		argv = append(argv, "--oci-worker-no-process-sandbox")
	}
	return argv, sandbox
}

// canMountProc tries it in a user, a mount and a process namespace of its own, as
// containers forbid it by masking parts of their own proc.
func canMountProc(ctx context.Context, run string) bool {
	dir := filepath.Join(run, "proc")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return false
	}
	defer os.Remove(dir)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append(selfArgs(), actProc, dir)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:                 syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		UidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		GidMappingsEnableSetgroups: false,
		Pdeathsig:                  syscall.SIGKILL,
	}
	return cmd.Run() == nil
}

// selfArgs are the arguments that make this program call Supervise: those before the act.
func selfArgs() []string {
	for i, arg := range os.Args {
		if i > 0 && arg == actServe {
			return append([]string(nil), os.Args[1:i]...)
		}
	}
	return nil
}
