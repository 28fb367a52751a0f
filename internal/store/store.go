// Package store is a content-addressed store on disk that processes share: what was fetched or computed once is there for the next job.
//
// Content is found by its digest and verified whenever it is read, so that a torn or tampered file is a miss and never wrong content. A
// reference is a name for content (the index of a repository, the chart behind a tag) with what it takes to ask again whether it is still so.
// Everything in a store may vanish at any time, by eviction or by hand: callers treat ErrNotFound as "fetch it".
//
// Secrets have no place in it.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"
)

// ErrNotFound says that the store does not have the content or the reference, or no longer.
var ErrNotFound = errors.New("not in the store")

// Options are how a store behaves. A zero field means its default.
type Options struct {
	// MaxBytes is what the store may take on disk: 2 GiB. It may take more for a while, since what was used within Grace is not evicted.
	MaxBytes int64
	// MaxEntry is the most bytes of one content: 128 MiB.
	MaxEntry int64
	// MaxMemory is what is kept in memory where the folder cannot be written: 256 MiB.
	MaxMemory int64
	// Grace is how long after its last use content is safe from eviction: 10 minutes.
	Grace time.Duration
	// Fallback keeps new content in memory, for the life of the process, where the folder cannot be written, instead of failing; what
	// the folder already has is still read. Degraded tells.
	Fallback bool
}

func (o Options) withDefaults() Options {
	set := func(field *int64, value int64) {
		if *field <= 0 {
			*field = value
		}
	}
	set(&o.MaxBytes, 2<<30)
	set(&o.MaxEntry, 128<<20)
	set(&o.MaxMemory, 256<<20)
	if o.Grace <= 0 {
		o.Grace = 10 * time.Minute
	}
	return o
}

// Store is safe for use by several goroutines, its folder by several processes.
type Store struct {
	dir  string
	root *os.Root // nil if there is no folder to read
	opt  Options
	mem  memory

	mu       sync.Mutex
	degraded error // why the folder is not written to, nil if it is

	added atomic.Int64 // bytes written since the last look at the size
}

// UnwritableError says that the folder of a store cannot be written.
type UnwritableError struct {
	Dir string
	Err error
}

func (e *UnwritableError) Error() string {
	return fmt.Sprintf("opening store %q: cannot write there: %v", e.Dir, e.Err)
}

func (e *UnwritableError) Unwrap() error { return e.Err }

// Hint is what a user can do about it.
func (e *UnwritableError) Hint() string {
	return "set CHARTGATE_CACHE_DIR to a folder that this user can write"
}

// DefaultDir is chartgate's folder within the user's cache folder.
func DefaultDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w", err)
	}
	return filepath.Join(dir, "chartgate"), nil
}

// The folders of a store. The version changes with the layout: two releases of the program may share a cache folder.
const (
	layout   = "v1"
	blobsDir = "blobs/sha256"
	refsDir  = "refs"
	tmpDir   = "tmp"
	lockName = "lock"
)

// Open opens the store in dir, making the folder if need be. It fails with *UnwritableError where the folder cannot be written,
// unless opt.Fallback is set.
func Open(dir string, opt Options) (*Store, error) {
	s := &Store{dir: filepath.Join(dir, layout), opt: opt.withDefaults()}
	s.mem.max = s.opt.MaxMemory
	err := s.prepare()
	if err == nil {
		return s, nil
	}
	err = &UnwritableError{Dir: dir, Err: err}
	if !opt.Fallback {
		if s.root != nil {
			s.root.Close()
		}
		return nil, err
	}
	s.degraded = err
	return s, nil
}

// InMemory is a store without a folder, for the life of the process.
func InMemory(opt Options) *Store {
	s := &Store{opt: opt.withDefaults(), degraded: errInMemory}
	s.mem.max = s.opt.MaxMemory
	return s
}

// errInMemory is why a store without a folder is not written to disk: nobody asked for it.
var errInMemory = errors.New("the store is in memory")

// prepare makes the folders and tries a write. The root is open afterwards if the folder can at least be read.
func (s *Store) prepare() error {
	mkdirErr := os.MkdirAll(s.dir, 0o700)
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return errors.Join(mkdirErr, err)
	}
	s.root = root
	for _, d := range []string{blobsDir, refsDir, tmpDir} {
		if err := root.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	tmp, err := s.writeTemp(nil)
	if err != nil {
		return err
	}
	return root.Remove(tmp)
}

// Dir is the folder of the store's content, the version of its layout included.
func (s *Store) Dir() string { return s.dir }

// Degraded is why new content is kept in memory only, nil if it is not.
func (s *Store) Degraded() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.degraded
}

