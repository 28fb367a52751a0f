package generate

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func tree(t *testing.T, seed uint64) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := Charts(dir, 9, seed, "oci://registry.example.com/charts"); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSeed: the same seed gives the same charts, another gives others.
func TestSeed(t *testing.T) {
	a, b, c := tree(t, 1), tree(t, 1), tree(t, 2)
	if len(a) < 100 || len(a) != len(b) {
		t.Fatalf("%d and %d files", len(a), len(b))
	}
	differ := false
	for name, text := range a {
		if b[name] != text {
			t.Errorf("%s differs", name)
		}
		differ = differ || c[name] != text
	}
	if !differ {
		t.Error("the seed does nothing")
	}
}
