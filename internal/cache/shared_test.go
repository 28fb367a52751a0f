package cache

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/registry/server"
	"github.com/chartgate/chartgate/internal/store"
)

// serve starts a registry whose requests go through a filter first.
func serve(t *testing.T, filter func(http.Handler) http.Handler) string {
	t.Helper()
	s, err := server.New(t.TempDir(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	handler := s.Handler()
	if filter != nil {
		handler = filter(handler)
	}
	web := httptest.NewServer(handler)
	t.Cleanup(func() { web.Close(); s.Close() })
	return "oci://" + strings.TrimPrefix(web.URL, "http://") + "/group/results"
}

// runner is a machine of its own, which has but the repository in common with others.
func runner(t *testing.T, url string, a Access, opts SharedOptions) *Cache {
	t.Helper()
	client, err := registry.New(registry.Options{PlainHTTP: true, Retries: -1, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := OpenShared(client, url, opts)
	if err != nil {
		t.Fatal(err)
	}
	a.Shared = true
	return New(Options{Access: a, Store: store.InMemory(store.Options{}), Shared: shared})
}

func TestShared(t *testing.T) {
	url := serve(t, nil)
	large := bytes.Repeat([]byte("0123456789abcdef\xff\x00"), 100_000)
	for _, a := range []Access{{Scope: Open}, protected(key)} {
		first := runner(t, url, a, SharedOptions{})
		first.Put(t.Context(), "small", []byte("data of "+a.Scope))
		first.Put(t.Context(), "large", large)
		first.PutLocal(t.Context(), "local", []byte("mine"))
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		second := runner(t, url, a, SharedOptions{})
		second.Prefetch(t.Context(), []string{"small", "large", "local", "none"})
		if got, ok := second.GetLocal(t.Context(), "small"); !ok || string(got) != "data of "+string(a.Scope) {
			t.Errorf("%s: %q %t", a.Scope, got, ok)
		}
		if got, ok := second.Get(t.Context(), "large"); !ok || !bytes.Equal(got, large) {
			t.Errorf("%s: %d bytes, %t", a.Scope, len(got), ok)
		}
		for _, name := range []string{"local", "none"} {
			if _, ok := second.Get(t.Context(), name); ok {
				t.Errorf("%s: %s is there", a.Scope, name)
			}
		}
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSharedOwn has a person's machine share in the open scope, and keep what it got there
// apart from its own, which publish believes.
func TestSharedOwn(t *testing.T) {
	url := serve(t, nil)
	job := runner(t, url, Access{Scope: Open}, SharedOptions{})
	job.Put(t.Context(), "n", []byte("a job's"))
	job.Close()
	mine := runner(t, url, Access{Scope: Own}, SharedOptions{})
	if got, ok := mine.Get(t.Context(), "n"); !ok || string(got) != "a job's" {
		t.Fatalf("%q %t", got, ok)
	}
	mine.Close()
	again := New(Options{Access: Access{Scope: Own}, Store: mine.store})
	if got, ok := again.Get(t.Context(), "n"); ok {
		t.Errorf("what came from others is taken for this machine's own: %q", got)
	}
}

// TestSharedForged moves tags of the repository about, as whoever may push there can.
func TestSharedForged(t *testing.T) {
	url := serve(t, nil)
	victim := runner(t, url, protected(key), SharedOptions{})
	victim.Put(t.Context(), "good", []byte("no findings"))
	victim.Close()
	forger := runner(t, url, Access{Scope: Open}, SharedOptions{})
	layer, config, err := pack(forger.seal(Open, "bad", []byte("no findings")))
	if err != nil {
		t.Fatal(err)
	}
	good, err := forger.shared.client.PullLayer(t.Context(), forger.shared.at(victim.tag(Protected, "good")), maxPacked)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range [][]byte{layer, good, []byte("no gzip"), {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}} {
		if err := forger.shared.client.PushLayer(t.Context(), forger.shared.at(victim.tag(Protected, "bad")), config, l); err != nil {
			t.Fatal(err)
		}
		if got, ok := runner(t, url, protected(key), SharedOptions{}).Get(t.Context(), "bad"); ok {
			t.Errorf("forgery %d was read: %q", i, got)
		}
	}
}

// TestSharedBroken has registries that fail, in one way or another: every run goes on.
func TestSharedBroken(t *testing.T) {
	var requests atomic.Int32
	answer := func(status int) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests.Add(1)
				w.WriteHeader(status)
			})
		}
	}
	hang := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			<-r.Context().Done()
		})
	}
	for name, filter := range map[string]func(http.Handler) http.Handler{
		"error": answer(http.StatusInternalServerError), "denied": answer(http.StatusForbidden), "hanging": hang,
	} {
		requests.Store(0)
		began := time.Now()
		c := runner(t, serve(t, filter), Access{Scope: Open}, SharedOptions{Each: 100 * time.Millisecond, Reading: 300 * time.Millisecond, Closing: 300 * time.Millisecond, Parallel: 2})
		var names []string
		for i := range 50 {
			names = append(names, fmt.Sprint(i))
		}
		c.Prefetch(t.Context(), names)
		for _, n := range names {
			if _, ok := c.Get(t.Context(), n); ok {
				t.Errorf("%s: %s is there", name, n)
			}
			c.Put(t.Context(), n, []byte("data"))
			if _, ok := c.Get(t.Context(), n); !ok {
				t.Errorf("%s: what was put is not there", name)
			}
		}
		if err := c.Close(); err == nil {
			t.Errorf("%s: not said", name)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
		if n := requests.Load(); n > 40 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

// TestSharedCancelled ends a run in the midst of writing.
func TestSharedCancelled(t *testing.T) {
	url := serve(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	})
	c := runner(t, url, Access{Scope: Open}, SharedOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	c.Prefetch(ctx, nil)
	c.Put(ctx, "n", []byte("data"))
	cancel()
	began := time.Now()
	c.Close()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestOpenShared(t *testing.T) {
	for _, url := range []string{"", "results", "oci://", "oci://registry.example.com", "oci://registry.example.com/a:tag", "https://registry.example.com/a"} {
		if _, err := OpenShared(nil, url, SharedOptions{}); err == nil {
			t.Errorf("%q was accepted", url)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	layer, _, err := pack([]byte("data"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(layer)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, layer []byte) {
		data, err := unpack(layer)
		if err != nil {
			return
		}
		again, _, err := pack(data)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := unpack(again); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%q became %q: %v", data, got, err)
		}
	})
}
