//go:build unix && !solaris && !illumos && !aix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockFile locks f until it is closed.
func lockFile(f *os.File, exclusive bool) error {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrBusy
		case errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOLCK):
			return nil // a file system without locks: see lockWait for why that will do
		}
		return fmt.Errorf("locking %q: %w", f.Name(), err)
	}
}
