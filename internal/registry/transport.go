package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"
)

const maxRedirects = 5

// wiring is what all transports of a client share.
type wiring struct {
	userAgent string
	proxy     func(*url.URL) (*url.URL, error)
	retry     *retryPolicy
	plain     func(host string) bool
}

// transport makes connections with the TLS settings given. control, if not nil,
// sees each address before it is dialled and may refuse it. Bodies are not
// decompressed: an archive is compressed already, and its digest is of the bytes
// as sent.
func (w *wiring) transport(conf *tls.Config, control func(network, address string, c syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: control}
	return &http.Transport{
		Proxy:                  func(r *http.Request) (*url.URL, error) { return w.proxy(r.URL) },
		DialContext:            dialer.DialContext,
		TLSClientConfig:        conf,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  60 * time.Second,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}

func proxyFrom(env func(string) string) func(*url.URL) (*url.URL, error) {
	either := func(name string) string {
		if v := env(name); v != "" {
			return v
		}
		return env(strings.ToLower(name))
	}
	conf := httpproxy.Config{HTTPProxy: either("HTTP_PROXY"), HTTPSProxy: either("HTTPS_PROXY"), NoProxy: either("NO_PROXY")}
	return conf.ProxyFunc()
}

// checkRedirect bounds redirects and takes from a request that has left the
// origin of the first what only that origin may see. net/http copies the headers
// of the first request into each later one, so every hop is judged against the
// whole chain, not against the hop before.
func (w *wiring) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if s := req.URL.Scheme; s != "https" && s != "http" {
		return fmt.Errorf("redirected to the scheme %q", s)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme == "http" && !w.plain(req.URL.Host) {
		return fmt.Errorf("redirected from https to http at %q, which is not allowed", req.URL.Host)
	}
	left := !sameOrigin(via[0].URL, req.URL)
	for _, r := range via[1:] {
		left = left || !sameOrigin(via[0].URL, r.URL)
	}
	if left {
		req.Header.Del("Authorization")
		req.Header.Del("Cookie")
		req.Header.Del("Referer")
		if req.Body != nil && req.Body != http.NoBody {
			return fmt.Errorf("redirected to %q while sending a body", req.URL.Host)
		}
	}
	return nil
}

// sameOrigin reports whether scheme, host and port are the same.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && hostPort(a) == hostPort(b)
}

// hostPort is the host in lower case with the port that the scheme implies.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(net.JoinHostPort(u.Hostname(), port))
}

// showURL is a URL without what may be secret: user, query, fragment.
func showURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// transient reports whether asking again may help after a failure on the wire.
func transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || temporaryDNS(err) ||
		errors.As(err, new(streamError))
}

// streamError is what HTTP/2 makes of a broken connection. The standard library
// does not export its type, but lets errors.As fill one with the same fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return fmt.Sprintf("HTTP/2 stream ended with code %d", e.Code) }

func temporaryDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsTemporary && !dns.IsNotFound
}

// readAll reads at most limit bytes and fails if there are more.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("more than %d bytes: %w", limit, ErrTooLarge)
	}
	return data, nil
}

// readBounded reads a local file of at most limit bytes. A device or pipe, which
// has no end, is refused.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("opening %q: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, limit)
}
