package chart_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/google/go-cmp/cmp"
)

// onDisk writes a chart below dir and returns how it is loaded with a memory.
func onDisk(t *testing.T) (dir string, load func(*chart.Memory) *chart.Chart) {
	t.Helper()
	dir = t.TempDir()
	for name, data := range map[string]string{
		"Chart.yaml":           "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: a\n  version: 1.x.x\n  repository: file://../a\n",
		"values.yaml":          "\uFEFFport: 80\n",
		"templates/a.yaml":     "a: {{ .Values.port }}\n",
		"ci/one-values.yaml":   "port: 81\n",
		"orgs/acme/notes.txt":  "no part of the archive\n",
		".helmignore":          "orgs/\n",
		"files/not-utf8.bin":   "\xff\xfe\x00",
		"templates/_empty.tpl": "",
	} {
		name = filepath.Join(dir, "charts", "web", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return filepath.Join(dir, "charts", "web"), func(m *chart.Memory) *chart.Chart {
		return m.Load(root.FS(), chart.Dir{Path: "charts/web", Root: "charts/web"}, chart.Limits{})
	}
}

// next is the memory of the run after one that used m.
func next(t *testing.T, m *chart.Memory) *chart.Memory {
	t.Helper()
	data, ok := m.Encode()
	if !ok {
		t.Fatal("there is nothing new to remember")
	}
	m, err := chart.DecodeMemory(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// age waits until the files are old enough to be known by their times.
func age(t *testing.T) {
	t.Helper()
	time.Sleep(2100 * time.Millisecond)
}

// same wants two charts to be one and the same, whatever is asked of them.
func same(t *testing.T, got, want *chart.Chart) {
	t.Helper()
	pkg := func(c *chart.Chart) string { d, _ := c.Package(); return string(d) }
	for name, diff := range map[string]string{
		"Tree":      cmp.Diff(want.Tree(), got.Tree()),
		"Metadata":  cmp.Diff(want.Metadata(), got.Metadata()),
		"Package":   cmp.Diff(pkg(want), pkg(got)),
		"Err":       cmp.Diff(want.Err(), got.Err()),
		"Entries":   cmp.Diff(want.Entries(), got.Entries()),
		"Files":     cmp.Diff(want.Files(), got.Files()),
		"ValuesSet": cmp.Diff(want.ValuesSets(), got.ValuesSets()),
		"Helm":      cmp.Diff(want.Helm().Values, got.Helm().Values),
	} {
		if diff != "" {
			t.Errorf("%s (-read +remembered): %s", name, diff)
		}
	}
	if got.Moved() {
		t.Error("a file is said to have moved")
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	dir, load := onDisk(t)
	age(t)
	first := chart.NewMemory()
	read := load(first)
	if read.Held() != read.Size() {
		t.Errorf("%d of %d bytes were read", read.Held(), read.Size())
	}
	first.Note(read)
	second := next(t, first)
	remembered := load(second)
	if remembered.Err() != nil || remembered.Version() != "1.0.0" || remembered.Held() != 0 {
		t.Errorf("%v %q, %d bytes were read of what did not change", remembered.Err(), remembered.Version(), remembered.Held())
	}
	same(t, remembered, read)
	if _, ok := second.Encode(); ok {
		t.Error("there is something new to remember")
	}
	remembered.Release()
	if remembered.Held() != 0 {
		t.Errorf("%d bytes are held after Release", remembered.Held())
	}
	same(t, remembered, read)

	// A change that leaves size and modification time as they were.
	name := filepath.Join(dir, "templates", "a.yaml")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("b: {{ .Values.port }}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	data, _ := first.Encode()
	third, err := chart.DecodeMemory(data)
	if err != nil {
		t.Fatal(err)
	}
	changed := load(third)
	if changed.Tree() == read.Tree() {
		t.Error("a change was not seen")
	}
	same(t, changed, load(nil))
}

// TestMemoryYoung changes a file twice at once: what is young is always read.
func TestMemoryYoung(t *testing.T) {
	t.Parallel()
	dir, load := onDisk(t)
	m := chart.NewMemory()
	m.Note(load(m))
	if err := os.WriteFile(filepath.Join(dir, "values.yaml"), []byte("\uFEFFport: 81\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	same(t, load(next(t, m)), load(nil))
}

// TestMemoryMoved changes a file between its being listed and its being read.
func TestMemoryMoved(t *testing.T) {
	t.Parallel()
	dir, load := onDisk(t)
	age(t)
	m := chart.NewMemory()
	m.Note(load(m))
	c := load(next(t, m))
	if err := os.WriteFile(filepath.Join(dir, "values.yaml"), []byte("port: 82\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c.Moved() {
		t.Error("it is said before anything was read")
	}
	c.Files()
	if !c.Moved() {
		t.Error("a file that changed meanwhile was not seen")
	}
}

// TestTreeModes: a digest is the same under another umask, and not where a file can be executed.
func TestTreeModes(t *testing.T) {
	t.Parallel()
	dir, load := onDisk(t)
	want := load(nil).Tree()
	name := filepath.Join(dir, "values.yaml")
	for mode, equal := range map[os.FileMode]bool{0o600: true, 0o666: true, 0o755: false} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		if got := load(nil).Tree() == want; got != equal {
			t.Errorf("mode %o: the same digest: %t, want %t", mode, got, equal)
		}
	}
}

func FuzzDecodeMemory(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0})
	f.Add(append([]byte{1, 1, 'a'}, append(make([]byte, 72), 1, 1, 'k', 2, '{', '}')...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		m, err := chart.DecodeMemory(data)
		if !bytes.Equal(before, data) {
			t.Error("the input was changed")
		}
		if err == nil && m == nil {
			t.Error("neither a memory nor an error")
		}
	})
}
