package yamllint

import (
	"bytes"
	"fmt"
)

// checkScalar looks at the lines of a scalar after its first; first tells whether that one starts with the scalar.
func (in *indenter) checkScalar(t *Token, first bool) {
	if t.Start.Line == t.End.Line {
		return
	}
	line, offset, known, expected := t.Start.Line+1, t.Start.Offset, false, 0
	for {
		i := bytes.IndexByte(in.text[offset:t.End.Offset], '\n')
		if i < 0 || offset+i+1 >= t.End.Offset {
			return
		}
		line++
		offset += i + 1
		found := 0
		for offset+found < len(in.text) && in.text[offset+found] == ' ' {
			found++
		}
		if offset+found < len(in.text) && in.text[offset+found] == '\n' {
			continue
		}
		if !known {
			expected, known = in.scalarIndent(t, first, found), true
		}
		if found != expected {
			in.report.report(line, found+1, fmt.Sprintf("wrong indentation: expected %d but found %d", expected, found))
		}
	}
}

// scalarIndent returns the column at which the lines of a scalar should start, given that of the first of them.
func (in *indenter) scalarIndent(t *Token, first bool, found int) int {
	switch t.Style {
	case 0:
		return t.Start.Column
	case '\'', '"':
		return t.Start.Column + 1
	}
	line := Token{Start: Mark{Column: found}}
	switch top := in.top(); {
	case top.kind == frameEntry, top.kind == frameKey, top.kind == frameValue && top.explicit && !first:
		return in.deeper(t.Start.Column, &line)
	case top.kind == frameValue && !first:
		return in.deeper(in.frames[len(in.frames)-2].indent, &line)
	default:
		return in.deeper(top.indent, &line)
	}
}
