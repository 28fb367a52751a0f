package git

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

const (
	// maxLinks is how many symbolic links one path may lead through.
	maxLinks = 40
	// maxLinkTarget bounds what a symbolic link may hold.
	maxLinkTarget = 4096
)

var (
	// ErrOutside says that a symbolic link leads out of the repository.
	ErrOutside = errors.New("a symbolic link leads out of the repository")
	// ErrLinkLoop says that symbolic links lead in a circle, or nearly.
	ErrLinkLoop = errors.New("too many symbolic links")
)

// node is a file, folder or link of a listed tree. The listing is complete
// before anybody reads it, and never changes afterwards.
type node struct {
	name     string
	parent   *node // nil for the root
	mode     fs.FileMode
	id       string // of the blob; empty for a folder
	size     int64  // sizeUnknown if the object is not here
	children map[string]*node
	sorted   []*node
}

// sizeUnknown marks an object that a partial clone left behind.
const sizeUnknown = -1

func newFolder(name string, parent *node) *node {
	return &node{name: name, parent: parent, mode: fs.ModeDir | 0o755, children: map[string]*node{}}
}

// entry is one line of a listing.
type entry struct {
	mode, id, path string
	size           int64
}

// add puts an entry in its place. A tree object can be written by hand, so
// that no path is believed.
func (root *node) add(e entry) error {
	mode, err := fileMode(e.mode)
	if err != nil {
		return fmt.Errorf("reading the tree: %q: %w", e.path, err)
	}
	at := root
	elements := strings.Split(e.path, "/")
	for i, name := range elements {
		if name == "" || name == "." || name == ".." {
			return fmt.Errorf("reading the tree: %q is not a path inside the repository", e.path)
		}
		next, exists := at.children[name]
		last := i == len(elements)-1
		switch {
		case exists && (last || !next.mode.IsDir()):
			return fmt.Errorf("reading the tree: %q stands there twice", e.path)
		case !exists && last && !mode.IsDir():
			next = &node{name: name, parent: at, mode: mode, id: e.id, size: e.size}
		case !exists:
			next = newFolder(name, at)
		}
		at.children[name] = next
		at = next
	}
	return nil
}

// fileMode translates git's modes. A submodule is a folder whose files are
// another repository's: empty here, as in a clone without it.
func fileMode(mode string) (fs.FileMode, error) {
	switch mode {
	case "100644", "100664":
		return 0o644, nil
	case "100755":
		return 0o755, nil
	case "120000":
		return fs.ModeSymlink | 0o777, nil
	case "160000":
		return fs.ModeDir | 0o755, nil
	}
	return 0, fmt.Errorf("unknown file mode %q", mode)
}

// sort orders each folder's entries by name, once, for ReadDir.
func (n *node) sort() {
	n.sorted = make([]*node, 0, len(n.children))
	for _, child := range n.children {
		n.sorted = append(n.sorted, child)
		if child.children != nil {
			child.sort()
		}
	}
	slices.SortFunc(n.sorted, func(a, b *node) int { return strings.Compare(a.name, b.name) })
}

// walk follows a path from a folder. Links on the way are followed, the last
// element only if follow is set. What is not there is fs.ErrNotExist.
func (t *Tree) walk(from *node, path string, follow bool) (*node, error) {
	at, pending, links := from, strings.Split(path, "/"), 0
	for len(pending) > 0 {
		name := pending[0]
		pending = pending[1:]
		if at.children == nil {
			return nil, fs.ErrNotExist
		}
		switch name {
		case "", ".":
			continue
		case "..":
			if at.parent == nil {
				return nil, ErrOutside
			}
			at = at.parent
			continue
		}
		next := at.children[name]
		if next == nil {
			return nil, fs.ErrNotExist
		}
		if next.mode&fs.ModeSymlink == 0 || len(pending) == 0 && !follow {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return nil, ErrLinkLoop
		}
		target, err := t.readLink(next)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(target, "/") {
			return nil, ErrOutside
		}
		pending = append(strings.Split(target, "/"), pending...)
	}
	return at, nil
}

func (t *Tree) readLink(n *node) (string, error) {
	if n.size > maxLinkTarget {
		return "", fmt.Errorf("reading a symbolic link: its target is %d bytes long", n.size)
	}
	target, err := t.shared.read(n)
	if err == nil && (len(target) == 0 || strings.ContainsRune(string(target), 0)) {
		err = fs.ErrInvalid
	}
	return string(target), err
}

// info is what Stat says of a node.
type info struct {
	*node
	name string
	time time.Time
}

func (i info) Name() string               { return i.name }
func (i info) Size() int64                { return max(i.size, 0) }
func (i info) Mode() fs.FileMode          { return i.mode }
func (i info) ModTime() time.Time         { return i.time }
func (i info) IsDir() bool                { return i.mode.IsDir() }
func (i info) Sys() any                   { return Blob(i.id) }
func (i info) Type() fs.FileMode          { return i.mode.Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) String() string             { return fs.FormatFileInfo(i) }

// Blob is what the FileInfo of a file has for Sys: the id of its blob, which says what the
// file holds. It is empty for folders.
type Blob string

// ContentID names what the file holds.
func (b Blob) ContentID() string {
	if b == "" {
		return ""
	}
	return "git " + string(b)
}
