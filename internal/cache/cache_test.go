package cache

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/store"
	"github.com/opencontainers/go-digest"
)

const (
	key      = "0123456789abcdef0123456789abcdef"
	otherKey = "fedcba9876543210fedcba9876543210"
)

func open(t *testing.T, kept *store.Store, a Access) *Cache {
	t.Helper()
	return New(Options{Access: a, Store: kept})
}

func tmpStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func protected(key string) Access { return Access{Scope: Protected, Key: []byte(key)} }

func TestPutGet(t *testing.T) {
	kept := tmpStore(t)
	for _, a := range []Access{{Scope: Own}, {Scope: Open}, protected(key)} {
		c := open(t, kept, a)
		if _, ok := c.Get(t.Context(), "n"); ok {
			t.Errorf("%s: found before it was put", a.Scope)
		}
		c.Put(t.Context(), "n", []byte("data of "+a.Scope))
		if got, ok := c.Get(t.Context(), "n"); !ok || string(got) != "data of "+string(a.Scope) {
			t.Errorf("%s: %q %t", a.Scope, got, ok)
		}
		if _, ok := c.Get(t.Context(), "m"); ok {
			t.Errorf("%s: found under another name", a.Scope)
		}
	}
	if c := open(t, kept, Access{}); c != nil {
		t.Error("a closed cache is there")
	}
	var none *Cache
	none.Put(t.Context(), "n", nil)
	if _, ok := none.Get(t.Context(), "n"); ok {
		t.Error("no cache has something")
	}
}

// TestForged writes into the store what whoever can write there could: nothing of it may be read.
func TestForged(t *testing.T) {
	kept := tmpStore(t)
	victim, openScope := open(t, kept, protected(key)), open(t, kept, Access{Scope: Open})
	victim.Put(t.Context(), "bad chart", []byte("1 error"))
	victim.Put(t.Context(), "good chart", []byte("no findings"))
	openScope.Put(t.Context(), "bad chart", []byte("no findings"))
	sealed := func(c *Cache, scope Scope, name string) []byte {
		data, _, err := kept.Lookup(t.Context(), c.ref(scope, name))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(data)
	}
	plant := func(c *Cache, scope Scope, name string, data []byte) {
		d, err := kept.Put(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.SetRef(t.Context(), c.ref(scope, name), store.Entry{Digest: d}); err != nil {
			t.Fatal(err)
		}
	}
	good, bad := sealed(victim, Protected, "good chart"), sealed(victim, Protected, "bad chart")
	edited := bytes.Replace(bad, []byte("1 error"), []byte("0 error"), 1)
	keyless := &Cache{store: kept, access: protected(otherKey)}
	for what, data := range map[string][]byte{
		"edited":                       edited,
		"moved from another name":      good,
		"copied from the open scope":   sealed(openScope, Open, "bad chart"),
		"sealed with another key":      keyless.seal(Protected, "bad chart", []byte("no findings")),
		"sealed with no key":           (&Cache{access: Access{Scope: Protected}}).seal(Protected, "bad chart", []byte("no findings")),
		"cut":                          bad[:len(bad)-1],
		"longer":                       append(bytes.Clone(bad), ' '),
		"empty":                        {},
		"without authentication":       []byte(magic),
		"of another version":           append([]byte("chartgate cache 0\n"), bad[len(magic):]...),
		"with the name's sum as its's": append(append([]byte(magic), victim.mac("name", Protected, "bad chart", nil)...), ""...),
	} {
		plant(victim, Protected, "bad chart", data)
		if got, ok := victim.Get(t.Context(), "bad chart"); ok {
			t.Errorf("%s: read %q", what, got)
		}
	}
	plant(victim, Protected, "bad chart", bad)
	if got, ok := victim.Get(t.Context(), "bad chart"); !ok || string(got) != "1 error" {
		t.Errorf("the entry itself: %q %t", got, ok)
	}
	// A name of one scope finds nothing of another's.
	plant(openScope, Open, "bad chart", good)
	if got, ok := openScope.Get(t.Context(), "bad chart"); ok {
		t.Errorf("a protected entry in the open scope was read: %q", got)
	}
	if other := open(t, kept, protected(otherKey)); other != nil {
		if _, ok := other.Get(t.Context(), "good chart"); ok {
			t.Error("an entry of another key was read")
		}
	}
}

func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	kept, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	c := open(t, kept, Access{Scope: Own})
	c.Put(t.Context(), "n", []byte("data"))
	damaged := 0
	err = filepath.WalkDir(filepath.Join(kept.Dir(), "blobs"), func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			damaged++
			return os.WriteFile(name, []byte("something else"), 0o600)
		}
		return err
	})
	if err != nil || damaged != 1 {
		t.Fatalf("%d files damaged: %v", damaged, err)
	}
	if got, ok := c.Get(t.Context(), "n"); ok {
		t.Errorf("read %q", got)
	}
	c.Put(t.Context(), "n", []byte("data"))
	if _, ok := c.Get(t.Context(), "n"); !ok {
		t.Error("not there after it was put again")
	}
}

func TestDecide(t *testing.T) {
	for _, test := range []struct {
		env     string
		publish bool
		want    Scope
		shared  bool
	}{
		{"", false, Own, true},
		{"", true, Own, false}, // what others wrote is not believed
		{"KEY", false, Protected, true},
		{"KEY", true, Protected, true},
		{"CI", false, Open, true},
		{"CI", true, Closed, false},
		{"CI KEY", false, Open, true}, // a key that anybody's branch gets is worth nothing
		{"CI KEY", true, Protected, true},
		{"CI PROTECTED", false, Closed, false},
		{"CI PROTECTED", true, Closed, false},
		{"CI PROTECTED KEY", false, Protected, true},
		{"CI PROTECTED KEY", true, Protected, true},
	} {
		env := func(name string) string {
			switch {
			case name == "CI" && strings.Contains(test.env, "CI"), name == "CI_COMMIT_REF_PROTECTED" && strings.Contains(test.env, "PROTECTED"):
				return "true"
			case name == "CI_COMMIT_REF_PROTECTED":
				return "false"
			case name == KeyVariable && strings.Contains(test.env, "KEY"):
				return key
			}
			return ""
		}
		a, err := Decide(env, test.publish)
		if err != nil || a.Scope != test.want || a.Shared != test.shared || (a.Scope == Protected) != (len(a.Key) > 0) || (a.Scope == Closed) != (a.Why != "") {
			t.Errorf("%q, publish %t: %+v, %v; want %q, shared %t", test.env, test.publish, a, err, test.want, test.shared)
		}
	}
	if _, err := Decide(func(name string) string { return map[string]string{KeyVariable: "short"}[name] }, false); err == nil {
		t.Error("a short key was accepted")
	}
}

func TestSum(t *testing.T) {
	seen := map[digest.Digest][]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"ab", ""}, {"", "ab"}} {
		sum := Sum(parts...)
		if other, ok := seen[sum]; ok {
			t.Errorf("%q and %q have one sum", parts, other)
		}
		seen[sum] = parts
	}
}
