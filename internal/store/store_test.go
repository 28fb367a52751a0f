package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/store"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
)

func open(t testing.TB, dir string, opt store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t testing.TB, s *store.Store, data string) digest.Digest {
	t.Helper()
	d, err := s.Put(t.Context(), []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// blob is the path of content on disk.
func blob(s *store.Store, d digest.Digest) string {
	return filepath.Join(s.Dir(), "blobs", "sha256", d.Encoded()[:2], d.Encoded())
}

// age makes content look as if it was last used then.
func age(t testing.TB, s *store.Store, d digest.Digest, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(blob(s, d), then, then); err != nil {
		t.Fatal(err)
	}
}

func TestPutGet(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	for _, data := range []string{"", "x", strings.Repeat("long", 100_000)} {
		d := put(t, s, data)
		if again := put(t, s, data); again != d || d != digest.FromString(data) {
			t.Errorf("digests %s, %s", d, again)
		}
		for name, from := range map[string]*store.Store{"the same": s, "another": open(t, dir, store.Options{})} {
			if !from.Has(d) {
				t.Errorf("%s store does not have it", name)
			}
			got, err := from.Get(t.Context(), d)
			if err != nil || string(got) != data {
				t.Errorf("from %s store: %d bytes, %v", name, len(got), err)
			}
		}
	}
	if _, err := s.Get(t.Context(), digest.FromString("none")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("error = %v, want ErrNotFound", err)
	}
	if s.Has(digest.FromString("none")) || s.Has("sha256:../x") {
		t.Error("the store has what was never stored")
	}
}

func TestGetRefusesOtherDigests(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	for _, d := range []digest.Digest{"", "sha256:", "sha256:../../../etc/passwd", digest.Digest("sha512:" + strings.Repeat("a", 128)),
		digest.Digest("sha256:" + strings.Repeat("A", 64))} {
		if _, err := s.Get(t.Context(), d); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get(%q): %v", d, err)
		}
		if err := s.SetRef(t.Context(), "key", store.Entry{Digest: d}); err == nil {
			t.Errorf("SetRef to %q passes", d)
		}
	}
}

func TestCorruptContentIsRemoved(t *testing.T) {
	for name, bad := range map[string]string{"other bytes": "y", "longer": "xx", "torn": ""} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), store.Options{})
			d := put(t, s, "x")
			if err := os.WriteFile(blob(s, d), []byte(bad), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := s.Get(t.Context(), d)
			var corrupt *store.CorruptError
			if !errors.As(err, &corrupt) || !errors.Is(err, store.ErrNotFound) {
				t.Errorf("error = %v", err)
			}
			if _, err := os.Stat(blob(s, d)); !os.IsNotExist(err) {
				t.Errorf("still there: %v", err)
			}
			put(t, s, "x")
			if got, err := s.Get(t.Context(), d); err != nil || string(got) != "x" {
				t.Errorf("after storing it again: %q, %v", got, err)
			}
		})
	}
}

func TestLinksDoNotLeadOut(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir(), store.Options{})
	d := put(t, s, "secret")
	if err := os.Remove(blob(s, d)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, blob(s, d)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), d); err == nil {
		t.Errorf("read %q through a link", got)
	}
}

func TestMaxEntry(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{MaxEntry: 10})
	put(t, s, "0123456789")
	if _, err := s.Put(t.Context(), []byte("0123456789a")); err == nil || !strings.Contains(err.Error(), "11 bytes") {
		t.Errorf("error = %v", err)
	}
}

func TestRefs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{})
	const key = "oci://registry.example.com/charts/web:1.2.3"
	want := store.Entry{Digest: put(t, s, "x"), ETag: `"abc"`, LastModified: "Sun, 22 Nov 2026 00:00:00 GMT",
		Expires: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Metadata: map[string]string{"manifest": "sha256:…"}}
	if _, err := s.GetRef(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("before it is set: %v", err)
	}
	for range 2 {
		if err := s.SetRef(t.Context(), key, want); err != nil {
			t.Fatal(err)
		}
	}
	data, got, err := open(t, dir, store.Options{}).Lookup(t.Context(), key)
	if diff := cmp.Diff(want, got); diff != "" || err != nil || string(data) != "x" {
		t.Errorf("%q, %v\n%s", data, err, diff)
	}
	if want.Fresh(want.Expires) || !want.Fresh(want.Expires.Add(-1)) || !(store.Entry{}).Fresh(time.Now()) {
		t.Error("an entry is fresh until it expires, and for ever if it does not")
	}
	if err := s.SetRef(t.Context(), strings.Repeat("k", 10_000), want); err == nil {
		t.Error("a key of 10,000 bytes passes")
	}
	want.Metadata["large"] = strings.Repeat("x", 2<<20)
	if err := s.SetRef(t.Context(), key, want); err == nil {
		t.Error("metadata of 2 MiB passes")
	}
}

