package yamllint

import "bytes"

// comment is one comment of the text.
type comment struct {
	line   int // from 1
	column int // of its "#", in characters, from 1
	start  int // offset of its "#"
	end    int // offset of the end of its line, before LF
	before *Token
	after  *Token // nil at the text's end
	// previous is the comment before this one, where no token is between them.
	previous *comment
}

func (c *comment) text(text []byte) []byte { return text[c.start:c.end] }

// inline tells whether something other than space is before the comment on its line.
func (c *comment) inline(text []byte) bool {
	b := c.before
	return b.Kind != StreamStart && c.line == b.End.Line+1 && text[b.End.Offset-1] != '\n'
}

// comments finds the comments between two tokens and shows them to the rules.
func (r *run) comments(before, after *Token) {
	gap := r.text[before.End.Offset:]
	if after != nil {
		// A comment ends a line; only at the end of the text can it be followed by tokens on the same line, and those that
		// end a collection hide it.
		if after.Start.Line == before.End.Line && after.Kind != StreamEnd {
			return
		}
		gap = gap[:after.Start.Offset-before.End.Offset]
	}
	if bytes.IndexByte(gap, '#') < 0 {
		return
	}
	line, column, offset := before.End.Line+1, before.End.Column, before.End.Offset
	var previous *comment
	for n := 0; ; {
		end := bytes.IndexByte(gap, '\n')
		one := gap
		if end >= 0 {
			one = gap[:end]
		}
		if i := bytes.IndexByte(one, '#'); i >= 0 {
			c := &r.found[n&1]
			n++
			*c = comment{
				line: line, column: column + runeLen(one[:i]) + 1, start: offset + i, end: offset + len(one),
				before: before, after: after, previous: previous,
			}
			r.showComment(c)
			c.previous = nil
			previous = c
		}
		if end < 0 {
			return
		}
		gap = gap[end+1:]
		offset += end + 1
		line, column = line+1, 0
	}
}

func (r *run) showComment(c *comment) {
	r.linesBefore(c.line)
	for _, check := range r.commentChecks {
		check(c)
	}
	r.directives.comment(c.text(r.text), c.inline(r.text))
}
