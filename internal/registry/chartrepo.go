package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
)

// indexCache keeps the indexes read, one request for each at a time.
type indexCache struct {
	mu      sync.Mutex
	entries map[string]*indexCall
	clients map[RepoEntry]*http.Client
}

type indexCall struct {
	turn  chan struct{}
	index *Index // nil until read
}

// IndexMemory keeps indexes beyond a client's life, by URL without credentials. Both are
// called from several goroutines.
type IndexMemory struct {
	Load func(ctx context.Context, url string) (compact []byte, seen Seen, ok bool)
	Keep func(ctx context.Context, url string, compact []byte, seen Seen)
}

// Seen is what a server said of a file, to ask it whether the file has changed.
type Seen struct{ ETag, LastModified string }

// Index reads the index.yaml of a chart repository, with the credentials and the
// TLS settings that Helm's repositories.yaml has for its URL. It is read once in a
// client's life; a failure is not kept. With an IndexMemory, an index that has not changed
// is neither sent nor parsed again.
func (c *Client) Index(ctx context.Context, repoURL string) (*Index, error) {
	base, err := parseRepoURL(repoURL)
	if err != nil {
		return nil, err
	}
	call := c.indexes.call(base.String())
	select {
	case call.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("reading the index of %q: %w", showURL(base), context.Cause(ctx))
	}
	defer func() { <-call.turn }()
	if call.index != nil {
		return call.index, nil
	}
	err = c.run(ctx, "reading the index of", base.Host, showURL(base), func(ctx context.Context) (err error) {
		call.index, err = c.readIndex(ctx, base)
		return err
	})
	if err != nil {
		return nil, err
	}
	return call.index, nil
}

func (c *Client) readIndex(ctx context.Context, base *url.URL) (*Index, error) {
	var known *Index
	form := indexForm(c.opts.Limits.Index)
	if c.opts.Indexes.Load != nil {
		if compact, seen, ok := c.opts.Indexes.Load(ctx, showURL(base)); ok {
			if idx, err := parseCompact(compact); err == nil {
				known, form.since = idx, seen
			}
		}
	}
	got, err := c.download(ctx, base, resolveChartURL(base, &url.URL{Path: "index.yaml"}), form)
	if err != nil {
		return nil, err
	}
	if got.same && known != nil {
		return known, nil
	}
	idx, err := ParseIndex(got.body)
	if err == nil && got.seen != (Seen{}) && c.opts.Indexes.Keep != nil {
		c.opts.Indexes.Keep(ctx, showURL(base), idx.compact(), got.seen)
	}
	return idx, err
}

func (x *indexCache) call(key string) *indexCall {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.entries[key] == nil {
		x.entries[key] = &indexCall{turn: make(chan struct{}, 1)}
	}
	return x.entries[key]
}

