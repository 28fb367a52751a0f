package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The program starts itself for attempts: as the user in question (outside), in a new user
// namespace before ids are mapped (waiting), after that (inside), and in a new process
// namespace in there (process).
const (
	stageOutside = "outside"
	stageWaiting = "waiting"
	stageInside  = "inside"
	stageProcess = "process"
)

const (
	trialTime = 20 * time.Second
	maxAnswer = 1 << 20
)

// try makes attempts by starting self with the name of a stage.
func try(self []string) func(context.Context, User, Plan) (Trial, error) {
	return func(ctx context.Context, who User, p Plan) (Trial, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, trialTime, errors.New("attempts took too long"))
		defer cancel()
		cmd := stage(ctx, self, stageOutside)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if os.Geteuid() != who.UID {
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(who.UID), Gid: uint32(who.GID)}
		}
		var t Trial
		return t, converse(ctx, cmd, p, &t)
	}
}

// stage prepares a command that runs this program again. /proc/self/exe can be executed
// also where the folder that it was installed in cannot be entered.
func stage(ctx context.Context, self []string, name string) *exec.Cmd {
	args := append(append([]string{}, self[1:]...), name)
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Args[0] = self[0]
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // and none of the job's secrets
	cmd.WaitDelay = time.Second
	return cmd
}

// converse hands a plan to a stage and reads its answer.
func converse(ctx context.Context, cmd *exec.Cmd, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("writing a plan: %w", err)
	}
	var answer, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(data), &answer, &said
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return withWords(err, said.String())
	}
	if err := json.Unmarshal(answer.Bytes(), out); err != nil {
		return fmt.Errorf("reading what attempts came to: %w", err)
	}
	return nil
}

func withWords(err error, words string) error {
	if words = printable(words); words != "" {
		return fmt.Errorf("%w: %s", err, words)
	}
	return err
}

// Attempts is what the program does where it was started to make attempts: self is how it
// starts itself for more.
func Attempts(name string, self []string, in io.Reader, out io.Writer) error {
	switch name {
	case stageWaiting:
		return wait(self)
	case stageProcess:
		return mountProc()
	}
	part := map[string]func(context.Context, []string, Plan) Trial{stageOutside: outside, stageInside: inside}[name]
	if part == nil {
		return fmt.Errorf("there is no stage %q", name)
	}
	var p Plan
	if err := json.NewDecoder(io.LimitReader(in, maxAnswer)).Decode(&p); err != nil {
		return fmt.Errorf("reading a plan: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), trialTime)
	defer cancel()
	return json.NewEncoder(out).Encode(part(ctx, self, p))
}

// outside makes the namespace and maps ids into it. Where ids cannot be mapped, what comes
// behind is attempted with the caller's own id alone, so that one fault does not hide others.
func outside(ctx context.Context, self []string, p Plan) Trial {
	var t Trial
	dir, err := os.MkdirTemp(p.Folder, "chartgate-doctor-")
	if t.Folder = attempt(err); err == nil {
		defer os.RemoveAll(dir)
	}
	p.Folder = dir
	t.SocketFolder, err = writable(p.Sockets)
	t.Socket = attempt(err)
	err = within(ctx, self, p, &t, true)
	if t.Namespace.Worked() && err != nil {
		t.Namespace = attempt(err)
	}
	if (!t.Namespace.Worked() || t.Rights.Failed()) && p.Rootlesskit != "" && p.Folder != "" {
		if by, err := byRootlesskit(ctx, self, p, t); err == nil {
			return by
		}
	}
	if t.UIDs.Worked() && t.GIDs.Worked() || !t.Namespace.Worked() {
		return t
	}
	alone := t
	if err := within(ctx, self, p, &alone, false); err == nil {
		return alone
	}
	return t
}

// writable is the first folder in which another can be made.
func writable(folders []string) (string, error) {
	var errs []error
	for _, folder := range folders {
		dir, err := os.MkdirTemp(folder, "chartgate-doctor-")
		if err == nil {
			return folder, os.Remove(dir)
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// within starts a process in a user namespace, maps ids into it and has it do the rest.
func within(ctx context.Context, self []string, p Plan, t *Trial, byPrograms bool) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	cmd := stage(ctx, self, stageWaiting)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if !byPrograms {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	var answer, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &answer, &said
	err = cmd.Start()
	if t.Namespace = attempt(err); err != nil {
		return err
	}
	if byPrograms {
		t.UIDs = mapIDs(ctx, p.NewUIDMap, cmd.Process.Pid, os.Getuid(), p.UIDs)
		t.GIDs = mapIDs(ctx, p.NewGIDMap, cmd.Process.Pid, os.Getgid(), p.GIDs)
		if !t.UIDs.Worked() || !t.GIDs.Worked() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return nil
		}
	}
	// The first byte says that ids are mapped.
	if _, err := stdin.Write(append([]byte{'\n'}, data...)); err == nil {
		stdin.Close()
	}
	if err := cmd.Wait(); err != nil {
		return withWords(err, said.String())
	}
	inner := *t
	if err := json.Unmarshal(answer.Bytes(), &inner); err != nil {
		return fmt.Errorf("reading what attempts came to: %w", err)
	}
	t.Rights, t.Propagate, t.Overlay, t.Fuse, t.Proc = inner.Rights, inner.Propagate, inner.Overlay, inner.Fuse, inner.Proc
	return nil
}

// byRootlesskit has rootlesskit make the namespace: AppArmor may let it, and not this program.
func byRootlesskit(ctx context.Context, self []string, p Plan, t Trial) (Trial, error) {
	exe, err := os.Executable()
	if err != nil {
		return t, err
	}
	args := append([]string{"--net=host", "--state-dir=" + filepath.Join(p.Folder, "rootlesskit"), exe}, self[1:]...)
	cmd := exec.CommandContext(ctx, p.Rootlesskit, append(args, stageInside)...)
	cmd.Dir, cmd.WaitDelay = "/", time.Second
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.Folder, "XDG_RUNTIME_DIR=" + p.Folder}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	var inner Trial
	if err := converse(ctx, cmd, p, &inner); err != nil {
		return t, err
	}
	worked := Attempt{Made: true}
	inner.Folder, inner.Socket, inner.SocketFolder = t.Folder, t.Socket, t.SocketFolder
	inner.Namespace, inner.UIDs, inner.GIDs = worked, worked, worked
	return inner, nil
}

// mapIDs has newuidmap or newgidmap map the caller's id to 0 and the ranges behind it, as
// rootlesskit does.
func mapIDs(ctx context.Context, program string, pid, own int, ranges []Range) Attempt {
	if program == "" || len(ranges) == 0 {
		return Attempt{}
	}
	args := []string{strconv.Itoa(pid), "0", strconv.Itoa(own), "1"}
	next := uint64(1)
	for _, r := range ranges {
		args = append(args, strconv.FormatUint(next, 10), strconv.FormatUint(uint64(r.Start), 10), strconv.FormatUint(uint64(r.Count), 10))
		next += uint64(r.Count)
	}
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		err = withWords(err, string(out))
	}
	return attempt(err)
}

// wait reads one byte, and then starts the program anew: only a process that is root in its
// namespace when it is started has capabilities there.
func wait(self []string) error {
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("waiting for ids: %w", err)
	}
	args := append(append([]string{}, self...), stageInside)
	return fmt.Errorf("starting anew: %w", syscall.Exec("/proc/self/exe", args, os.Environ()))
}

// printable makes what a program printed fit for one line on a terminal.
func printable(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0xfffd {
			return -1
		}
		return r
	}, s)), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
