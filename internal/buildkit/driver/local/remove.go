//go:build linux

package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// removeBound is how long the removal of a state folder may take.
const removeBound = 5 * time.Minute

// removeFolders removes the folders of the run.
func (p plan) removeFolders() error {
	var err error
	if p.Temporary {
		err = p.remove(p.State)
	}
	return errors.Join(err, p.remove(p.Run))
}

// makeTemporary makes the folder of the daemon's temporary files, which it leaves behind when
// it is killed: in one of its own, they can be found.
func (p plan) makeTemporary() (string, error) {
	dir := filepath.Join(p.State, "chartgate-tmp")
	if err := p.remove(dir); err != nil {
		return "", err
	}
	return dir, os.Mkdir(dir, 0o700)
}

// remove removes a folder. Files in a daemon's state belong to subordinate ids, and its
// folders may be closed to everybody: what this user may not remove, a process inside a
// user namespace like the daemon's does.
func (p plan) remove(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	return p.removeInside(dir)
}

func (p plan) removeInside(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), removeBound)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// The state of this rootlesskit lies beside what is removed, not in it.
	args := []string{"--net=host", "--state-dir=" + filepath.Clean(dir) + ".rk", self}
	args = append(append(args, selfArgs()...), actRemove, dir)
	cmd := exec.CommandContext(ctx, p.Rootlesskit[0], args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	out, err := cmd.CombinedOutput()
	// The folder itself lies in one that only the user outside may write.
	if gone := os.RemoveAll(dir); gone == nil {
		return nil
	}
	if err == nil {
		err = errors.New("it is still there")
	}
	if text := strings.TrimSpace(string(out)); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	return fmt.Errorf("removing %q: %w", dir, err)
}
