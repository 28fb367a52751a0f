package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Descriptor names a content by media type, digest and size.
type Descriptor = ocispec.Descriptor

// Options configure a [Client]. The zero value is usable.
type Options struct {
	PlainHTTP      bool                // speak HTTP, not HTTPS, to every OCI registry
	PlainHTTPHosts []string            // speak HTTP to these host:port only
	CAFile         string              // PEM file of authorities trusted besides the system's
	Indexes        IndexMemory         // where indexes of chart repositories are kept; the zero value keeps them for the client's life
	TokenHosts     []string            // hosts whose token realm may be at a private address for any registry
	UserAgent      string              // default "chartgate"
	Env            func(string) string // default os.Getenv; where configuration and credentials are found
	Timeout        time.Duration       // of one operation with all its attempts; default 5 minutes
	Retries        int                 // attempts after the first; default 4, negative for none
	MaxWait        time.Duration       // time spent waiting between the attempts of one request; default 90 seconds
	Limits         Limits
}

// Limits bound what is read from outside, in bytes unless said otherwise. Zero
// means the default.
type Limits struct {
	Archive  int64 // a chart archive; default 100 MiB
	Manifest int64 // a manifest; default 4 MiB
	Config   int64 // a chart's config blob or provenance file; default 4 MiB
	Index    int64 // an index.yaml, after decompression; default 64 MiB
	Tags     int   // tags of one repository, in number; default 100,000
}

// Client is safe for concurrent use. It caches tokens and the indexes of chart
// repositories for its lifetime, so make one for each run.
type Client struct {
	opts    Options
	keys    *keyring
	auth    *authClient
	plain   map[string]bool
	roots   *x509.CertPool // nil: the system's
	retry   retryPolicy
	wire    *wiring
	repos   repoFile
	indexes indexCache
}

// New reads CAFile and checks the options. Files with credentials are read when a
// server asks for credentials, and are no error until then.
func New(opts Options) (*Client, error) {
	opts = opts.withDefaults()
	roots, err := loadRoots(opts.CAFile)
	if err != nil {
		return nil, err
	}
	c := &Client{opts: opts, roots: roots, plain: map[string]bool{}}
	for _, h := range opts.PlainHTTPHosts {
		if err := checkHost(h); err != nil {
			return nil, fmt.Errorf("reading the hosts of plain HTTP: %w", err)
		}
		c.plain[strings.ToLower(h)] = true
	}
	c.keys = newKeyring(opts.Env)
	c.repos = repoFile{path: repositoriesPath(opts.Env)}
	c.retry = retryPolicy{retries: opts.Retries, maxWait: opts.MaxWait, base: 300 * time.Millisecond, now: time.Now}
	c.wire = &wiring{userAgent: opts.UserAgent, proxy: proxyFrom(opts.Env), retry: &c.retry, plain: c.plainHTTP}
	c.auth = newAuthClient(c)
	c.indexes.entries = map[string]*indexCall{}
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Env == nil {
		o.Env = os.Getenv
	}
	if o.UserAgent == "" {
		o.UserAgent = "chartgate"
	}
	o.Timeout = cmp.Or(o.Timeout, 5*time.Minute)
	o.MaxWait = cmp.Or(o.MaxWait, 90*time.Second)
	o.Retries = max(cmp.Or(o.Retries, 4), 0)
	o.Limits.Archive = cmp.Or(o.Limits.Archive, 100<<20)
	o.Limits.Manifest = cmp.Or(o.Limits.Manifest, 4<<20)
	o.Limits.Config = cmp.Or(o.Limits.Config, 4<<20)
	o.Limits.Index = cmp.Or(o.Limits.Index, 64<<20)
	o.Limits.Tags = cmp.Or(o.Limits.Tags, 100_000)
	return o
}

// PlainHTTP reports whether host:port is spoken to without TLS.
func (c *Client) PlainHTTP(host string) bool { return c.plainHTTP(host) }

// Credential is what host:port is logged in to with, from the sources that every request
// here uses; the zero value where none has any. It is for that host alone.
func (c *Client) Credential(ctx context.Context, host string) auth.Credential {
	return c.keys.credential(ctx, host)
}

// plainHTTP reports whether host:port is to be spoken to without TLS.
func (c *Client) plainHTTP(host string) bool {
	return c.opts.PlainHTTP || c.plain[strings.ToLower(host)]
}

// repository is the library's client for one repository, sending through ours.
func (c *Client) repository(ref Reference) *remote.Repository {
	o := ref.oras()
	return &remote.Repository{
		Client:           c.auth,
		Reference:        o,
		PlainHTTP:        c.plainHTTP(ref.Host),
		MaxMetadataBytes: c.opts.Limits.Manifest,
		TagListMaxPages:  1000,
	}
}

// run bounds one operation in time and turns its failure into an *Error.
func (c *Client) run(ctx context.Context, op, host, ref string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.Timeout,
		fmt.Errorf("no result after %s: %w", c.opts.Timeout, context.DeadlineExceeded))
	defer cancel()
	t := &trail{}
	err := f(withTrail(ctx, t))
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("%w", cause)
	}
	return c.explain(op, host, ref, t, err)
}

// loadRoots is the system's authorities and those of a PEM file.
func loadRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := readBounded(path, 8<<20)
	if err != nil {
		return nil, fmt.Errorf("reading CA file %q: %w", path, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading CA file %q: no certificate in PEM form found in it", path)
	}
	return pool, nil
}

// tlsConfig is what every connection starts from.
func (c *Client) tlsConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.roots}
}

// newHTTP is a client over one transport, with retries and our rules on redirects.
func (c *Client) newHTTP(t http.RoundTripper) *http.Client {
	return &http.Client{Transport: &retryTransport{next: t, wire: c.wire}, CheckRedirect: c.wire.checkRedirect}
}
