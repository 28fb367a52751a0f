package chart

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// Memory knows what files held when they were last read, by what the file system says of them,
// and what charts were made of such files, so that what did not change is
// not read again. It is safe for use by several goroutines; a nil one knows nothing.
type Memory struct {
	// GitIDs has files' ids in git noted too, so that a revision of the same files need not be read.
	GitIDs bool

	mu    sync.Mutex
	old   memorised
	now   memorised
	fresh bool
}

// memorised is what is known, from one run.
type memorised struct {
	files map[string]mark // by path
	facts map[string]json.RawMessage
}

// mark is a file as the file system had it, and the digest of what it held.
type mark struct {
	size, mtime, ctime int64 // bytes, nanoseconds
	inode, device      uint64
	sum                string // of SHA-256, 32 bytes
}

// facts are what a run asks of every chart that loads.
type facts struct {
	Metadata *helmchart.Metadata
	Package  digest.Digest
}

// settled is how old a file's times must be: of one that changed less long ago, the next change
// may show in neither its times nor its size.
const settled = 2 * time.Second

// NewMemory returns a memory without anything in it.
func NewMemory() *Memory {
	return &Memory{old: newMemorised(), now: newMemorised()}
}

func newMemorised() memorised {
	return memorised{files: map[string]mark{}, facts: map[string]json.RawMessage{}}
}

// file returns the digest of what a file holds, if it is as it was.
func (m *Memory) file(name string, info fs.FileInfo) (digest.Digest, bool) {
	if m == nil {
		return "", false
	}
	name, now, ok := identify(name, info)
	if !ok {
		return "", false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	was, ok := m.old.files[name]
	if !ok && now.content() {
		was, ok = m.now.files[name]
	}
	now.sum = was.sum
	if !ok || was != now {
		return "", false
	}
	m.now.files[name] = was
	return digest.NewDigestFromBytes(digest.SHA256, []byte(was.sum)), true
}

// seen notes what a file held; data is nil where that is large. Info is from before it was read.
func (m *Memory) seen(name string, info fs.FileInfo, sum digest.Digest, data []byte) {
	raw, err := rawSum(sum)
	if m == nil || err != nil {
		return
	}
	name, now, ok := identify(name, info)
	ok = ok && (now.content() || time.Since(time.Unix(0, max(now.mtime, now.ctime))) >= settled)
	gitID := ""
	if m.GitIDs && data != nil && !now.content() {
		h := sha1.New()
		fmt.Fprintf(h, "blob %d\x00", len(data))
		h.Write(data)
		gitID = contentName("git " + hex.EncodeToString(h.Sum(nil)))
	}
	now.sum = raw
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh = m.fresh || ok
	if ok {
		m.now.files[name] = now
	}
	if gitID != "" {
		m.now.files[gitID] = mark{size: int64(len(data)), sum: raw}
	}
}

// content reports whether the file is known by what it holds, so that it never changes.
func (m mark) content() bool { return m.inode == 0 }

func contentName(id string) string { return "\x00" + id }

// identify is what a file is known by: by what its file system says that it holds, or by its path and
// what the system says of it.
func identify(name string, info fs.FileInfo) (string, mark, bool) {
	if content, ok := info.Sys().(interface{ ContentID() string }); ok && content.ContentID() != "" {
		return contentName(content.ContentID()), mark{size: info.Size()}, true
	}
	m, ok := markOf(info)
	return name, m, ok
}

// recall returns what is known of a chart with these files; nil if nothing.
func (m *Memory) recall(c *Chart) *facts {
	if m == nil {
		return nil
	}
	key := factsKey(c)
	m.mu.Lock()
	raw, ok := m.old.facts[key]
	if ok {
		m.now.facts[key] = raw
	}
	m.mu.Unlock()
	f := new(facts)
	if !ok || json.Unmarshal(raw, f) != nil || f.Metadata == nil || f.Package.Validate() != nil {
		return nil
	}
	return f
}

// Note remembers what there is to know of a chart that loads.
func (m *Memory) Note(c *Chart) {
	if m == nil || m.notes(factsKey(c)) || c.walkErr != nil || c.Err() != nil || c.Moved() {
		return
	}
	pkg, err := c.Package()
	if err != nil {
		return
	}
	raw, err := json.Marshal(facts{Metadata: c.Metadata(), Package: pkg})
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.facts[factsKey(c)], m.fresh = raw, true
}

// notes reports whether a chart was noted.
func (m *Memory) notes(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.now.facts[key]
	return ok
}

func factsKey(c *Chart) string {
	return c.Tree().Encoded() + " " + c.Layout.String() + " " + c.Path
}