// FetchChart downloads a chart archive that an index names, and gives its SHA-256.
// A relative URL is meant from the repository's; an oci:// URL is pulled. The
// repository's credentials go to its own scheme, host and port only, unless
// repositories.yaml says pass_credentials_all. Whether the digest is the one that
// the index gives is for the caller to compare.
func (c *Client) FetchChart(ctx context.Context, repoURL, chartURL string) ([]byte, digest.Digest, error) {
	if IsOCI(chartURL) {
		return c.fetchOCI(ctx, chartURL)
	}
	base, err := parseRepoURL(repoURL)
	if err != nil {
		return nil, "", err
	}
	ref, err := url.Parse(chartURL)
	if err != nil {
		return nil, "", fmt.Errorf("fetching a chart of %q: its URL cannot be read", showURL(base))
	}
	target := resolveChartURL(base, ref)
	if _, err := parseRepoURL(target.String()); err != nil {
		return nil, "", fmt.Errorf("fetching a chart of %q: %w", showURL(base), err)
	}
	var body []byte
	err = c.run(ctx, "fetching", target.Host, showURL(target), func(ctx context.Context) error {
		got, err := c.download(ctx, base, target, archiveForm(c.opts.Limits.Archive))
		body = got.body
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return body, digest.FromBytes(body), nil
}

func (c *Client) fetchOCI(ctx context.Context, chartURL string) ([]byte, digest.Digest, error) {
	ref, err := ParseReference(chartURL)
	if err != nil {
		return nil, "", err
	}
	pulled, err := c.PullChart(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	return pulled.Archive, pulled.ArchiveDigest, nil
}

// form is how a kind of file is asked for.
type form struct {
	accept, encoding string
	limit            int64
	since            Seen // answer with nothing if it has not changed since
}

func indexForm(limit int64) form { return form{encoding: "gzip", limit: limit} }
func archiveForm(limit int64) form {
	return form{accept: "application/gzip,application/octet-stream", limit: limit}
}

// downloaded is a file, or that it is the same as before.
type downloaded struct {
	body []byte
	seen Seen
	same bool
}

// download gets a file of a chart repository.
func (c *Client) download(ctx context.Context, base, target *url.URL, f form) (got downloaded, err error) {
	entry, err := c.entryFor(base)
	if err != nil {
		return got, err
	}
	client, err := c.repoClient(entry)
	if err != nil {
		return got, err
	}
	req, err := repoRequest(ctx, entry, base, target, f)
	if err != nil {
		return got, err
	}
	err = c.repeat(ctx, func() error {
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer discard(resp)
		if resp.StatusCode == http.StatusNotModified && f.since != (Seen{}) {
			got.same = true
			return nil
		}
		if resp.StatusCode != http.StatusOK {
			said, _ := readAll(resp.Body, 8<<10)
			return &httpError{status: resp.StatusCode, answer: parseAnswer(said)}
		}
		got.seen = Seen{ETag: resp.Header.Get("ETag"), LastModified: resp.Header.Get("Last-Modified")}
		if got.body, err = readAll(resp.Body, f.limit); err != nil {
			return err
		}
		if resp.Header.Get("Content-Encoding") == "gzip" && f.encoding == "gzip" {
			got.body, err = gunzip(got.body, f.limit)
		}
		return err
	})
	return got, err
}

// repoRequest builds a request with the credentials that may go to its target.
func repoRequest(ctx context.Context, entry RepoEntry, base, target *url.URL, f form) (*http.Request, error) {
	bare := *target
	bare.User, bare.Fragment = nil, ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, bare.String(), nil)
	if err != nil {
		return nil, err
	}
	if f.accept != "" {
		req.Header.Set("Accept", f.accept)
	}
	if f.encoding != "" {
		req.Header.Set("Accept-Encoding", f.encoding)
	}
	if f.since.ETag != "" {
		req.Header.Set("If-None-Match", f.since.ETag)
	} else if f.since.LastModified != "" {
		req.Header.Set("If-Modified-Since", f.since.LastModified)
	}
	own := target.User
	switch {
	case own != nil && target.User.String() != "":
		password, _ := own.Password()
		req.SetBasicAuth(own.Username(), password)
	case entry.Username != "" && entry.Password != "" && (entry.PassCredentialsAll || sameOrigin(base, target)):
		req.SetBasicAuth(entry.Username, entry.Password)
	}
	return req, nil
}

func gunzip(data []byte, limit int64) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the answer is not compressed as it says: %w", ErrCorrupt)
	}
	return readAll(zr, limit)
}

// parseRepoURL reads the URL of a chart repository; errors do not repeat it, as it
// may hold a password.
func parseRepoURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("reading the URL of a chart repository: it is malformed")
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return nil, fmt.Errorf("reading the URL of a chart repository: %q begins with neither https:// nor http:// and a host", showURL(u))
	}
	return u, nil
}

// resolveChartURL finds where a URL of an index leads: relative ones are meant
// from the folder that the index is in, and keep the repository's query.
func resolveChartURL(base, ref *url.URL) *url.URL {
	if ref.IsAbs() {
		return ref
	}
	folder := *base
	folder.Path = strings.TrimSuffix(folder.Path, "/") + "/"
	if folder.RawPath != "" {
		folder.RawPath = strings.TrimSuffix(folder.RawPath, "/") + "/"
	}
	resolved := folder.ResolveReference(ref)
	resolved.RawQuery = base.RawQuery
	return resolved
}

// knownRepo reports whether credentials are known for the origin of a URL.
func (c *Client) knownRepo(shown string) bool {
	u, err := url.Parse(shown)
	if err != nil {
		return false
	}
	entries, _ := c.repos.load()
	for _, e := range entries {
		if base, err := url.Parse(e.URL); err == nil && sameOrigin(base, u) && e.Username != "" {
			return true
		}
	}
	return false
}
