package main

import (
	"github.com/chartgate/chartgate/internal/cache"
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
func (c *cacheFlags) open(std stdio, kept *store.Store) (*cache.Cache, error) {
	if c.off {
		return nil, nil
	}
	access, err := cache.Decide(std.Env, c.publishes)
	if err != nil {
		return nil, &usageError{err.Error(), "make one with openssl rand -hex 32"}
	}
	return cache.New(cache.Options{Access: access, Store: kept}), nil
}
