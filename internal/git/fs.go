package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Tree is a revision, or the index, as a file system. It behaves as os.Root's:
// ReadDir and Lstat show symbolic links as such, everything else follows them,
// anywhere in the repository but never out of it (ErrOutside). Files carry
// their executable bit and the commit's time; submodules are empty folders;
// files are as they are stored, without filters (an LFS pointer is a pointer).
//
// It is safe for concurrent use. Close ends the git process that it reads
// with, and so does the end of the context that it was made with.
type Tree struct {
	shared *contents
	dir    *node
}

var (
	_ fs.ReadDirFS  = (*Tree)(nil)
	_ fs.ReadFileFS = (*Tree)(nil)
	_ fs.StatFS     = (*Tree)(nil)
	_ fs.SubFS      = (*Tree)(nil)
	_ fs.ReadLinkFS = (*Tree)(nil)
)

// Close ends the process behind the tree and all that were made of it by Sub.
func (t *Tree) Close() error { return t.shared.Close() }

// find is walk with the checks and errors of io/fs.
func (t *Tree) find(op, name string, follow bool) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := t.walk(t.dir, name, follow)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return n, nil
}

func (t *Tree) info(n *node, name string) info {
	return info{node: n, name: path.Base(name), time: t.shared.time}
}

// Open opens a file or folder.
func (t *Tree) Open(name string) (fs.File, error) {
	n, err := t.find("open", name, true)
	if err != nil {
		return nil, err
	}
	if n.mode.IsDir() {
		return &folder{info: t.info(n, name), entries: t.entries(n)}, nil
	}
	data, err := t.shared.read(n)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{info: t.info(n, name), Reader: bytes.NewReader(data)}, nil
}

// ReadFile returns what a file holds; the caller may change it.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	n, err := t.find("read", name, true)
	if err == nil && n.mode.IsDir() {
		err = &fs.PathError{Op: "read", Path: name, Err: errIsFolder}
	}
	if err != nil {
		return nil, err
	}
	data, err := t.shared.read(n)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return data, nil
}

// ReadDir lists a folder by name.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.find("readdir", name, true)
	if err == nil && !n.mode.IsDir() {
		err = &fs.PathError{Op: "readdir", Path: name, Err: errNotFolder}
	}
	if err != nil {
		return nil, err
	}
	return t.entries(n), nil
}

// Stat describes a file, links followed.
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	n, err := t.find("stat", name, true)
	if err != nil {
		return nil, err
	}
	return t.info(n, name), nil
}

// Lstat describes a file; a link is described itself.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	n, err := t.find("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return t.info(n, name), nil
}

// ReadLink returns the target of a symbolic link as it was stored.
func (t *Tree) ReadLink(name string) (string, error) {
	n, err := t.find("readlink", name, false)
	if err == nil && n.mode&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	target, err := t.readLink(n)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return target, nil
}

// Sub is the file system of one folder. Links in it may still lead elsewhere
// in the repository.
func (t *Tree) Sub(dir string) (fs.FS, error) {
	sub, err := t.sub(dir)
	if err != nil {
		return nil, err
	}
	return sub, nil
}

func (t *Tree) sub(dir string) (*Tree, error) {
	n, err := t.find("sub", dir, true)
	if err == nil && !n.mode.IsDir() {
		err = &fs.PathError{Op: "sub", Path: dir, Err: errNotFolder}
	}
	if err != nil {
		return nil, err
	}
	return &Tree{shared: t.shared, dir: n}, nil
}

func (t *Tree) entries(n *node) []fs.DirEntry {
	list := make([]fs.DirEntry, len(n.sorted))
	for i, child := range n.sorted {
		list[i] = t.info(child, child.name)
	}
	return list
}

var (
	errIsFolder  = errors.New("is a folder")
	errNotFolder = errors.New("is not a folder")
)

// file is an open file.
type file struct {
	info info
	*bytes.Reader
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

// folder is an open folder.
type folder struct {
	info    info
	entries []fs.DirEntry
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }

func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: errIsFolder}
}

func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.entries)
	} else if len(f.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.entries))
	list := f.entries[:n:n]
	f.entries = f.entries[n:]
	return list, nil
}

func tooLarge(size int64) error {
	return fmt.Errorf("the file has %d bytes, more than the %d that are read", size, maxBlob)
}
