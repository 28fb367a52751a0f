package main

import (
	"fmt"
	"io"

	"github.com/chartgate/chartgate/internal/cache"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/store"
	"github.com/spf13/pflag"
)

// sharedCacheVariable names the repository that runners share their results in.
const sharedCacheVariable = "CHARTGATE_RESULT_CACHE"

// cacheFlags are those of the result cache.
type cacheFlags struct {
	shared string
	off    bool
	// publishes says that what passes goes out: fewer entries are believed then.
	publishes bool
}

func (c *cacheFlags) register(f *pflag.FlagSet) {
	f.StringVar(&c.shared, "result-cache", "", "oci://REGISTRY/PATH: share results of checks with other runners there (default: $"+sharedCacheVariable+")")
	f.BoolVar(&c.off, "no-result-cache", false, "compute every result afresh, and remember none")
}

// open opens the cache of results; nil for none.
func (c *cacheFlags) open(std stdio, kept *store.Store, client *registry.Client) (*cache.Cache, error) {
	if c.off {
		return nil, nil
	}
	access, err := cache.Decide(std.Env, c.publishes)
	if err != nil {
		return nil, &usageError{err.Error(), "make one with openssl rand -hex 32"}
	}
	opts := cache.Options{Access: access, Store: kept}
	url := c.shared
	if url == "" {
		url = std.Env(sharedCacheVariable)
	}
	if url != "" {
		if opts.Shared, err = cache.OpenShared(client, url, cache.SharedOptions{}); err != nil {
			return nil, &usageError{err.Error(), "--result-cache oci://registry.example.com/group/project/chartgate-cache names a repository"}
		}
	}
	return cache.New(opts), nil
}

// closeCache waits for what is still to be written, and says if others could not be asked: the run is
// right without them, only slower.
func closeCache(w io.Writer, results *cache.Cache) {
	if err := results.Close(); err != nil {
		fmt.Fprintf(w, "chartgate: %v\n", err)
	}
}
