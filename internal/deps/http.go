package deps

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/opencontainers/go-digest"
)

// fetchHTTP finds a chart in a chart repository. An archive that the store has is fetched again unless the index gives a digest that it has.
func (r *Resolver) fetchHTTP(ctx context.Context, q query) (fetched, error) {
	var index *registry.Index
	err := r.request(ctx, func() (err error) {
		index, err = r.opt.Registry.Index(ctx, q.repository)
		return err
	})
	if err != nil {
		return fetched{}, asked(q.repository, err)
	}
	entry, err := choose(index, q)
	if err != nil {
		return fetched{}, err
	}
	from, err := resolveURL(q.repository, entry.URLs[0])
	if err != nil {
		return fetched{}, err
	}
	got := fetched{version: entry.Version, from: from}
	want := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(entry.Digest), "sha256:"))
	key := fmt.Sprintf("http %s %s", show(q.repository), show(from))
	if want != "" {
		if note, err := r.opt.Store.GetRef(ctx, key); err == nil && note.Digest.Encoded() == want && r.opt.Store.Has(note.Digest) {
			got.blob = note.Digest
			return got, nil
		}
	}
	var data []byte
	var sum digest.Digest
	err = r.request(ctx, func() (err error) {
		data, sum, err = r.opt.Registry.FetchChart(ctx, q.repository, entry.URLs[0])
		return err
	})
	if err != nil {
		return got, asked(from, err)
	}
	if want != "" && sum.Encoded() != want {
		return got, &fault{kind: KindArchive, tried: []string{show(from)},
			err:  fmt.Errorf("the archive at %s has the digest %s, its repository's index says sha256:%s", show(from), sum, want),
			hint: "the archive was replaced, or the index is stale: ask who keeps the repository"}
	}
	got.blob, err = r.keep(ctx, key, data, map[string]string{})
	return got, err
}

// choose finds the entry of an index as Helm does: for a locked version the one that says so, else the newest that the constraint allows.
func choose(index *registry.Index, q query) (*registry.IndexEntry, error) {
	entries, ok := index.Entries[q.name]
	if !ok {
		return nil, &fault{kind: KindMissing, field: "name", tried: []string{show(q.repository) + ": its index has no such chart"},
			err: fmt.Errorf("the index of %s has no chart %q", show(q.repository), q.name), hint: "is the name spelled right?"}
	}
	var have []string
	for _, e := range entries {
		if len(e.URLs) == 0 {
			continue
		}
		if q.locked && sameVersion(q.version, e.Version) {
			return e, nil
		}
		have = append(have, e.Version)
	}
	constraint, err := parseConstraint(q.version)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if v, err := semver.NewVersion(e.Version); err == nil && len(e.URLs) > 0 && constraint.Check(v) {
			return e, nil
		}
	}
	return nil, noVersion(q.version, q.repository, have)
}

// resolveURL is the address of an archive, for messages and for the store.
func resolveURL(repository, ref string) (string, error) {
	base, err := url.Parse(normalize(repository) + "/")
	if err != nil {
		return "", &fault{kind: KindLocation, field: "repository", err: errors.New("the URL of the repository cannot be read")}
	}
	u, err := url.Parse(ref)
	if err != nil {
		return "", &fault{kind: KindArchive, err: errors.New("the index of the repository has a URL that cannot be read")}
	}
	return base.ResolveReference(u).String(), nil
}
