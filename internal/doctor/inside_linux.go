package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// inside attempts what rootlesskit and buildkitd do in the namespace.
func inside(ctx context.Context, self []string, p Plan) Trial {
	var t Trial
	t.Rights = attempt(capable())
	if !t.Rights.Worked() {
		return t
	}
	t.Propagate = attempt(named("mount", syscall.Mount("", "/", "", syscall.MS_SLAVE|syscall.MS_REC, "")))
	if p.Folder != "" {
		t.Overlay = attempt(overlay(filepath.Join(p.Folder, "overlay"), mountOverlay))
		if p.Fuse != "" {
			t.Fuse = attempt(overlay(filepath.Join(p.Folder, "fuse"), func(options, target string) error {
				out, err := exec.CommandContext(ctx, p.Fuse, "-o", options, target).CombinedOutput()
				if err != nil {
					return withWords(err, string(out))
				}
				return nil
			}))
		}
	}
	cmd := stage(ctx, self, stageProcess)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	t.Proc = attempt(withWordsOnly(err, string(out)))
	return t
}

// withWordsOnly prefers what a stage of ours said to its exit code.
func withWordsOnly(err error, words string) error {
	if err != nil && printable(words) != "" {
		return errors.New(strings.TrimPrefix(printable(words), "chartgate: "))
	}
	return err
}

// capable looks whether this process has the capabilities that root of a namespace has: an
// AppArmor restriction lets a namespace be made and leaves it without them.
func capable() error {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	s, err := ParseStatus(data)
	if err != nil {
		return err
	}
	if !has(s.Effective, capSysAdmin) {
		return errors.New("root in the namespace has no capabilities")
	}
	return nil
}

func named(op string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

func mountOverlay(options, target string) error {
	err := syscall.Mount("overlay", target, "overlay", 0, options+",userxattr")
	if errors.Is(err, syscall.EINVAL) { // before Linux 5.11, where a distribution allows it all the same
		err = syscall.Mount("overlay", target, "overlay", 0, options)
	}
	return named("mount", err)
}

// overlay mounts two folders over one another and does what a build does in them.
func overlay(dir string, mount func(options, target string) error) error {
	lower, upper, work, merged := filepath.Join(dir, "lower"), filepath.Join(dir, "upper"), filepath.Join(dir, "work"), filepath.Join(dir, "merged")
	defer os.RemoveAll(dir) // in here: outside, nobody may enter what overlayfs leaves behind
	for _, d := range []string{filepath.Join(lower, "folder"), upper, work, merged} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"changed", "removed", "folder/file"} {
		if err := os.WriteFile(filepath.Join(lower, name), []byte("below"), 0o644); err != nil {
			return err
		}
	}
	if err := mount(fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work), merged); err != nil {
		return err
	}
	defer syscall.Unmount(merged, syscall.MNT_DETACH)
	if err := os.WriteFile(filepath.Join(merged, "changed"), []byte("above"), 0o644); err != nil {
		return named("changing a file", err)
	}
	if err := os.Remove(filepath.Join(merged, "removed")); err != nil {
		return named("removing a file", err)
	}
	if err := os.RemoveAll(filepath.Join(merged, "folder")); err != nil {
		return named("removing a folder", err)
	}
	if err := os.Mkdir(filepath.Join(merged, "folder"), 0o755); err != nil { // an opaque folder
		return named("making a removed folder anew", err)
	}
	if entries, err := os.ReadDir(filepath.Join(merged, "folder")); err != nil || len(entries) > 0 {
		return errors.Join(fmt.Errorf("a folder made anew shows %d files of the one below", len(entries)), err)
	}
	return nil
}

// mountProc is the stage in a process namespace.
func mountProc() error {
	return named("mount", syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""))
}
