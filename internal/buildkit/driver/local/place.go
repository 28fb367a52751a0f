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

// maxSocket is how long the path of a Unix socket may be on Linux, its closing zero left out.
const maxSocket = 107

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
		p.state, err = makeFolder(temporary(env), who)
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
	bases := []string{env("XDG_RUNTIME_DIR"), temporary(env), "/tmp"}
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
		os.Remove(dir)
	}
	return "", &driver.Error{Op: "making a folder for the daemon's socket", Err: errors.Join(errs...), Hint: "set TMPDIR to a short path that the job may write"}
}

func temporary(env func(string) string) string {
	if dir := env("TMPDIR"); filepath.IsAbs(dir) {
		return dir
	}
	return "/tmp"
}

func makeFolder(base string, who account) (string, error) {
	dir, err := os.MkdirTemp(base, "chartgate-")
	if err != nil || !who.Switch {
		return dir, err
	}
	if err := os.Chown(dir, who.UID, who.GID); err != nil {
		os.Remove(dir)
		return "", err
	}
	return dir, nil
}

// makeRoot makes the folder that is kept, unless it exists.
func makeRoot(dir string, who account) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		if who.Switch {
			return os.Chown(dir, who.UID, who.GID)
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
