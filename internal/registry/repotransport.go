package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// repoClient is the HTTP client with a repository's TLS settings.
func (c *Client) repoClient(entry RepoEntry) (*http.Client, error) {
	c.indexes.mu.Lock()
	defer c.indexes.mu.Unlock()
	if client := c.indexes.clients[entry]; client != nil {
		return client, nil
	}
	transport, err := c.repoTransport(entry)
	if err != nil {
		return nil, err
	}
	if c.indexes.clients == nil {
		c.indexes.clients = map[RepoEntry]*http.Client{}
	}
	client := c.newHTTP(transport)
	c.indexes.clients[entry] = client
	return client, nil
}

// repoTransport trusts the repository's authority everywhere, as Helm does; its
// client certificate and its leave to skip verification are for its own origin.
type repoTransport struct {
	base       *url.URL
	everywhere bool
	own, other *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (t *repoTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.everywhere || sameOrigin(t.base, r.URL) {
		return t.own.RoundTrip(r)
	}
	return t.other.RoundTrip(r)
}

func (c *Client) repoTransport(entry RepoEntry) (http.RoundTripper, error) {
	base, err := url.Parse(entry.URL)
	if err != nil {
		return nil, errors.New("reading the URL of a chart repository: it is malformed")
	}
	own, other := c.tlsConfig(), c.tlsConfig()
	if entry.CAFile != "" {
		pool, err := loadRoots(entry.CAFile)
		if err != nil {
			return nil, fmt.Errorf("preparing for repository %q: %w", entry, err)
		}
		own.RootCAs, other.RootCAs = pool, pool
	}
	if entry.CertFile != "" && entry.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(entry.CertFile, entry.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("preparing for repository %q: reading its client certificate: %w", entry, err)
		}
		own.Certificates = []tls.Certificate{pair}
	}
	own.InsecureSkipVerify = entry.InsecureSkipTLSVerify
	return &repoTransport{base: base, everywhere: entry.PassCredentialsAll,
		own: c.wire.transport(own, nil), other: c.wire.transport(other, nil)}, nil
}
