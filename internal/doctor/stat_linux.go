package doctor

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

func stat(path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	f := File{Setuid: info.Mode()&os.ModeSetuid != 0, UID: -1}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		f.UID = int(sys.Uid)
	}
	data := make([]byte, 256)
	n, err := syscall.Getxattr(path, "security.capability", data)
	switch {
	case err == nil:
		f.Capability = data[:n]
	case !errors.Is(err, syscall.ENODATA) && !errors.Is(err, syscall.ENOTSUP):
		return f, fmt.Errorf("reading the capabilities of %q: %w", path, err)
	}
	return f, nil
}

func space(dir string) (Space, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return Space{}, fmt.Errorf("asking how full %q is: %w", dir, err)
	}
	size := uint64(s.Frsize)
	return Space{Free: s.Bavail * size, Total: s.Blocks * size, FreeFiles: s.Ffree, TotalFiles: s.Files}, nil
}
