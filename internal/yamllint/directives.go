package yamllint

import (
	"bytes"
	"slices"
)

// directives is the state of the comments that switch rules off and on. A set of rules is a bit each.
type directives struct {
	names    []string // of the rules that are on; a rule's index is its bit
	disabled uint64   // until a comment enables them
	line     uint64   // on this line
	next     uint64   // on the next line
}

// silences tells whether problems of a rule are dropped on the current line.
func (d *directives) silences(rule int) bool { return (d.disabled|d.line)&(1<<rule) != 0 }

// endLine goes to the next line.
func (d *directives) endLine() { d.line, d.next = d.next, 0 }

// comment obeys a comment, if it is a directive; inline tells whether content is before it on its line.
func (d *directives) comment(text []byte, inline bool) {
	words, ok := bytes.CutPrefix(text, []byte("# yamllint "))
	if !ok {
		return
	}
	verb := words
	if i := bytes.IndexByte(words, ' '); i >= 0 {
		verb = words[:i]
	}
	rules, ok := d.rules(words[len(verb):])
	if !ok {
		return
	}
	switch string(bytes.TrimRightFunc(verb, isSpace)) {
	case "disable":
		d.disabled |= rules
	case "enable":
		d.disabled &^= rules
	case "disable-line":
		if inline {
			d.line |= rules
		} else {
			d.next |= rules
		}
	}
}

// rules reads a list such as " rule:colons rule:commas"; an empty one stands for all. A rule that is not on is let pass; what is
// not of this form makes the comment no directive.
func (d *directives) rules(list []byte) (set uint64, ok bool) {
	list = bytes.TrimRightFunc(list, isSpace)
	if len(list) == 0 {
		return 1<<len(d.names) - 1, true
	}
	for word := range bytes.SplitSeq(list[1:], []byte{' '}) {
		name, found := bytes.CutPrefix(word, []byte("rule:"))
		if !found || len(name) == 0 || bytes.IndexFunc(name, isSpace) >= 0 {
			return 0, false
		}
		if i := slices.Index(d.names, string(name)); i >= 0 {
			set |= 1 << i
		}
	}
	return set, true
}

// disabledFile tells whether a text's first line switches all rules off.
func disabledFile(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	rest, ok := bytes.CutPrefix(line, []byte{'#'})
	return ok && string(bytes.TrimFunc(rest, isSpace)) == "yamllint disable-file"
}

// isSpace tells whether a character is white space to Python's regular expressions.
func isSpace(r rune) bool {
	switch {
	case '\t' <= r && r <= '\r', 0x1C <= r && r <= ' ', r == 0x85, r == 0xA0, r == 0x1680, 0x2000 <= r && r <= 0x200A:
		return true
	}
	return r == 0x2028 || r == 0x2029 || r == 0x202F || r == 0x205F || r == 0x3000
}
