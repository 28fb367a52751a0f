package store

import (
	"maps"
	"sync"

	"github.com/opencontainers/go-digest"
)

// maxMemoryRefs bounds the references that are kept in memory.
const maxMemoryRefs = 100_000

// memory is where a degraded store keeps what is new, oldest first out. Its zero value, with max set, is ready.
type memory struct {
	mu    sync.Mutex
	max   int64
	size  int64
	blobs map[digest.Digest][]byte
	order []digest.Digest
	refs  map[string]Entry
}

func (m *memory) put(d digest.Digest, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.blobs[d]; ok || int64(len(data)) > m.max {
		return
	}
	if m.blobs == nil {
		m.blobs = map[digest.Digest][]byte{}
	}
	m.blobs[d] = data
	m.order = append(m.order, d)
	m.size += int64(len(data))
	for m.size > m.max {
		oldest := m.order[0]
		m.order = m.order[1:]
		m.size -= int64(len(m.blobs[oldest]))
		delete(m.blobs, oldest)
	}
}

func (m *memory) get(d digest.Digest) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.blobs[d]
	return data, ok
}

func (m *memory) setRef(key string, e Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refs == nil || len(m.refs) >= maxMemoryRefs {
		m.refs = map[string]Entry{}
	}
	e.Metadata = maps.Clone(e.Metadata)
	m.refs[key] = e
}

func (m *memory) ref(key string) (Entry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.refs[key]
	e.Metadata = maps.Clone(e.Metadata)
	return e, ok
}
