package registry

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/registry/server"
)

// env makes a look-up of pairs; nothing of the machine's own environment shows.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// newClient is a client that knows no credentials but those in opts.Env and waits
// only milliseconds between attempts.
func newClient(t *testing.T, opts Options) *Client {
	t.Helper()
	if opts.Env == nil {
		opts.Env = env()
	}
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	c.retry.base = time.Millisecond
	return c
}

// store is the handler of an embedded registry of its own.
func store(t *testing.T) http.Handler {
	t.Helper()
	s, err := server.New(t.TempDir(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Handler()
}

// serve starts a server and gives its host:port.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	return strings.TrimPrefix(ts.URL, "http://")
}

// serveTLS does so with a certificate, and writes its authority to a file.
func serveTLS(t *testing.T, h http.Handler) (host, caFile string) {
	t.Helper()
	ts := httptest.NewUnstartedServer(h)
	ts.Config.ErrorLog = quiet()
	ts.EnableHTTP2 = true
	ts.StartTLS()
	t.Cleanup(ts.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ts.Certificate().Raw})
	if err := os.WriteFile(caFile, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(ts.URL, "https://"), caFile
}

// recorded is what a server was asked.
type recorded struct {
	mu   sync.Mutex
	reqs []seen
}

type seen struct {
	line, auth, referer string
	header              http.Header
	query               url.Values
}

// record notes every request before it is handled.
func (r *recorded) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.reqs = append(r.reqs, seen{req.Method + " " + req.URL.Path, req.Header.Get("Authorization"), req.Referer(), req.Header.Clone(), req.URL.Query()})
		r.mu.Unlock()
		next.ServeHTTP(w, req)
	})
}

func (r *recorded) all() []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]seen(nil), r.reqs...)
}

// count is how many requests began with a prefix such as "PUT /v2/".
func (r *recorded) count(prefix string) int {
	n := 0
	for _, s := range r.all() {
		if strings.HasPrefix(s.line, prefix) {
			n++
		}
	}
	return n
}

func mustRef(t *testing.T, s string) Reference {
	t.Helper()
	ref, err := ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// sample is a chart for the wire; its archive is opaque to this package.
var sample = ChartPush{
	Config:      []byte(`{"name":"app","version":"1.0.0","apiVersion":"v2"}`),
	Archive:     []byte(strings.Repeat("archive bytes ", 1000)),
	Annotations: map[string]string{"org.opencontainers.image.title": "app", "a": "b"},
}

func push(t *testing.T, c *Client, ref string) Descriptor {
	t.Helper()
	d, err := c.PushChart(context.Background(), mustRef(t, ref), sample)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// noSecrets fails if an error shows any of the secrets, in whatever field.
func noSecrets(t *testing.T, err error, secrets ...string) {
	t.Helper()
	text := err.Error() + HintOf(err)
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("the error shows %q: %s", s, text)
		}
	}
}
