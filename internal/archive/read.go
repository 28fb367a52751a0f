package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

var byteOrderMark = []byte{0xEF, 0xBB, 0xBF}

// errNotGzip is what Read says of anything that does not start like a gzip file.
var errNotGzip = errors.New("not a gzipped tar archive")

// Read reads a chart archive: the name of its top folder, and its files in the order of the archive.
//
// What Helm's loader makes of an archive is what Read makes of it: directories and global headers are skipped, backslashes
// in a path that has them are the separators, a byte order mark at the start of a file is dropped, and of two entries with the same path both are
// kept, in order. Stricter than Helm, it fails for links and devices, which Helm takes for empty files, and for more
// than one top folder, which Helm would merge.
//
// Errors of the type *LimitError say that a limit was reached.
func Read(r io.Reader, lim Limits) (root string, files []File, err error) {
	lim = lim.withDefaults()
	b := &budget{bytes: lim.Total, files: lim.Files, lim: lim}
	return read(r, b)
}

// budget is what is left of the limits, over an archive and those within it.
type budget struct {
	bytes int64
	files int
	lim   Limits
}

// read is Read with what is left of a budget, from which it takes.
func read(r io.Reader, b *budget) (root string, files []File, err error) {
	in := &limitedReader{r: r, left: b.lim.Archive, err: &LimitError{What: "archive", Limit: b.lim.Archive, Unit: "compressed bytes"}}
	unzipped, err := gzip.NewReader(in)
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "", nil, errNotGzip
	}
	if err != nil {
		return "", nil, fmt.Errorf("reading archive: %w", err)
	}
	defer unzipped.Close()
	// Headers and padding count too: a tar of nothing but directories or extended headers must end some time. Helm has no such bound, so leave
	// room for 4 KiB of them a file.
	raw := b.lim.Total + int64(b.lim.Files)*4096
	tr := tar.NewReader(&limitedReader{r: unzipped, left: raw, err: &LimitError{What: "archive", Limit: raw, Unit: "bytes, headers and padding included"}})
	for {
		hd, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, fmt.Errorf("reading archive: %w", err)
		}
		if hd.FileInfo().IsDir() || hd.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		top, f, err := entry(tr, hd, b)
		if err != nil {
			return "", nil, err
		}
		if files == nil {
			root = top
		} else if top != root {
			return "", nil, fmt.Errorf("archive has several top folders: %q and %q", root, top)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return "", nil, errors.New("archive has no files")
	}
	return root, files, nil
}

// entry checks and reads one file of the archive.
func entry(tr *tar.Reader, hd *tar.Header, b *budget) (root string, f File, err error) {
	if hd.Typeflag != tar.TypeReg && hd.Typeflag != tar.TypeGNUSparse {
		return "", f, fmt.Errorf("archive entry %q is %s: only regular files belong into a chart", hd.Name, kind(hd.Typeflag))
	}
	root, name, err := splitName(hd.Name)
	if err != nil {
		return "", f, err
	}
	if b.files--; b.files < 0 {
		return "", f, &LimitError{What: "archive", Limit: int64(b.lim.Files), Unit: "files"}
	}
	if hd.Size > b.lim.File {
		return "", f, &LimitError{What: fmt.Sprintf("file %q of the archive", hd.Name), Limit: b.lim.File, Unit: "bytes"}
	}
	if hd.Size >= b.bytes {
		return "", f, &LimitError{What: "archive", Limit: b.lim.Total, Unit: "decompressed bytes"}
	}
	data, err := io.ReadAll(io.LimitReader(tr, hd.Size+1))
	if err != nil {
		return "", f, fmt.Errorf("reading archive entry %q: %w", hd.Name, err)
	}
	b.bytes -= int64(len(data))
	return root, File{Name: name, Data: bytes.TrimPrefix(data, byteOrderMark)}, nil
}

// splitName takes the top folder off a path of the archive.
func splitName(full string) (root, name string, err error) {
	sep := "/"
	if strings.Contains(full, `\`) {
		sep = `\`
	}
	root, name, _ = strings.Cut(full, sep)
	if root == "" || root == "." || root == ".." || root == "Chart.yaml" {
		return "", "", fmt.Errorf("archive entry %q lies in no folder: the archive must have one top folder, named like the chart", full)
	}
	name = strings.ReplaceAll(name, sep, "/")
	if name == "" {
		return "", "", fmt.Errorf("archive entry %q lies outside of the chart's folder", full)
	}
	if err := checkName(name); err != nil {
		return "", "", fmt.Errorf("archive entry %q: %w", full, err)
	}
	if name = path.Clean(name); name == "." {
		return "", "", fmt.Errorf("archive entry %q lies outside of the chart's folder", full)
	}
	// "c:/x" was none before cleaning if it was "./c:/x".
	if err := checkName(name); err != nil {
		return "", "", fmt.Errorf("archive entry %q: %w", full, err)
	}
	return root, name, nil
}

// kind names a type of tar entries to people.
func kind(flag byte) string {
	switch flag {
	case tar.TypeLink:
		return "a hard link"
	case tar.TypeSymlink:
		return "a symbolic link"
	case tar.TypeChar, tar.TypeBlock:
		return "a device"
	case tar.TypeFifo:
		return "a named pipe"
	}
	return fmt.Sprintf("an entry of type %q", flag)
}

// limitedReader fails with err, rather than ending, after left bytes.
type limitedReader struct {
	r    io.Reader
	left int64
	err  error
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		// One byte more tells an archive of exactly the limit from a longer one.
		var one [1]byte
		n, err := l.r.Read(one[:])
		if n > 0 {
			return 0, l.err
		}
		return 0, err
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
