package yamllint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNoFile is the reason to leave alone what is a link, a device or the like.
var ErrNoFile = errors.New("it is not a regular file; name the file itself")

// FixFile repairs a file, whose path is relative to dir, as Fix does, and tells whether it was changed. The file is replaced at
// once, by one with the same mode; links are left alone, as they may lead anywhere.
func FixFile(dir, path string, cfg *Config) (changed bool, err error) {
	full := absolutePath(dir, path)
	info, err := os.Lstat(full)
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, ErrNoFile
	}
	data, err := ReadFile(dir, path)
	if err != nil {
		return false, err
	}
	fixed, err := Fix(data, filepath.ToSlash(path), cfg)
	if err != nil || bytes.Equal(fixed, data) {
		return false, err
	}
	if err := replaceFile(full, fixed, info.Mode().Perm()); err != nil {
		return false, fmt.Errorf("writing %q: %w", path, err)
	}
	return true, nil
}

// replaceFile writes a file beside another and puts it in its place.
func replaceFile(path string, data []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".yamllint-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
