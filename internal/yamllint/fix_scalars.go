package yamllint

import "bytes"

// scalarBody is where the lines of a scalar are part of its value.
type scalarBody struct {
	style    byte
	from, to int
	end      int  // of the token
	chomp    byte // of a block scalar: '-', '+' or 0
}

// scalars keeps note of the scalars of more than one line. A scalar is shown before its lines are.
func (f *fixer) scalars() checks {
	return checks{kinds: []Kind{Scalar}, token: func(w *window) {
		t := w.cur
		switch {
		case t.Style == '|' || t.Style == '>':
			f.scalar = f.blockBody(t)
		case t.Start.Line != t.End.Line:
			f.scalar = scalarBody{style: t.Style, from: t.Start.Offset, to: t.End.Offset, end: t.End.Offset}
		}
	}}
}

// blockBody finds the lines of a block scalar. Empty lines at its end belong to it only where its header says so with "+".
func (f *fixer) blockBody(t *Token) scalarBody {
	b := scalarBody{style: t.Style, to: t.End.Offset, end: t.End.Offset}
	b.from = min(f.lineEnd(t.Start.Offset), b.end)
	for _, c := range f.text[t.Start.Offset+1 : b.from] {
		if c == '-' || c == '+' {
			b.chomp = c
		} else if c < '0' || c > '9' {
			break
		}
	}
	if b.chomp == '+' {
		return b
	}
	if bol := f.lineStart(b.to); b.to < len(f.text) && len(bytes.Trim(f.text[bol:b.to], " ")) == 0 {
		b.to = bol // the indent of what comes next
	}
	for b.to > b.from && f.text[b.to-1] == '\n' {
		bol := f.lineStart(b.to - 1)
		if len(bytes.TrimSuffix(f.text[bol:b.to-1], []byte{'\r'})) > 0 || bol < b.from {
			break
		}
		b.to = bol
	}
	return b
}

func (b *scalarBody) block() bool { return b.style == '|' || b.style == '>' }

func (b *scalarBody) contains(offset int) bool { return b.from <= offset && offset < b.to }

// open tells whether a line break at the text's end would become part of the value.
func (b *scalarBody) open(text []byte) bool {
	return b.block() && b.end == len(text) && b.chomp != '-'
}
