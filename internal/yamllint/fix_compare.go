package yamllint

import "bytes"

// meaning reads a text token by token, without what has no bearing on what the text says.
type meaning struct {
	text   []byte
	scan   *scanner
	parse  parser
	inside bool // a document
	held   bool // the token is yet to come, after the start of its document
	tok    Token
}

// sameDocuments tells whether two texts hold the same documents: the same collections, and the same scalars, in the same
// style, with the same tags and anchors.
func sameDocuments(a, b []byte) bool {
	x, y := meaning{text: a, scan: newScanner(a)}, meaning{text: b, scan: newScanner(b)}
	for {
		s, okS := x.next()
		t, okT := y.next()
		if !okS || !okT {
			return okS == okT && x.right() && y.right()
		}
		if s != t || s == Scalar && x.tok.Style != y.tok.Style || !bytes.Equal(x.value(s), y.value(t)) {
			return false
		}
	}
}

func (m *meaning) right() bool { return m.scan.err == nil && m.parse.err == nil }

// next returns the next kind of token. Every document starts with DocumentStart, spelled out or not; its end is left out.
func (m *meaning) next() (Kind, bool) {
	if m.held {
		m.held = false
		return m.tok.Kind, true
	}
	for m.parse.err == nil && m.scan.next(&m.tok) {
		m.parse.feed(&m.tok, m.text)
		switch m.tok.Kind {
		case StreamStart, StreamEnd, Directive:
		case DocumentEnd:
			m.inside = false
			continue
		case DocumentStart:
			m.inside = true
		default:
			if !m.inside {
				m.inside, m.held = true, true
				return DocumentStart, true
			}
		}
		return m.tok.Kind, true
	}
	return 0, false
}

// value returns what a token of a kind says.
func (m *meaning) value(k Kind) []byte {
	switch k {
	case Scalar:
		return scalarValue(m.text, &m.tok)
	case Tag, Anchor, Alias, Directive:
		return m.text[m.tok.Start.Offset:m.tok.End.Offset]
	}
	return nil
}
