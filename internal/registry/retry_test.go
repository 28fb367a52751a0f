package registry

import (
	"context"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// testTime is when the tests happen.
var testTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func TestParseRetryAfter(t *testing.T) {
	now := testTime
	cases := []struct {
		in   string
		want time.Duration
		ok   bool
	}{
		{"0", 0, true},
		{" 7 ", 7 * time.Second, true},
		{"86400", 24 * time.Hour, true},
		{"99999999999999999999999999", 24 * time.Hour, true},
		{"Sun, 22 Nov 2026 12:00:30 GMT", 30 * time.Second, true},
		{"Sunday, 22-Nov-26 12:00:30 GMT", 30 * time.Second, true},
		{"Sun Nov 22 12:00:30 2026", 30 * time.Second, true},
		{"Sun, 22 Nov 2020 12:00:30 GMT", 0, true},
		{"Sun, 22 Nov 2999 12:00:30 GMT", 24 * time.Hour, true},
		{"", 0, false}, {"-1", 0, false}, {"1.5", 0, false}, {"soon", 0, false}, {strings.Repeat("1", 100), 0, false},
	}
	for _, c := range cases {
		got, ok := parseRetryAfter(c.in, now)
		if got != c.want || ok != c.ok {
			t.Errorf("%q: %v %v, want %v %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sun, 22 Nov 2026 12:00:30 GMT")
	now := testTime
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := parseRetryAfter(s, now)
		if d < 0 || d > 24*time.Hour || (!ok && d != 0) {
			t.Fatalf("%q: %v %v", s, d, ok)
		}
	})
}

// flaky fails the first n requests that match, then lets all through.
func flaky(n int, match string, fail http.HandlerFunc, next http.Handler) (http.Handler, *atomic.Int32) {
	var hits atomic.Int32
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Method+" "+r.URL.Path, match) && hits.Add(1) <= int32(n) {
			fail(w, r)
			return
		}
		next.ServeHTTP(w, r)
	}), &hits
}

func answer503(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }

// reset breaks the connection before an answer.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// cut sends half of what it announces; the body is the real one.
func cut(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		next.ServeHTTP(whole, r)
		maps.Copy(w.Header(), whole.Header())
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	}
}

func TestRetries(t *testing.T) {
	cases := map[string]struct {
		match string
		fail  http.HandlerFunc // nil cuts the answer off
	}{
		"503 while starting an upload":   {"POST ", answer503},
		"502 while uploading":            {"PUT /v2/charts/app/blobs", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); w.WriteHeader(502) }},
		"504 while asking for a blob":    {"HEAD ", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(504) }},
		"429 while pushing the manifest": {"PUT /v2/charts/app/manifests", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "0"); w.WriteHeader(429) }},
		"429 until a date": {"GET /v2/charts/app/manifests", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", time.Now().UTC().Format(http.TimeFormat))
			w.WriteHeader(429)
		}},
		"reset while starting an upload": {"POST ", reset},
		"reset while uploading":          {"PUT /v2/charts/app/blobs", reset},
		"reset while fetching":           {"GET /v2/charts/app/blobs", reset},
		"blob cut off":                   {"GET /v2/charts/app/blobs", nil},
		"manifest cut off":               {"GET /v2/charts/app/manifests", nil},
		"upload session lost in between": {"PUT /v2/charts/app/blobs", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }},
		"tags cut off":                   {"GET /v2/charts/app/tags", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inner := store(t)
			if c.fail == nil {
				c.fail = cut(inner)
			}
			h, hits := flaky(2, c.match, c.fail, inner)
			host := serve(t, h)
			client := newClient(t, Options{PlainHTTP: true})
			ref := "oci://" + host + "/charts/app:1.0.0"
			desc := push(t, client, ref)
			got, err := client.PullChart(context.Background(), mustRef(t, ref))
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Archive) != string(sample.Archive) || got.ManifestDigest != desc.Digest {
				t.Error("what was pulled is not what was pushed")
			}
			if tags, err := client.Tags(context.Background(), mustRef(t, ref)); err != nil || len(tags) != 1 {
				t.Errorf("tags %v, %v", tags, err)
			}
			if hits.Load() < 3 {
				t.Errorf("only %d requests met the fault", hits.Load())
			}
		})
	}
}

