// Package source holds files and the positions inside them that findings point at.
package source

import (
	"bytes"
	"strings"
)

// File is a file of the repository, read whole.
type File struct {
	Path string // slash-separated, relative to the repository's root
	Data []byte
}

// Pos is a place in a file. Lines and columns count from 1, columns in
// characters; a zero means that it is not known.
type Pos struct {
	Line, Column int
}

// IsZero reports whether nothing is known about the place.
func (p Pos) IsZero() bool { return p == Pos{} }

// Line returns the text of line n (from 1) without its line break, or "" when
// there is no such line.
func Line(data []byte, n int) string {
	for i := 1; len(data) > 0; i++ {
		line := data
		rest := []byte(nil)
		if j := bytes.IndexByte(data, '\n'); j >= 0 {
			line, rest = data[:j], data[j+1:]
		}
		if i == n {
			return strings.TrimSuffix(string(line), "\r")
		}
		data = rest
	}
	return ""
}
