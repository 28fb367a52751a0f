// Package archive reads, writes and compares chart archives: gzipped tar files with one top folder, as `helm package` writes them.
//
// Reading is bounded and trusts nothing, writing gives the same bytes for the same files, and comparing looks at paths and bytes
// alone, since the times and owners in an archive say nothing about the chart.
package archive

import (
	"fmt"
	"path"
	"strings"
)

// File is one regular file of a chart.
type File struct {
	// Name is the slash-separated path inside the chart, without the chart's name: "templates/service.yaml".
	Name string
	// Data is shared, never changed: whoever needs other bytes makes a copy.
	Data []byte
}

// Limits bounds what reading an archive may cost. A zero field means its default.
type Limits struct {
	// Archive is the most compressed bytes that are read: 100 MiB.
	Archive int64
	// Total is the most bytes of all files together, those of archives within the archive counted in: 100 MiB, as in Helm.
	Total int64
	// File is the most bytes of one file: 5 MiB, as in Helm.
	File int64
	// Files is the most files, those of archives within the archive counted in: 20,000.
	Files int
	// Depth is how many levels of charts/ may lie within one another: 16.
	Depth int
}

const (
	defaultArchive = 100 << 20
	defaultTotal   = 100 << 20
	defaultFile    = 5 << 20
	defaultFiles   = 20_000
	defaultDepth   = 16

	// maxPath bounds one path; the paths of PATH_MAX are the longest that any loader can unpack.
	maxPath = 4096
)

// withDefaults fills the fields that are zero.
func (l Limits) withDefaults() Limits {
	if l.Archive <= 0 {
		l.Archive = defaultArchive
	}
	if l.Total <= 0 {
		l.Total = defaultTotal
	}
	if l.File <= 0 {
		l.File = defaultFile
	}
	if l.Files <= 0 {
		l.Files = defaultFiles
	}
	if l.Depth <= 0 {
		l.Depth = defaultDepth
	}
	return l
}

// LimitError says that an archive is larger than it may be.
type LimitError struct {
	// What is the thing that is too large: "archive", "file \"values.yaml\"".
	What string
	// Limit is the bound, in Unit.
	Limit int64
	Unit  string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s has more than %d %s", e.What, e.Limit, e.Unit)
}

// checkName reports why a path inside a chart cannot be a file of an archive.
func checkName(name string) error {
	switch {
	case name == "" || name == ".":
		return fmt.Errorf("path %q names no file inside the chart", name)
	case len(name) > maxPath:
		return fmt.Errorf("path %q… has more than %d bytes", name[:64], maxPath)
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("path %q contains a zero byte", name)
	case strings.HasPrefix(name, "/"):
		return fmt.Errorf("path %q is absolute", name)
	case strings.HasPrefix(path.Clean(name), ".."):
		return fmt.Errorf("path %q leads out of the chart", name)
	case hasDrive(name):
		return fmt.Errorf("path %q starts with a drive letter", name)
	}
	return nil
}

// hasDrive reports whether a path is absolute on Windows although its slashes are not: "c:/x".
func hasDrive(name string) bool {
	if len(name) < 3 || name[1] != ':' || name[2] != '/' {
		return false
	}
	c := name[0] | 0x20
	return c >= 'a' && c <= 'z'
}
