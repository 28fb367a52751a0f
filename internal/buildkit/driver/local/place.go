//go:build linux

package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

// maxSocket is how long the path of a socket may be for buildkitd, which is stricter than Linux.
const maxSocket = 104

// longest is the longest path of a socket below the folder of a run. It is not ours:
// buildkitd's for traces.
const longest = "/buildkit/otel-grpc.sock"

// place is the folders of one run.
type place struct {
	run       string // the socket's
	state     string // the daemon's
	temporary bool
}

// makePlace makes the folders, which belong to who and are closed to others.
func makePlace(o *options, env func(string) string, who account) (place, error) {
	run, err := makeRun(env, who)
	if err != nil {
		return place{}, err
	}
	p := place{run: run, state: o.Root}
	if o.Root == "" {
		// Not beside the socket: XDG_RUNTIME_DIR is a small file system in memory.
		p.temporary = true
		p.state, err = makeFolder(temporary(env, who), who)
	} else {
		err = makeRoot(o.Root, who)
	}
	if err != nil {
		os.RemoveAll(run)
		return place{}, &driver.Error{Op: "starting buildkitd", Err: err, Hint: "name a folder that the job may write with --driver-opt root=FOLDER, or with TMPDIR"}
	}
	return p, nil
}

// makeRun makes the folder of the socket in the first place where it fits.
func makeRun(env func(string) string, who account) (string, error) {
	bases := []string{env("XDG_RUNTIME_DIR"), temporary(env, who), "/tmp"}
	if who.Switch {
		bases = bases[1:] // it is root's
	}
	var errs []error
	for _, base := range bases {
		if !filepath.IsAbs(base) {
			continue
		}
		dir, err := makeFolder(base, who)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if len(dir)+len(longest) <= maxSocket {
			return dir, nil
		}
		errs = append(errs, fmt.Errorf("%q is too long a path for a socket", base))
		os.RemoveAll(dir)
	}
	return "", &driver.Error{Op: "making a folder for the daemon's socket", Err: errors.Join(errs...), Hint: "set TMPDIR to a short path that the job may write"}
}

// temporary is the folder of temporary files that the account can reach.
func temporary(env func(string) string, who account) string {
	if dir := env("TMPDIR"); filepath.IsAbs(dir) && reachable(dir, who) == nil {
		return dir
	}
	return "/tmp"
}

// reachable says whether the account may go into a folder and those above it. It is asked
// of another account only; groups are left out.
func reachable(dir string, who account) error {
	if !who.Switch {
		return nil
	}
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if mine := ok && int(owner.Uid) == who.UID; info.Mode()&0o001 == 0 && !(mine && info.Mode()&0o100 != 0) {
			return fmt.Errorf("user %q, whom the daemon runs as, may not go into %q", who.Name, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// Folders that a run leaves behind when even its supervisor is killed are recognised by
// their names and by a file that no process holds a lock on.
const (
	folderPrefix = "chartgate-buildkit-"
	lockName     = "chartgate.lock"
)

func makeFolder(base string, who account) (string, error) {
	dir, err := os.MkdirTemp(base, folderPrefix)
	if err != nil {
		return "", err
	}
	lock := filepath.Join(dir, lockName)
	err = os.WriteFile(lock, nil, 0o600)
	for _, made := range []string{lock, dir} { // in this order: what is in dir is then who's to change
		if err == nil && who.Switch {
			err = os.Lchown(made, who.UID, who.GID)
		}
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", err
	}
	return dir, nil
}

// makeRoot makes the folder that is kept, unless it exists.
func makeRoot(dir string, who account) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := reachable(filepath.Dir(dir), who); err != nil {
		return err
	}
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		if who.Switch {
			return os.Lchown(dir, who.UID, who.GID)
		}
		return nil
	case !errors.Is(err, os.ErrExist):
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%q is no folder", dir)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != who.UID {
		return fmt.Errorf("%q belongs to user %d, and the daemon runs as %d", dir, owner.Uid, who.UID)
	}
	return nil
}
