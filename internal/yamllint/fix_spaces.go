package yamllint

import (
	"bytes"
	"strings"
)

// between repairs a gap between two tokens of a line, whose problems are reported in the column before its end when it is too
// wide, and at its end when it is too narrow.
func (f *fixer) between(rule string, from, to Mark, n, least, most int) {
	switch {
	case n < 0 || most != -1 && least > most:
	case most != -1 && n > most && f.has(rule, to.Line+1, to.Column):
		f.resize(from.Offset, to.Offset, most)
	case n < least && f.has(rule, to.Line+1, to.Column+1):
		f.resize(from.Offset, to.Offset, least)
	}
}

func fixBrackets(f *fixer, o options, rule string, open, shut Kind) checks {
	least, most := o.int("min-spaces-inside"), o.int("max-spaces-inside")
	leastEmpty, mostEmpty := o.int("min-spaces-inside-empty"), o.int("max-spaces-inside-empty")
	if leastEmpty == -1 {
		leastEmpty = least
	}
	if mostEmpty == -1 {
		mostEmpty = most
	}
	return checks{kinds: []Kind{open, shut}, token: func(w *window) {
		t := w.cur
		switch {
		case t.Kind == open && w.next != nil && w.next.Kind == shut:
			f.between(rule, t.End, w.next.Start, spacesAfter(t, w.next), leastEmpty, mostEmpty)
		case t.Kind == open && w.next != nil:
			f.between(rule, t.End, w.next.Start, spacesAfter(t, w.next), least, most)
		case t.Kind == shut && w.prev != nil && w.prev.Kind != open:
			f.between(rule, w.prev.End, t.Start, spacesBefore(f.text, w.prev, t), least, most)
		}
	}}
}

func fixCommas(f *fixer, o options) checks {
	before, least, most := o.int("max-spaces-before"), o.int("min-spaces-after"), o.int("max-spaces-after")
	return checks{kinds: []Kind{FlowEntry}, token: func(w *window) {
		t := w.cur
		limit := f.narrowest(w.prev, before)
		if n := spacesBefore(f.text, w.prev, t); before != -1 && n > limit && f.has("commas", t.Start.Line+1, max(t.Start.Column, 1)) {
			f.resize(w.prev.End.Offset, t.Start.Offset, limit)
		}
		if w.next != nil {
			f.between("commas", t.End, w.next.Start, spacesAfter(t, w.next), least, most)
		}
	}}
}

// narrowest returns how many spaces are to follow a token at least, if a number is wanted: what ends by itself needs none.
func (f *fixer) narrowest(t *Token, want int) int {
	if t != nil && (t.Kind == Scalar || t.Kind == FlowMappingEnd || t.Kind == FlowSequenceEnd) {
		return want
	}
	return max(want, 1)
}

func fixColons(f *fixer, o options) checks {
	before, after := o.int("max-spaces-before"), o.int("max-spaces-after")
	return checks{kinds: []Kind{Value, Key}, token: func(w *window) {
		t := w.cur
		if !t.spelled() {
			return
		}
		if n := spacesBefore(f.text, w.prev, t); t.Kind == Value && before != -1 && n > before {
			f.beforeColon(w, n, f.narrowest(w.prev, before))
		}
		// The columns of a collection that starts here are shown by its first line; moving only that would break it.
		if w.next == nil || w.next.Kind == BlockMappingStart || w.next.Kind == BlockSequenceStart {
			return
		}
		if n := spacesAfter(t, w.next); after != -1 && n > max(after, 1) && f.has("colons", t.End.Line+1, w.next.Start.Column) {
			f.resize(t.End.Offset, w.next.Start.Offset, max(after, 1))
		}
	}}
}

func (f *fixer) beforeColon(w *window, n, limit int) {
	t := w.cur
	spaced := t.End.Offset == len(f.text) || strings.IndexByte(" \t\r\n", f.text[t.End.Offset]) >= 0
	if limit == 0 && w.prev.Plain() && !spaced {
		return // "a:b" is one scalar
	}
	if n > limit && f.has("colons", t.Start.Line+1, max(t.Start.Column, 1)) {
		f.resize(w.prev.End.Offset, t.Start.Offset, limit)
	}
}

func fixComments(f *fixer, o options) checks {
	gap := o.int("min-spaces-from-content")
	return checks{comment: func(c *comment) {
		if n := c.start - c.before.End.Offset; n < gap && c.inline(f.text) && f.has("comments", c.line, c.column) {
			f.replace(c.start, c.start, strings.Repeat(" ", gap-n))
		}
		i := c.start
		for i < len(f.text) && f.text[i] == '#' {
			i++
		}
		// A comment must not become a directive.
		if f.has("comments", c.line, c.column+i-c.start) && !bytes.HasPrefix(f.text[i:], []byte("yamllint ")) {
			f.replace(i, i, " ")
		}
	}}
}