func TestCorruptRefIsRemoved(t *testing.T) {
	for name, bad := range map[string]string{
		"not JSON": "{", "of another key": `{"key":"other","digest":"` + digest.FromString("x").String() + `"}`,
		"no digest": `{"key":"key"}`, "path": `{"key":"key","digest":"sha256:../../x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), store.Options{})
			if err := s.SetRef(t.Context(), "key", store.Entry{Digest: put(t, s, "x")}); err != nil {
				t.Fatal(err)
			}
			files, _ := filepath.Glob(filepath.Join(s.Dir(), "refs", "*", "*.json"))
			if len(files) != 1 {
				t.Fatalf("files %q", files)
			}
			if err := os.WriteFile(files[0], []byte(bad), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := s.GetRef(t.Context(), "key"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("error = %v", err)
			}
			if _, err := os.Stat(files[0]); !os.IsNotExist(err) {
				t.Errorf("still there: %v", err)
			}
		})
	}
}

func TestPruneEvictsWhatWasUsedLongestAgo(t *testing.T) {
	dir := t.TempDir()
	large := open(t, dir, store.Options{})
	s := open(t, dir, store.Options{MaxBytes: 100_000, Grace: time.Hour})
	var ds []digest.Digest
	for i := range 12 {
		ds = append(ds, put(t, large, strings.Repeat(string(rune('a'+i)), 10_000)))
		age(t, s, ds[i], time.Duration(100-i)*time.Hour)
	}
	if _, err := s.Get(t.Context(), ds[0]); err != nil { // the oldest is used again
		t.Fatal(err)
	}
	p, err := s.Prune(t.Context())
	if err != nil || p.Removed != 3 || p.Freed != 30_000 || p.Left != 90_000 {
		t.Errorf("Prune = %+v, %v", p, err)
	}
	for i, d := range ds {
		_, err := s.Get(t.Context(), d)
		if gone := errors.Is(err, store.ErrNotFound); gone != (i >= 1 && i <= 3) {
			t.Errorf("content %d: %v", i, err)
		}
	}
	if p, err = s.Prune(t.Context()); err != nil || p.Removed != 0 {
		t.Errorf("second Prune = %+v, %v", p, err)
	}
}

func TestPruneSparesWhatIsInUse(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{MaxBytes: 1})
	put(t, s, "new")
	if p, err := s.Prune(t.Context()); err != nil || p.Removed != 0 {
		t.Errorf("Prune = %+v, %v", p, err)
	}
}

func TestPruneRemovesLeftovers(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	name := filepath.Join(s.Dir(), "tmp", "leftover")
	young := filepath.Join(s.Dir(), "tmp", "young")
	for _, n := range []string{name, young} {
		if err := os.WriteFile(n, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(name, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("leftover: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("young file: %v", err)
	}
}

func TestCloseEvicts(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, store.Options{MaxBytes: 50_000, Grace: time.Nanosecond})
	for i := range 10 {
		put(t, s, fmt.Sprint(i)+strings.Repeat("x", 10_000))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(s.Dir(), "blobs", "sha256", "*", "*"))
	if len(files) > 5 {
		t.Errorf("%d files of 10,000 bytes are left, and 50,000 bytes are allowed", len(files))
	}
}

// TestUnwritable puts a file where the folder should be: unlike permissions, that stops root too.
func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(file, "cache")
	_, err := store.Open(dir, store.Options{})
	var unwritable *store.UnwritableError
	if !errors.As(err, &unwritable) || !strings.Contains(err.Error(), dir) || !strings.Contains(unwritable.Hint(), "CHARTGATE_CACHE_DIR") {
		t.Fatalf("error = %v", err)
	}
	s := open(t, dir, store.Options{Fallback: true, MaxMemory: 10})
	if !errors.As(s.Degraded(), &unwritable) {
		t.Errorf("Degraded = %v", s.Degraded())
	}
	d := put(t, s, "12345")
	if got, err := s.Get(t.Context(), d); err != nil || string(got) != "12345" {
		t.Errorf("%q, %v", got, err)
	}
	if err := s.SetRef(t.Context(), "key", store.Entry{Digest: d, ETag: "e"}); err != nil {
		t.Fatal(err)
	}
	if data, e, err := s.Lookup(t.Context(), "key"); err != nil || string(data) != "12345" || e.ETag != "e" {
		t.Errorf("%q, %+v, %v", data, e, err)
	}
	put(t, s, "67890a")
	if _, err := s.Get(t.Context(), d); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("beyond MaxMemory, the oldest should go: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestFailingWriteFallsBack takes the folder away under an open store.
func TestFailingWriteFallsBack(t *testing.T) {
	for _, fallback := range []bool{false, true} {
		s := open(t, t.TempDir(), store.Options{Fallback: fallback})
		tmp := filepath.Join(s.Dir(), "tmp")
		if err := os.Remove(tmp); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(tmp, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := s.Put(t.Context(), []byte("x"))
		if !fallback {
			if err == nil {
				t.Error("a failed write passes")
			}
			continue
		}
		if err != nil || s.Degraded() == nil {
			t.Fatalf("Put: %v, Degraded: %v", err, s.Degraded())
		}
		if got, err := s.Get(t.Context(), d); err != nil || !bytes.Equal(got, []byte("x")) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestPutEvictsInTheMidstOfALongRun(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{MaxBytes: 100_000, Grace: time.Nanosecond})
	for i := range 100 {
		put(t, s, fmt.Sprintf("%03d", i)+strings.Repeat("x", 10_000))
	}
	files, _ := filepath.Glob(filepath.Join(s.Dir(), "blobs", "sha256", "*", "*"))
	if len(files) > 13 {
		t.Errorf("%d files of 10,000 bytes, and 100,000 bytes are allowed", len(files))
	}
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/somewhere")
	t.Setenv("HOME", "/home/ada")
	dir, err := store.DefaultDir()
	if err != nil || filepath.Base(dir) != "chartgate" {
		t.Errorf("DefaultDir = %q, %v", dir, err)
	}
}

func TestInMemory(t *testing.T) {
	s := store.InMemory(store.Options{})
	d := put(t, s, "x")
	if got, err := s.Get(t.Context(), d); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.Get(t.Context(), digest.FromString("none")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("error = %v", err)
	}
	if err := s.Close(); err != nil || s.Degraded() == nil {
		t.Errorf("Close: %v, Degraded: %v", err, s.Degraded())
	}
}
