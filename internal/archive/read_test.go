package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart/loader"
)

func TestRead(t *testing.T) {
	data := targz(t,
		entry{name: "pax_global_header", flag: tar.TypeXGlobalHeader},
		entry{name: "web/", flag: tar.TypeDir},
		entry{name: "web/Chart.yaml", body: "\uFEFFname: web\n"},
		entry{name: `web\templates\a.yaml`, body: "a"},
		entry{name: "web/./templates/../b.yaml", body: "b"},
		entry{name: "web/twice", body: "1"},
		entry{name: "web/twice", body: "2"},
		entry{name: "web/empty"},
		entry{name: "web/" + strings.Repeat("long/", 50) + "name", body: "p"},
	)
	root, got, err := archive.Read(bytes.NewReader(data), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := files("Chart.yaml", "name: web\n", "templates/a.yaml", "a", "b.yaml", "b", "twice", "1", "twice", "2", "empty", "",
		strings.Repeat("long/", 50)+"name", "p")
	if diff := cmp.Diff(want, got); diff != "" || root != "web" {
		t.Errorf("root %q, files (-want +got):\n%s", root, diff)
	}
}

func TestReadRefuses(t *testing.T) {
	ok := entry{name: "web/Chart.yaml", body: "name: web\n"}
	tests := map[string]struct {
		data []byte
		want string
	}{
		"empty":              {nil, "not a gzipped tar archive"},
		"not gzip":           {[]byte("apiVersion: v2\nname: web\n"), "not a gzipped tar archive"},
		"not tar":            {gzipped(t, []byte(strings.Repeat("no tar", 200))), "reading archive"},
		"cut":                {targz(t, ok)[:60], "reading archive"},
		"no files":           {targz(t, entry{name: "web/", flag: tar.TypeDir}), "no files"},
		"absolute":           {targz(t, ok, entry{name: "/etc/passwd"}), "lies in no folder"},
		"absolute inside":    {targz(t, ok, entry{name: "web//etc/passwd"}), "absolute"},
		"parent":             {targz(t, ok, entry{name: "web/../../x"}), "leads out of the chart"},
		"parent, windows":    {targz(t, ok, entry{name: `web\..\x`}), "leads out of the chart"},
		"parent as the root": {targz(t, entry{name: "../x"}), "lies in no folder"},
		"drive":              {targz(t, ok, entry{name: "web/c:/x"}), "drive letter"},
		"drive, cleaned":     {targz(t, ok, entry{name: "web/./c:/x"}), "drive letter"},
		"no folder":          {targz(t, entry{name: "Chart.yaml", body: "name: web\n"}), "lies in no folder"},
		"dot folder":         {targz(t, entry{name: "./web/Chart.yaml", body: "name: web\n"}), "lies in no folder"},
		"folder itself":      {targz(t, ok, entry{name: "web/."}), "names no file"},
		"folder after all":   {targz(t, ok, entry{name: "web/a/.."}), "outside of the chart's folder"},
		"two folders":        {targz(t, ok, entry{name: "other/Chart.yaml"}), `several top folders: "web" and "other"`},
		"symbolic link":      {targz(t, ok, entry{name: "web/x", flag: tar.TypeSymlink, link: "/etc/passwd"}), "a symbolic link"},
		"hard link":          {targz(t, ok, entry{name: "web/x", flag: tar.TypeLink, link: "web/Chart.yaml"}), "a hard link"},
		"device":             {targz(t, ok, entry{name: "web/x", flag: tar.TypeChar}), "a device"},
		"pipe":               {targz(t, ok, entry{name: "web/x", flag: tar.TypeFifo}), "a named pipe"},
		"long name":          {targz(t, ok, entry{name: "web/" + strings.Repeat("x", 5000)}), "more than 4096 bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := archive.Read(bytes.NewReader(tt.data), archive.Limits{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestReadLimits(t *testing.T) {
	kilo := strings.Repeat("x", 1000)
	three := targz(t, entry{name: "w/a", body: kilo}, entry{name: "w/b", body: kilo}, entry{name: "w/c", body: kilo})
	tests := map[string]struct {
		data []byte
		lim  archive.Limits
		want string // "" if it is within the limits
	}{
		"within":     {three, archive.Limits{Archive: int64(len(three)), Total: 3001, File: 1000, Files: 3}, ""},
		"compressed": {three, archive.Limits{Archive: int64(len(three)) / 2}, "compressed bytes"},
		"total":      {three, archive.Limits{Total: 2999}, "more than 2999 decompressed bytes"},
		"file":       {three, archive.Limits{File: 999}, `file "w/a" of the archive has more than 999 bytes`},
		"files":      {three, archive.Limits{Files: 2}, "more than 2 files"},
		"folders":    {manyFolders(t), archive.Limits{Total: 1000, Files: 1}, "headers and padding"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := archive.Read(bytes.NewReader(tt.data), tt.lim)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var limit *archive.LimitError
			if !errors.As(err, &limit) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want a *LimitError with %q", err, tt.want)
			}
		})
	}
}

// TestReadBomb feeds sixteen megabytes of zeros, compressed, and expects that hardly any of it is read.
func TestReadBomb(t *testing.T) {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	const size = 16 << 20
	if err := tw.WriteHeader(&tar.Header{Name: "bomb/values.yaml", Size: size, Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(tw, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	tw.Close()
	zw.Close()
	in := &countingReader{r: &buf}
	_, _, err := archive.Read(in, archive.Limits{})
	if err == nil || !strings.Contains(err.Error(), "more than 5242880 bytes") {
		t.Errorf("error = %v", err)
	}
	if in.n > 1<<16 {
		t.Errorf("%d compressed bytes were read of an archive whose first header is too large", in.n)
	}
}

func TestLoadBoundsArchivesWithin(t *testing.T) {
	zero := strings.Repeat("\x00", 1<<20)
	inner := targz(t, entry{name: "b/Chart.yaml", body: "apiVersion: v2\nname: b\nversion: 1.0.0\n"}, entry{name: "b/x", body: zero})
	fs := files("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n")
	for i := range 5 {
		fs = append(fs, archive.File{Name: fmt.Sprintf("charts/b-%d.tgz", i), Data: inner})
	}
	if _, err := archive.Load(fs, archive.Limits{}); err != nil {
		t.Fatal(err)
	}
	_, err := archive.Load(fs, archive.Limits{Total: 4 << 20})
	var limit *archive.LimitError
	if !errors.As(err, &limit) {
		t.Errorf("error = %v, want a *LimitError for 5 MiB in 5 archives", err)
	}
}

func TestLoadBoundsDepth(t *testing.T) {
	var fs []archive.File
	for i := range 10 {
		fs = append(fs, files(strings.Repeat("charts/x/", i)+"Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.0.0\n")...)
	}
	if _, err := archive.Load(fs, archive.Limits{}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Load(fs, archive.Limits{Depth: 8}); err == nil || !strings.Contains(err.Error(), "levels of charts within charts") {
		t.Errorf("error = %v", err)
	}
}

// FuzzRead holds Read against Helm's reader: what Read takes, Helm takes likewise.
func FuzzRead(f *testing.F) {
	f.Add(targz(f, entry{name: "web/Chart.yaml", body: "name: web\n"}, entry{name: `web\a\b`, body: "\uFEFFx"}))
	f.Add(targz(f, entry{name: "web/../x"}))
	f.Add(targz(f, entry{name: "web/x", flag: tar.TypeSymlink, link: "y"}, entry{name: "g", flag: tar.TypeXGlobalHeader}))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkAgainstHelm(t, data)
		checkAgainstHelm(t, gzipped(t, data)) // the fuzzer cannot guess checksums of gzip
	})
}

func checkAgainstHelm(t *testing.T, data []byte) {
	root, got, err := archive.Read(bytes.NewReader(data), archive.Limits{Total: 1 << 20})
	if err != nil {
		return
	}
	if root == "" || root == "." || root == ".." || strings.Contains(root, `\`) {
		t.Errorf("root %q", root)
	}
	want, err := loader.LoadArchiveFiles(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("Helm refuses what we read: %v", err)
	}
	if len(want) != len(got) {
		t.Fatalf("%d files, Helm has %d", len(got), len(want))
	}
	for i, w := range want {
		if w.Name != got[i].Name || !bytes.Equal(w.Data, got[i].Data) {
			t.Errorf("file %d is %q, Helm's is %q", i, got[i].Name, w.Name)
		}
	}
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	if _, err := zw.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func manyFolders(t *testing.T) []byte {
	var es []entry
	for i := range 20 {
		es = append(es, entry{name: fmt.Sprintf("w/%d/", i), flag: tar.TypeDir})
	}
	return targz(t, es...)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
