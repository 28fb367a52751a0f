package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/opencontainers/go-digest"
)

// Entry is what a reference says of its content.
type Entry struct {
	// Digest is the content's.
	Digest digest.Digest `json:"digest"`
	// ETag and LastModified are what the server said, to ask whether the content changed.
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	// Expires is until when the reference may be believed without asking. Zero: for ever.
	Expires time.Time `json:"expires,omitzero"`
	// Metadata is the caller's own.
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Fresh reports whether the reference may be believed without asking.
func (e Entry) Fresh(now time.Time) bool { return e.Expires.IsZero() || now.Before(e.Expires) }

// refFile is a reference on disk. The key is in it since the file's name is only its hash.
type refFile struct {
	Key string `json:"key"`
	Entry
}

const (
	maxKey = 8 << 10
	maxRef = 1 << 20
)

// SetRef names content. The content need not be in the store.
func (s *Store) SetRef(ctx context.Context, key string, e Entry) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("naming content: a key has 1 to %d bytes, this one has %d", maxKey, len(key))
	}
	if err := validate(e.Digest); err != nil {
		return fmt.Errorf("naming content %q: %w", key, err)
	}
	data, err := json.Marshal(refFile{Key: key, Entry: e})
	if err != nil {
		return fmt.Errorf("naming content %q: %w", key, err)
	}
	if len(data) > maxRef {
		return fmt.Errorf("naming content %q: %d bytes of metadata, and the store takes %d at most", key, len(data), maxRef)
	}
	if s.Degraded() == nil {
		err := s.writeFile(refName(key), data)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if err = s.degrade(err); err != nil {
			return fmt.Errorf("naming content %q: %w", key, err)
		}
	}
	s.mem.setRef(key, e)
	return nil
}

// GetRef returns what key names, whether or not it has expired or its content is still there. The error is ErrNotFound if it names nothing.
func (s *Store) GetRef(_ context.Context, key string) (Entry, error) {
	if e, ok := s.mem.ref(key); ok {
		return e, nil
	}
	if s.root == nil || key == "" || len(key) > maxKey {
		return Entry{}, fmt.Errorf("finding %q: %w", key, ErrNotFound)
	}
	name := refName(key)
	data, info, err := s.readFile(name, maxRef)
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, fmt.Errorf("finding %q: %w", key, ErrNotFound)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("finding %q: %w", key, err)
	}
	var f refFile
	if err := json.Unmarshal(data, &f); err != nil || f.Key != key || validate(f.Digest) != nil {
		if s.Degraded() == nil {
			s.root.Remove(name)
		}
		return Entry{}, &CorruptError{Name: fmt.Sprintf("reference %q", key)}
	}
	s.touch(name, info)
	return f.Entry, nil
}

// Lookup returns the content that key names together with what the reference says; ErrNotFound if either is missing.
func (s *Store) Lookup(ctx context.Context, key string) ([]byte, Entry, error) {
	e, err := s.GetRef(ctx, key)
	if err != nil {
		return nil, Entry{}, err
	}
	data, err := s.Get(ctx, e.Digest)
	return data, e, err
}

func refName(key string) string {
	hex := digest.FromString(key).Encoded()
	return path.Join(refsDir, hex[:2], hex+".json")
}
