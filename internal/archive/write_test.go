package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
)

func packaged(t testing.TB) []archive.File {
	t.Helper()
	fs, err := archive.FromChart(mustLoad(t, without(webFiles(t), "charts/README.md")))
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

func written(t testing.TB, root string, fs []archive.File) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := archive.Write(&buf, root, fs); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestWriteRoundTrip(t *testing.T) {
	fs := packaged(t)
	data := written(t, "web", fs)
	root, got, err := archive.Read(bytes.NewReader(data), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if changes := archive.Compare(fs, got); len(changes) > 0 || root != "web" {
		t.Errorf("root %q, changes %v", root, changes)
	}
	if got[0].Name != "Chart.yaml" {
		t.Errorf("first file is %q, want Chart.yaml", got[0].Name)
	}
	want, err := loader.LoadFiles(buffered(fs))
	if err != nil {
		t.Fatal(err)
	}
	c, err := loader.LoadArchive(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range want.Templates {
		if c.Templates[i].Name != f.Name {
			t.Errorf("template %d is %q, in a packaged chart it is %q", i, c.Templates[i].Name, f.Name)
		}
	}
	if got, want := crds(c.CRDObjects()), crds(want.CRDObjects()); !slices.Equal(got, want) {
		t.Errorf("CRDs come as %q, in a packaged chart as %q", got, want)
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	fs := packaged(t)
	want := written(t, "web", fs)
	for range 20 {
		rand.Shuffle(len(fs), func(i, j int) { fs[i], fs[j] = fs[j], fs[i] })
		if !bytes.Equal(want, written(t, "web", fs)) {
			t.Fatal("the order of the files changes the archive")
		}
	}
	// A change of these bytes makes every chart "other bytes, same content" to those that were published before: do it knowingly.
	golden := files("Chart.yaml", "name: a\n", "templates/x.yaml", "kind: Pod\n")
	const digestOfTar = "sha256:d11419f2a09bcfa6d8b234757015bc78434c04c3d6170f3265762fcd856eaa80"
	if got := digest.FromBytes(gunzipped(t, written(t, "a", golden))); got != digestOfTar {
		t.Errorf("digest of the tar = %s, want %s", got, digestOfTar)
	}
}

func TestWriteHeaders(t *testing.T) {
	zr, err := gzip.NewReader(bytes.NewReader(written(t, "web", packaged(t))))
	if err != nil {
		t.Fatal(err)
	}
	if zr.Name != "" || zr.Comment != "" || !zr.ModTime.IsZero() || len(zr.Extra) > 0 {
		t.Errorf("gzip header = %+v", zr.Header)
	}
	tr := tar.NewReader(zr)
	for {
		hd, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if hd.Mode != 0o644 || hd.Uid != 0 || hd.Gid != 0 || hd.Uname != "" || hd.Gname != "" || !hd.ModTime.Equal(archive.Epoch) ||
			hd.Typeflag != tar.TypeReg || !strings.HasPrefix(hd.Name, "web/") {
			t.Errorf("header = %+v", hd)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	tests := map[string]struct {
		root string
		fs   []archive.File
		want string
	}{
		"root":       {"a/b", files("x", ""), "cannot be the top folder"},
		"no root":    {"", files("x", ""), "cannot be the top folder"},
		"twice":      {"a", files("x", "1", "y", "", "x", "2"), `more than one file at ["x"]`},
		"parent":     {"a", files("../x", ""), "leads out"},
		"absolute":   {"a", files("/x", ""), "absolute"},
		"not clean":  {"a", files("b//x", ""), "read back"},
		"backslash":  {"a", files(`b\x`, ""), "read back"},
		"no name":    {"a", files("", ""), "names no file"},
		"drive":      {"a", files("C:/x", ""), "drive"},
		"zero bytes": {"a", files("a\x00b", ""), "zero byte"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := archive.Write(io.Discard, tt.root, tt.fs); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestTarUnpacks asks the tar of the machine, silent about the times.
func TestTarUnpacks(t *testing.T) {
	if _, err := exec.LookPath("tar"); err != nil {
		t.Skip("no tar here")
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "web.tgz")
	if err := os.WriteFile(name, written(t, "web", packaged(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tar", "-xzf", name, "-C", dir).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "web", "values.yaml"))
	if err != nil || string(data) != "# kept\nport:   80 # as written\n" {
		t.Errorf("values.yaml = %q, %v", data, err)
	}
}

func TestCompare(t *testing.T) {
	a := files("same", "1", "changed", "1", "gone", "", "twice", "1", "twice", "2")
	b := files("new", "", "twice", "1", "twice", "3", "changed", "2", "same", "1")
	want := []archive.Change{{"changed", archive.Modified}, {"gone", archive.Removed}, {"new", archive.Added}, {"twice", archive.Modified}}
	if diff := cmp.Diff(want, archive.Compare(a, b)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := archive.Compare(files("x", "1", "y", "", "x", "1"), files("x", "1", "y", "")); got != nil {
		t.Errorf("a file that comes twice with the same bytes: %v", got)
	}
	if got := archive.Compare(a, a); got != nil {
		t.Errorf("a differs from itself: %v", got)
	}
	if got := archive.Compare(nil, nil); got != nil {
		t.Errorf("nothing differs from nothing: %v", got)
	}
}

func TestDigest(t *testing.T) {
	a := files("a", "1", "b", "2")
	if archive.Digest(a) != archive.Digest(files("b", "2", "a", "1")) {
		t.Error("the order of files changes the digest")
	}
	if archive.Digest(a) != archive.Digest(files("a", "1", "b", "2", "a", "1")) {
		t.Error("a file that comes twice with the same bytes changes the digest")
	}
	for name, other := range map[string][]archive.File{
		"bytes": files("a", "1", "b", "3"), "path": files("a", "1", "c", "2"), "fewer": files("a", "1"),
		"boundary": files("a", "1b", "", "2"), "none": nil,
	} {
		if archive.Digest(a) == archive.Digest(other) {
			t.Errorf("other %s, same digest", name)
		}
	}
	if err := archive.Digest(a).Validate(); err != nil {
		t.Error(err)
	}
}

func buffered(fs []archive.File) []*loader.BufferedFile {
	var out []*loader.BufferedFile
	for _, f := range fs {
		out = append(out, &loader.BufferedFile{Name: f.Name, Data: f.Data})
	}
	return out
}

func gunzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func crds(list []helmchart.CRD) []string {
	var names []string
	for _, c := range list {
		names = append(names, c.Filename)
	}
	return names
}
