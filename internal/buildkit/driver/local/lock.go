//go:build linux

package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockFolder takes a folder for this process. Another run may use a kept state for a while.
func lockFolder(ctx context.Context, dir string, within time.Duration, reports *reporter) (*os.File, error) {
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking a folder: %w", err)
	}
	deadline := time.Now().Add(within)
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("locking %q: %w", name, err)
		}
		if !time.Now().Before(deadline) {
			f.Close()
			return nil, fmt.Errorf("another run %s %q, and did for %s", usesRoot, dir, within)
		}
		if !told {
			reports.send(report{Waiting: dir})
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// usesRoot is how an error of lockFolder is recognised.
const usesRoot = "uses the root"

// staleAge is how old what looks left behind has to be: a folder is made a moment
// before its lock is taken.
const staleAge = time.Minute

// sweep removes the folders of runs whose supervisor was killed, beside those of this one.
func (p plan) sweep() {
	for _, base := range []string{filepath.Dir(p.Run), filepath.Dir(p.State)} {
		entries, err := os.ReadDir(base)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			dir := filepath.Join(base, entry.Name())
			if strings.HasPrefix(entry.Name(), folderPrefix) && dir != p.Run && dir != p.State && stale(dir) {
				_ = p.remove(dir) // as far as it goes
			}
		}
	}
}

// stale says whether a folder is one of ours that nobody uses.
func stale(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		return false
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	made, err := f.Stat()
	if err != nil || time.Since(made.ModTime()) < staleAge {
		return false
	}
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
