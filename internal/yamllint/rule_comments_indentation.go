package yamllint

import "bytes"

func commentsIndentationRule() *Rule {
	return &Rule{
		Name: "comments-indentation",
		What: "Asks comments to start in the column of the content after them, or of the content before them.",
		Why:  "A comment's column tells what it belongs to.",
		Bad:  "---\nweb:\n# the image to run\n  image: web\n", Good: "---\nweb:\n  # the image to run\n  image: web\n",
		check: checkCommentsIndentation,
	}
}

func checkCommentsIndentation(_ options, text []byte, r *reporter) checks {
	return checks{comment: func(c *comment) {
		if c.before.Kind != StreamStart && c.line == c.before.End.Line+1 {
			return // it follows content on its line, or a block scalar, which may be indented in any way
		}
		next := 0
		if c.after != nil && c.after.Kind != StreamEnd {
			next = c.after.Start.Column
		}
		before := next
		switch {
		case c.previous != nil && !c.previous.inline(text):
			// Once a comment went back to the column of what follows, so must those after it.
			before = c.previous.column - 1
		case c.before.Kind != StreamStart:
			before = max(lineIndent(text, c.before), next)
		}
		if column := c.column - 1; column != before && column != next {
			r.report(c.line, c.column, "comment not indented like content")
		}
	}}
}

// lineIndent returns the column of the first character other than a space on the line on which a token starts.
func lineIndent(text []byte, t *Token) int {
	bol := bytes.LastIndexByte(text[:t.Start.Offset], '\n') + 1
	n := 0
	for bol+n < len(text) && text[bol+n] == ' ' {
		n++
	}
	return n
}
