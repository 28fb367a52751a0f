package deps

import (
	"context"

	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/store"
)

// IndexMemory keeps the indexes of chart repositories in a store, so that the next run asks
// only whether they have changed.
func IndexMemory(s *store.Store) registry.IndexMemory {
	key := func(url string) string { return "index " + url }
	return registry.IndexMemory{
		Load: func(ctx context.Context, url string) ([]byte, registry.Seen, bool) {
			data, e, err := s.Lookup(ctx, key(url))
			return data, registry.Seen{ETag: e.ETag, LastModified: e.LastModified}, err == nil
		},
		Keep: func(ctx context.Context, url string, compact []byte, seen registry.Seen) {
			sum, err := s.Put(ctx, compact)
			if err == nil { // what cannot be kept is fetched again
				_ = s.SetRef(ctx, key(url), store.Entry{Digest: sum, ETag: seen.ETag, LastModified: seen.LastModified})
			}
		},
	}
}
