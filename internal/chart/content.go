package chart

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/opencontainers/go-digest"
)

// content is the files below a chart's Root. What a Memory knew the digest of is read when
// it is asked for.
type content struct {
	dir  Dir
	fsys fs.FS
	lim  Limits

	mu      sync.Mutex
	walked  []walked // in the order of the walk, which is that of Helm's loader
	byPath  []int    // of walked, sorted by path
	entries []Entry  // nil until all is read
	files   []archive.File
	size    int64
	moved   atomic.Bool
}

// walked is one file.
type walked struct {
	Entry
	ignored bool // kept out of the archive
	large   bool // its bytes are not kept
	unread  bool
}

func (c *content) sort() {
	c.byPath = make([]int, len(c.walked))
	for i := range c.byPath {
		c.byPath[i] = i
	}
	slices.SortFunc(c.byPath, func(a, b int) int { return strings.Compare(c.walked[a].Path, c.walked[b].Path) })
}

// sum is the digest of all files with their modes, as far as git keeps those: the rest is each
// machine's own, and no check looks at it.
func (c *content) sum() digest.Digest {
	h := digest.Canonical.Digester()
	for _, i := range c.byPath {
		e := &c.walked[i]
		mode := "-"
		if e.Mode&0o111 != 0 {
			mode = "x"
		}
		io.WriteString(h.Hash(), mode+" "+e.Digest.String()+" "+e.Path+"\x00")
	}
	return h.Digest()
}

// Files are the files that Helm loads, relative to Path, byte order marks dropped. Read-only.
func (c *content) Files() []archive.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readAll()
	return c.files
}

// File returns one of Files with its path in the repository.
func (c *content) File(name string) (source.File, bool) {
	full := path.Join(c.dir.Path, name)
	i, ok := c.find(relative(c.dir.Root, full))
	if !ok || c.walked[i].ignored {
		return source.File{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return source.File{Path: full, Data: bytes.TrimPrefix(c.readOne(i).Data, utf8BOM)}, true
}

// find returns the place in walked of the file at a path below Root.
func (c *content) find(name string) (int, bool) {
	at, ok := slices.BinarySearchFunc(c.byPath, name, func(i int, name string) int { return strings.Compare(c.walked[i].Path, name) })
	if !ok {
		return 0, false
	}
	return c.byPath[at], true
}

// Entries are all files below Root, sorted by path. Read-only.
func (c *content) Entries() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readAll()
	return c.entries
}

// Entry returns the file at a path below Root.
func (c *content) Entry(name string) (Entry, bool) {
	i, ok := c.find(name)
	if !ok {
		return Entry{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readOne(i), true
}

// Paths are the paths of all files below Root, sorted.
func (c *content) Paths() []string {
	paths := make([]string, len(c.byPath))
	for n, i := range c.byPath {
		paths[n] = c.walked[i].Path
	}
	return paths
}

// Size is the bytes of all files.
func (c *content) Size() int64 { return c.size }

// Held is the bytes of the files that are in memory.
func (c *content) Held() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var n int64
	for i := range c.walked {
		n += int64(len(c.walked[i].Data))
	}
	return n
}

// Moved reports whether a file changed between being listed and being read, so that Tree is not
// the digest of what was seen.
func (c *content) Moved() bool { return c.moved.Load() }

// release forgets the bytes; what has been handed out stays as it is.
func (c *content) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.walked {
		c.walked[i].Data, c.walked[i].unread = nil, true
	}
	c.entries, c.files = nil, nil
}

func (c *content) readAll() {
	if c.entries != nil {
		return
	}
	c.entries = make([]Entry, 0, len(c.walked))
	for _, i := range c.byPath {
		c.entries = append(c.entries, c.readOne(i))
	}
	for i := range c.walked {
		if w := &c.walked[i]; !w.ignored {
			name := relative(c.dir.Path, path.Join(c.dir.Root, w.Path))
			c.files = append(c.files, archive.File{Name: name, Data: bytes.TrimPrefix(w.Data, utf8BOM)})
		}
	}
}

func (c *content) readOne(i int) Entry {
	w := &c.walked[i]
	if w.unread && !w.large {
		data, err := fs.ReadFile(c.fsys, path.Join(c.dir.Root, w.Path))
		if int64(len(data)) > c.lim.File {
			data = data[:c.lim.File]
		}
		if err != nil || digest.FromBytes(data) != w.Digest {
			c.moved.Store(true)
		}
		w.Data, w.unread = data, false
	}
	return w.Entry
}
