package archive

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// Epoch is the modification time of every file that Write writes: the start of 1980, the oldest time that every archive format can express. It is
// not the zero of Unix, at which GNU tar and backup tools raise an eyebrow.
var Epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Write writes the files of a chart as an archive with the top folder root.
//
// The same files give the same bytes whatever their order: Chart.yaml comes first, the others as a walk through the folders meets them, which is the order of `helm
// package` inside templates/ and inside crds/; every file has mode 0644, owner 0 and the time Epoch, the gzip header holds neither name nor time, the
// compression is the best. Bytes may differ between two versions of Go's compressor, files never do.
//
// It fails for two files with the same path, since nobody can say which of them a reader gets.
func Write(w io.Writer, root string, files []File) error {
	if root == "" || root == "." || root == ".." || strings.ContainsAny(root, "/\\\x00") {
		return fmt.Errorf("writing archive: %q cannot be the top folder", root)
	}
	if twice := Duplicates(files); len(twice) > 0 {
		return fmt.Errorf("writing archive %q: more than one file at %q", root, twice)
	}
	zw, err := gzip.NewWriterLevel(w, gzip.DefaultCompression)
	if err != nil {
		return fmt.Errorf("writing archive %q: %w", root, err)
	}
	tw := tar.NewWriter(zw)
	for _, f := range inWriteOrder(files) {
		if err := writeFile(tw, root, f); err != nil {
			return fmt.Errorf("writing archive %q: %w", root, err)
		}
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("writing archive %q: %w", root, err)
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("writing archive %q: %w", root, err)
	}
	return nil
}

func writeFile(tw *tar.Writer, root string, f File) error {
	if err := checkName(f.Name); err != nil {
		return err
	}
	if path.Clean(f.Name) != f.Name || strings.Contains(f.Name, `\`) {
		return fmt.Errorf("path %q would not be read back as it is written", f.Name)
	}
	hd := &tar.Header{Typeflag: tar.TypeReg, Name: root + "/" + f.Name, Mode: 0o644, Size: int64(len(f.Data)), ModTime: Epoch}
	if err := tw.WriteHeader(hd); err != nil {
		return fmt.Errorf("writing %q: %w", f.Name, err)
	}
	if _, err := tw.Write(f.Data); err != nil {
		return fmt.Errorf("writing %q: %w", f.Name, err)
	}
	return nil
}

// inWriteOrder sorts a copy of files for Write.
func inWriteOrder(files []File) []File {
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(a, b File) int {
		if first := cmp.Compare(rank(a.Name), rank(b.Name)); first != 0 {
			return first
		}
		return slices.Compare(strings.Split(a.Name, "/"), strings.Split(b.Name, "/"))
	})
	return sorted
}

// rank puts Chart.yaml first: readers that want the metadata alone need not read further.
func rank(name string) int {
	if name == "Chart.yaml" {
		return 0
	}
	return 1
}

// Duplicates returns the paths that more than one file has, sorted. Helm writes such archives of a chart with two dependencies of one name and different
// versions, and reads them back as one chart made of both.
func Duplicates(files []File) []string {
	count := make(map[string]int, len(files))
	var twice []string
	for _, f := range files {
		if count[f.Name]++; count[f.Name] == 2 {
			twice = append(twice, f.Name)
		}
	}
	slices.Sort(twice)
	return twice
}