// A stream that HTTP/2 breaks off is a broken connection like any other.
func TestRetriesOverHTTP2(t *testing.T) {
	for _, match := range []string{"GET /v2/charts/app/blobs", "POST ", "PUT /v2/charts/app/manifests"} {
		h, hits := flaky(2, match, func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				t.Errorf("spoken over %s", r.Proto)
			}
			if r.Method == http.MethodGet {
				_, _ = w.Write([]byte("archive"))
				_ = http.NewResponseController(w).Flush()
			}
			panic(http.ErrAbortHandler)
		}, store(t))
		host, ca := serveTLS(t, h)
		c, ref := newClient(t, Options{CAFile: ca}), "oci://"+host+"/charts/app:1.0.0"
		push(t, c, ref)
		if _, err := c.PullChart(context.Background(), mustRef(t, ref)); err != nil || hits.Load() < 3 {
			t.Errorf("%s: %v after %d requests", match, err, hits.Load())
		}
	}
}

func TestRetriesEnd(t *testing.T) {
	h, hits := flaky(1000, "GET ", answer503, store(t))
	client := newClient(t, Options{PlainHTTP: true, Retries: 2})
	ref := mustRef(t, "oci://"+serve(t, h)+"/a/b")
	_, err := client.Tags(context.Background(), ref)
	var e *Error
	if !errors.As(err, &e) || e.Status != 503 || hits.Load() != 3 {
		t.Fatalf("after %d requests: %v", hits.Load(), err)
	}
	if !strings.Contains(err.Error(), "(3 times)") || !strings.Contains(err.Error(), "503 Service Unavailable") {
		t.Errorf("the error does not tell what was tried: %v", err)
	}
	none := newClient(t, Options{PlainHTTP: true, Retries: -1})
	hits.Store(0)
	if _, err := none.Tags(context.Background(), ref); err == nil || hits.Load() != 1 {
		t.Errorf("with no retries: %d requests, %v", hits.Load(), err)
	}
}

// A server that wants to be left alone for longer than the budget is not kept
// waiting for.
func TestRetryAfterBeyondBudget(t *testing.T) {
	h, hits := flaky(1000, "GET ", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(429)
	}, store(t))
	client := newClient(t, Options{PlainHTTP: true, MaxWait: time.Minute})
	_, err := client.Tags(context.Background(), mustRef(t, "oci://"+serve(t, h)+"/a/b"))
	if err == nil || hits.Load() != 1 || !strings.Contains(err.Error(), "429") || HintOf(err) == "" {
		t.Errorf("%d requests: %v, hint %q", hits.Load(), err, HintOf(err))
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	h, _ := flaky(1, "GET ", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(503)
	}, store(t))
	client := newClient(t, Options{PlainHTTP: true})
	began := time.Now()
	_, err := client.Tags(context.Background(), mustRef(t, "oci://"+serve(t, h)+"/a/b"))
	if !errors.Is(err, ErrNotFound) || time.Since(began) < time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

func TestCancelled(t *testing.T) {
	h, _ := flaky(1000, "GET ", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(503)
	}, store(t))
	client := newClient(t, Options{PlainHTTP: true})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	began := time.Now()
	_, err := client.Tags(ctx, mustRef(t, "oci://"+serve(t, h)+"/a/b"))
	if !errors.Is(err, context.Canceled) || time.Since(began) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

func TestTimeout(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	host := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	client := newClient(t, Options{PlainHTTP: true, Timeout: 50 * time.Millisecond})
	_, err := client.Resolve(context.Background(), mustRef(t, "oci://"+host+"/a:1"))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no result after 50ms") || HintOf(err) == "" {
		t.Errorf("error %v, hint %q", err, HintOf(err))
	}
}