// degrade turns to memory after a failed write, or hands the failure on.
func (s *Store) degrade(err error) error {
	if !s.opt.Fallback {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.degraded == nil {
		s.degraded = &UnwritableError{Dir: s.dir, Err: err}
	}
	return nil
}

// Put stores content and returns its digest. The content is not kept by the store unless it is degraded; the caller must not change it then.
func (s *Store) Put(ctx context.Context, data []byte) (digest.Digest, error) {
	d := digest.FromBytes(data)
	if int64(len(data)) > s.opt.MaxEntry {
		return "", fmt.Errorf("storing %s: %d bytes, and the store takes %d at most", d, len(data), s.opt.MaxEntry)
	}
	if s.Degraded() == nil {
		err := s.putFile(ctx, d, data)
		if err == nil {
			s.pruneIfLarge(ctx)
			return d, nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("storing %s: %w", d, ctx.Err())
		}
		if err = s.degrade(err); err != nil {
			return "", fmt.Errorf("storing %s: %w", d, err)
		}
	}
	s.mem.put(d, data)
	return d, nil
}

func (s *Store) putFile(ctx context.Context, d digest.Digest, data []byte) error {
	// Shared with other writers, not with an eviction: what is found here must not vanish before it is marked as used.
	unlock, err := s.lock(ctx, false)
	if err != nil {
		return err
	}
	defer unlock()
	name := blobName(d)
	if info, err := s.root.Stat(name); err == nil && info.Size() == int64(len(data)) {
		s.touch(name, info)
		return nil
	}
	return s.writeFile(name, data)
}

// writeFile gives name its content in one step. Nothing is synced: after a crash, what is torn is found out when it is read.
func (s *Store) writeFile(name string, data []byte) error {
	tmp, err := s.writeTemp(data)
	if err != nil {
		return err
	}
	if err := s.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		s.root.Remove(tmp)
		return err
	}
	if err := s.root.Rename(tmp, name); err != nil {
		s.root.Remove(tmp)
		return err
	}
	s.added.Add(int64(len(data)))
	return nil
}

// Get returns content, verified. The error is ErrNotFound if the store does not have it, or had it damaged; the latter
// is removed, and the error is a *CorruptError too. The result may be shared: do not change it.
func (s *Store) Get(ctx context.Context, d digest.Digest) ([]byte, error) {
	if err := validate(d); err != nil {
		return nil, err
	}
	if data, ok := s.mem.get(d); ok {
		return data, nil
	}
	if s.root == nil {
		return nil, fmt.Errorf("reading %s: %w", d, ErrNotFound)
	}
	data, info, err := s.readFile(blobName(d), s.opt.MaxEntry)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", d, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", d, err)
	}
	if digest.FromBytes(data) != d {
		s.removeCorrupt(ctx, d)
		return nil, &CorruptError{Name: d.String()}
	}
	s.touch(blobName(d), info)
	return data, nil
}

// Has reports whether the store has content, though not whether it is whole: only Get tells.
func (s *Store) Has(d digest.Digest) bool {
	if validate(d) != nil {
		return false
	}
	if _, ok := s.mem.get(d); ok {
		return true
	}
	if s.root == nil {
		return false
	}
	_, err := s.root.Stat(blobName(d))
	return err == nil
}

// CorruptError says that content did not have its digest, or that a reference could not be read. It is an ErrNotFound: the entry is gone.
type CorruptError struct{ Name string }

func (e *CorruptError) Error() string { return fmt.Sprintf("reading %s: damaged, and removed", e.Name) }

// Is makes a damaged entry one that is not there.
func (e *CorruptError) Is(target error) bool { return target == ErrNotFound }

// removeCorrupt removes content that is still damaged when nobody else can be writing it.
func (s *Store) removeCorrupt(ctx context.Context, d digest.Digest) {
	if s.Degraded() != nil {
		return
	}
	unlock, err := s.lock(ctx, true)
	if err != nil {
		return
	}
	defer unlock()
	data, _, err := s.readFile(blobName(d), s.opt.MaxEntry)
	if err == nil && digest.FromBytes(data) != d {
		s.root.Remove(blobName(d))
	}
}

// readFile reads a file of at most limit bytes; one that is longer comes cut, and so fails its verification.
func (s *Store) readFile(name string, limit int64) ([]byte, fs.FileInfo, error) {
	f, err := s.root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%q is not a regular file", name)
	}
	data := make([]byte, 0, min(info.Size(), limit)+1)
	for int64(len(data)) <= limit {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
	return data, info, nil
}

// touchEvery is how exactly the time of the last use is known. A finer clock would cost a write for every read.
const touchEvery = time.Minute

// touch marks a file as used now. That it fails is no matter: the file is then evicted earlier.
func (s *Store) touch(name string, info fs.FileInfo) {
	now := time.Now()
	if now.Sub(info.ModTime()) > touchEvery && s.Degraded() == nil {
		s.root.Chtimes(name, now, now)
	}
}

// Close evicts what is too much and lets go of the folder.
func (s *Store) Close() error {
	var err error
	if s.added.Load() > 0 && s.Degraded() == nil && s.pruneDue() {
		_, err = s.Prune(context.Background())
		if errors.Is(err, ErrBusy) {
			err = nil // another process is at it
		}
	}
	if s.root != nil {
		err = errors.Join(err, s.root.Close())
	}
	return err
}

func blobName(d digest.Digest) string {
	hex := d.Encoded()
	return path.Join(blobsDir, hex[:2], hex)
}

// validate keeps anything but a SHA-256 digest from becoming part of a path.
func validate(d digest.Digest) error {
	if err := d.Validate(); err != nil || d.Algorithm() != digest.SHA256 {
		return fmt.Errorf("reading %q: not a SHA-256 digest", d)
	}
	return nil
}
