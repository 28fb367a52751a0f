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

// Index reads the index.yaml of a chart repository, with the credentials and the
// TLS settings that Helm's repositories.yaml has for its URL. It is read once in a
// client's life; a failure is not kept.
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
	err = c.run(ctx, "reading the index of", base.Host, showURL(base), func(ctx context.Context) error {
		body, err := c.download(ctx, base, resolveChartURL(base, &url.URL{Path: "index.yaml"}), indexForm(c.opts.Limits.Index))
		if err == nil {
			call.index, err = ParseIndex(body)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return call.index, nil
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
	err = c.run(ctx, "fetching", target.Host, showURL(target), func(ctx context.Context) (err error) {
		body, err = c.download(ctx, base, target, archiveForm(c.opts.Limits.Archive))
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
}

func indexForm(limit int64) form { return form{"", "gzip", limit} }
func archiveForm(limit int64) form {
	return form{"application/gzip,application/octet-stream", "", limit}
}

// download gets a file of a chart repository.
func (c *Client) download(ctx context.Context, base, target *url.URL, f form) ([]byte, error) {
	entry, err := c.entryFor(base)
	if err != nil {
		return nil, err
	}
	client, err := c.repoClient(entry)
	if err != nil {
		return nil, err
	}
	req, err := repoRequest(ctx, entry, base, target, f)
	if err != nil {
		return nil, err
	}
	var body []byte
	err = c.repeat(ctx, func() error {
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer discard(resp)
		if resp.StatusCode != http.StatusOK {
			said, _ := readAll(resp.Body, 8<<10)
			return &httpError{status: resp.StatusCode, answer: parseAnswer(said)}
		}
		if body, err = readAll(resp.Body, f.limit); err != nil {
			return err
		}
		if resp.Header.Get("Content-Encoding") == "gzip" && f.encoding == "gzip" {
			body, err = gunzip(body, f.limit)
		}
		return err
	})
	return body, err
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
