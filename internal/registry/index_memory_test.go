package registry

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// TestIndexMemory: an unchanged index is not sent again, a changed one is; what was kept and is
// damaged, or is of a server that says neither ETag nor date, is fetched.
func TestIndexMemory(t *testing.T) {
	var sent, same atomic.Int32
	tag := `"1"`
	text := smallIndex
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tag != "" {
			w.Header().Set("ETag", tag)
		}
		if r.Header.Get("If-None-Match") == tag && tag != "" {
			same.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent.Add(1)
		_, _ = w.Write([]byte(text))
	}))
	kept := map[string]string{}
	var seen Seen
	memory := IndexMemory{
		Load: func(_ context.Context, url string) ([]byte, Seen, bool) {
			v, ok := kept[url]
			return []byte(v), seen, ok
		},
		Keep: func(_ context.Context, url string, compact []byte, s Seen) { kept[url], seen = string(compact), s },
	}
	repo := "http://user:secret@" + host + "/stable"
	ask := func() string {
		t.Helper()
		idx, err := newClient(t, Options{Indexes: memory}).Index(context.Background(), repo)
		if err != nil {
			t.Fatal(err)
		}
		e := idx.Entries["app"][0]
		return e.Version + " " + e.Digest + " " + e.URLs[0]
	}
	first := ask()
	if again := ask(); again != first || sent.Load() != 1 || same.Load() != 1 {
		t.Errorf("%q, then %q; sent %d, same %d", first, again, sent.Load(), same.Load())
	}
	for url, compact := range kept {
		if strings.Contains(url+compact, "secret") {
			t.Error("a password is kept:", url)
		}
		kept[url] = "{damaged"
	}
	if again := ask(); again != first || sent.Load() != 2 {
		t.Errorf("%q after damage; sent %d", again, sent.Load())
	}
	tag, text = `"2"`, strings.ReplaceAll(smallIndex, "2.0.0", "2.0.1")
	if again := ask(); !strings.HasPrefix(again, "2.0.1") || sent.Load() != 3 {
		t.Errorf("%q after a change; sent %d", again, sent.Load())
	}
	kept, tag = map[string]string{}, ""
	if ask(); len(kept) != 0 {
		t.Error("an index is kept that cannot be asked about")
	}
}

func FuzzCompact(f *testing.F) {
	idx, err := ParseIndex([]byte(smallIndex))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(idx.compact())
	f.Add([]byte(`{"a":[{"v":"1"}],"b":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := parseCompact(data)
		if err != nil {
			return
		}
		again, err := parseCompact(x.compact())
		if err != nil || len(again.Entries) != len(x.Entries) {
			t.Errorf("%q: %v", data, err)
		}
	})
}
