package archive

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/opencontainers/go-digest"
)

// Kind says how a file differs.
type Kind string

// The kinds of change from a to b.
const (
	Added    Kind = "added"    // only b has the path
	Removed  Kind = "removed"  // only a has the path
	Modified Kind = "modified" // both have the path, with other bytes
)

// Change is one path at which two charts differ.
type Change struct {
	Path string
	Kind Kind
}

func (c Change) String() string { return string(c.Kind) + " " + c.Path }

// Compare returns the paths at which b differs from a, sorted; nothing if the two have the same paths and bytes in whatever order. A file that comes twice with the
// same bytes counts once: so it is in archives that Helm made of a chart with a dependency both in charts/ and at a file:// path to it.
func Compare(a, b []File) []Change {
	a, b = sorted(a), sorted(b)
	var changes []Change
	for len(a) > 0 || len(b) > 0 {
		name := first(a, b)
		fromA, restA := run(a, name)
		fromB, restB := run(b, name)
		switch {
		case len(fromA) == 0:
			changes = append(changes, Change{Path: name, Kind: Added})
		case len(fromB) == 0:
			changes = append(changes, Change{Path: name, Kind: Removed})
		case !slices.EqualFunc(fromA, fromB, func(x, y File) bool { return bytes.Equal(x.Data, y.Data) }):
			changes = append(changes, Change{Path: name, Kind: Modified})
		}
		a, b = restA, restB
	}
	return changes
}

// Digest is a digest over the paths and bytes of files, whatever their order. Two lists have the same digest if and only if Compare finds no change.
func Digest(files []File) digest.Digest {
	h := sha256.New()
	var length [8]byte
	// Lengths keep a path apart from its bytes, and one file from the next.
	part := func(p []byte) {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		h.Write(length[:])
		h.Write(p)
	}
	for _, f := range sorted(files) {
		part([]byte(f.Name))
		part(f.Data)
	}
	return digest.NewDigest(digest.SHA256, h)
}

// sorted sorts a copy by path, files of one path staying in their order, and leaves out what repeats the file before.
func sorted(files []File) []File {
	s := slices.Clone(files)
	slices.SortStableFunc(s, func(x, y File) int { return cmp.Compare(x.Name, y.Name) })
	return slices.CompactFunc(s, func(x, y File) bool { return x.Name == y.Name && bytes.Equal(x.Data, y.Data) })
}

// first is the lesser of the two first paths.
func first(a, b []File) string {
	if len(a) == 0 || len(b) > 0 && b[0].Name < a[0].Name {
		return b[0].Name
	}
	return a[0].Name
}

// run splits off the files at the start that have this path.
func run(files []File, name string) (same, rest []File) {
	n := 0
	for n < len(files) && files[n].Name == name {
		n++
	}
	return files[:n], files[n:]
}
