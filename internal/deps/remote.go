package deps

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/store"
	"github.com/opencontainers/go-digest"
)

// fetched is an archive that was found in a repository and is in the store.
type fetched struct {
	blob    digest.Digest // of the archive
	version string        // that was asked for
	from    string        // the URL that was asked
}

// takeRemote finds a dependency in a registry or a chart repository.
func (r *Resolver) takeRemote(ctx context.Context, n *node, s step, to place) result {
	// A lock's version and the same one in Chart.yaml are one question.
	q := query{repository: to.url, name: s.name, version: s.version, locked: s.locked && !isExact(s.version)}
	got, c, err := r.get(ctx, q)
	if err != nil {
		return result{err: err}
	}
	if err := s.checkFound(c.chart.Metadata, got.version, got.from); err != nil {
		return result{err: err}
	}
	if err := n.admit(c.size); err != nil {
		return result{err: err}
	}
	origin := OriginHTTP
	if registry.IsOCI(to.url) {
		origin = OriginOCI
	}
	d := s.dependency(c.chart.Metadata.Version, show(got.from), origin, &graph{chart: c.chart})
	d.Digest, d.StandIn = c.files, to.standIn
	return result{dep: d, entry: entryName(q, got)}
}

// entryName is what Helm calls the archive in charts/.
func entryName(q query, got fetched) string {
	if registry.IsOCI(got.from) {
		return fmt.Sprintf("%s-%s.tgz", q.name, registry.TagOf(got.version))
	}
	return path.Base(show(got.from))
}

// query is what is asked of a repository. Equal queries are asked once.
type query struct {
	repository, name, version string
	locked                    bool
}

func (q query) key() string {
	return fmt.Sprintf("%s %s %s %t", q.repository, q.name, q.version, q.locked)
}

// get fetches an archive, or finds it in the store, and parses it. What fell out of the store meanwhile is fetched once more.
func (r *Resolver) get(ctx context.Context, q query) (fetched, parsedChart, error) {
	for again := false; ; again = true {
		got, err := r.fetches.do(ctx, q.key(), func(ctx context.Context) (fetched, error) { return r.fetch(ctx, q) })
		if err != nil {
			return got, parsedChart{}, err
		}
		if c, ok := r.parsed.get(got.blob); ok {
			return got, c, nil
		}
		data, err := r.opt.Store.Get(ctx, got.blob)
		if errors.Is(err, store.ErrNotFound) && !again {
			r.fetches.forget(q.key())
			continue
		}
		if err != nil {
			return got, parsedChart{}, err
		}
		c, err := r.parse(got.blob, data)
		if err != nil {
			err = &fault{kind: KindArchive, tried: []string{show(got.from)}, err: fmt.Errorf("the archive at %s: %w", show(got.from), err)}
		}
		return got, c, err
	}
}

// fetch answers a query. What was answered is noted for runs without a network.
func (r *Resolver) fetch(ctx context.Context, q query) (fetched, error) {
	if r.opt.Offline {
		return r.recall(ctx, q)
	}
	if r.opt.Registry == nil {
		return fetched{}, errors.New("there is no client to fetch it with")
	}
	var got fetched
	var err error
	if registry.IsOCI(q.repository) {
		got, err = r.fetchOCI(ctx, q)
	} else {
		got, err = r.fetchHTTP(ctx, q)
	}
	if err != nil {
		return fetched{}, err
	}
	note := store.Entry{Digest: got.blob, Metadata: map[string]string{"version": got.version, "from": show(got.from)}}
	if err := r.opt.Store.SetRef(ctx, "answer "+q.storeKey(), note); err != nil {
		return fetched{}, err
	}
	return got, nil
}

// storeKey names the query in the store, where no credentials belong.
func (q query) storeKey() string {
	return fmt.Sprintf("%s %s %s %t", show(q.repository), q.name, q.version, q.locked)
}

// recall answers a query with what it was answered last.
func (r *Resolver) recall(ctx context.Context, q query) (fetched, error) {
	_, note, err := r.opt.Store.Lookup(ctx, "answer "+q.storeKey())
	if err == nil {
		return fetched{blob: note.Digest, version: note.Metadata["version"], from: note.Metadata["from"]}, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return fetched{}, err
	}
	return fetched{}, &fault{kind: KindFetch, tried: []string{show(q.repository) + ": not asked, offline"},
		err: fmt.Errorf("the store does not have it, and %s is not asked while offline", show(q.repository)), hint: "run once with a network, or point a mirror at a folder"}
}

// request waits for a free slot and then sends.
func (r *Resolver) request(ctx context.Context, send func() error) error {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-r.slots }()
	return send()
}

// keep stores an archive and notes under key where it came from.
func (r *Resolver) keep(ctx context.Context, key string, archive []byte, note map[string]string) (digest.Digest, error) {
	blob, err := r.opt.Store.Put(ctx, archive)
	if err != nil {
		return "", err
	}
	note["fetched"] = time.Now().UTC().Format(time.RFC3339)
	return blob, r.opt.Store.SetRef(ctx, key, store.Entry{Digest: blob, Metadata: note})
}
