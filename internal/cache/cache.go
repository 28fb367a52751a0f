// Package cache keeps what was computed, for the next run: in the store on this
// machine, and in an OCI repository that runners share.
//
// Whoever can write a cache could forge what it says, and neither a folder nor a
// repository knows who wrote. So entries are in scopes: what branches that anybody
// may push to have written is never read where it matters, and what protected refs
// have written is authenticated with a key that only they have. An entry is bound to
// its name: one that was edited, or moved to another name or scope, is a miss.
package cache

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"sync"

	"github.com/chartgate/chartgate/internal/store"
	"github.com/opencontainers/go-digest"
)

// Options are what a Cache is made of.
type Options struct {
	Access Access
	Store  *store.Store
	Shared *Shared // nil for none
}

// Cache is safe for use by several goroutines; a nil one remembers nothing.
type Cache struct {
	access Access
	store  *store.Store
	shared *Shared
}

// New makes a cache. It is nil where nothing may be read.
func New(opts Options) *Cache {
	if opts.Access.Scope == Closed || opts.Store == nil {
		return nil // nothing was asked of Shared yet
	}
	c := &Cache{access: opts.Access, store: opts.Store}
	if opts.Access.Shared {
		c.shared = opts.Shared
	}
	return c
}

// maxName bounds the names of entries; those who call make them of digests.
const maxName = 4 << 10

// Get returns what was put under a name, by a run that this one may believe.
// The result may be shared: do not change it.
func (c *Cache) Get(ctx context.Context, name string) ([]byte, bool) {
	if c == nil || len(name) > maxName {
		return nil, false
	}
	if data, ok := c.local(ctx, c.access.Scope, name); ok {
		return data, true
	}
	if c.shared == nil {
		return nil, false
	}
	scope := c.access.Scope.shared()
	if scope != c.access.Scope {
		if data, ok := c.local(ctx, scope, name); ok {
			return data, true
		}
	}
	sealed, ok := c.shared.get(ctx, c.tag(scope, name))
	if !ok {
		return nil, false
	}
	data, ok := c.open(scope, name, sealed)
	if ok {
		c.keep(ctx, scope, name, sealed)
	}
	return data, ok
}

// Prefetch brings entries of the shared repository here, many at a time, so that Get finds them.
func (c *Cache) Prefetch(ctx context.Context, names []string) {
	if c == nil || c.shared == nil {
		return
	}
	context.AfterFunc(ctx, c.shared.cancel) // a run that is cancelled writes no more either
	var wg sync.WaitGroup
	for _, name := range names {
		if _, ok := c.local(ctx, c.access.Scope, name); !ok {
			wg.Go(func() { c.Get(ctx, name) })
		}
	}
	wg.Wait()
}

// GetLocal is Get without the shared repository, for what is of use on this machine only.
func (c *Cache) GetLocal(ctx context.Context, name string) ([]byte, bool) {
	if c == nil || len(name) > maxName {
		return nil, false
	}
	return c.local(ctx, c.access.Scope, name)
}

// Put remembers data under a name. That it fails is no matter: it is computed again.
func (c *Cache) Put(ctx context.Context, name string, data []byte) {
	if c == nil || len(name) > maxName {
		return
	}
	c.keep(ctx, c.access.Scope, name, c.seal(c.access.Scope, name, data))
	if c.shared != nil {
		scope := c.access.Scope.shared()
		c.shared.put(c.tag(scope, name), c.seal(scope, name, data))
	}
}

// PutLocal is Put without the shared repository.
func (c *Cache) PutLocal(ctx context.Context, name string, data []byte) {
	if c != nil && len(name) <= maxName {
		c.keep(ctx, c.access.Scope, name, c.seal(c.access.Scope, name, data))
	}
}

// Close waits, for a bounded time, until the shared repository has what was put. Its error says why that
// repository was left alone, which is nothing to fail for.
func (c *Cache) Close() error {
	if c == nil || c.shared == nil {
		return nil
	}
	c.shared.close()
	return c.shared.Err()
}

func (c *Cache) local(ctx context.Context, scope Scope, name string) ([]byte, bool) {
	sealed, _, err := c.store.Lookup(ctx, c.ref(scope, name))
	if err != nil {
		return nil, false
	}
	return c.open(scope, name, sealed)
}

func (c *Cache) keep(ctx context.Context, scope Scope, name string, sealed []byte) {
	if d, err := c.store.Put(ctx, sealed); err == nil {
		c.store.SetRef(ctx, c.ref(scope, name), store.Entry{Digest: d})
	}
}

// ref names an entry in the store, tag in a repository. Neither is trusted: open is.
func (c *Cache) ref(scope Scope, name string) string { return "cache " + c.tag(scope, name) }

func (c *Cache) tag(scope Scope, name string) string {
	return string(scope) + "-" + hex.EncodeToString(c.mac("name", scope, name, nil)[:20])
}

const magic = "chartgate cache 1\n"

// seal puts the authentication before the data.
func (c *Cache) seal(scope Scope, name string, data []byte) []byte {
	out := append(make([]byte, 0, len(magic)+sha256.Size+len(data)), magic...)
	out = append(out, c.mac("entry", scope, name, data)...)
	return append(out, data...)
}

// open returns the data of an entry that is whole and is what name was given by
// somebody with the key.
func (c *Cache) open(scope Scope, name string, sealed []byte) ([]byte, bool) {
	const head = len(magic) + sha256.Size
	if len(sealed) < head || string(sealed[:len(magic)]) != magic {
		return nil, false
	}
	data := sealed[head:]
	return data, hmac.Equal(sealed[len(magic):head], c.mac("entry", scope, name, data))
}

// mac authenticates data under its scope and name, for one purpose. Outside of the protected scope the key is
// none, and the sum only binds the entry to its name.
func (c *Cache) mac(purpose string, scope Scope, name string, data []byte) []byte {
	var key []byte
	if scope == Protected {
		key = c.access.Key
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(magic + purpose + " " + string(scope) + "\n"))
	h.Write(binary.AppendUvarint(nil, uint64(len(name))))
	h.Write([]byte(name))
	h.Write(data)
	return h.Sum(nil)
}

// Sum is the digest of the strings, told apart by their lengths: what names of
// entries are made of.
func Sum(parts ...string) digest.Digest {
	h := sha256.New()
	var length [binary.MaxVarintLen64]byte
	for _, p := range parts {
		h.Write(length[:binary.PutUvarint(length[:], uint64(len(p)))])
		h.Write([]byte(p))
	}
	return digest.NewDigestFromBytes(digest.SHA256, h.Sum(nil))
}
