package yamllint

import (
	"unicode/utf8"
)

// maxDepth bounds how deep collections may nest. Nothing recurses, so this bounds only memory.
const maxDepth = 100_000

// maxSimpleKey is how many characters a key without "?" may span before its ":", YAML's own bound.
const maxSimpleKey = 1024

// scanner turns text into tokens, those of YAML 1.1. It reads each byte a bounded number of times.
//
// A token is handed out only when nothing read later can put another before it: "a: 1" becomes a mapping when the
// colon is seen, so the scalar "a" waits in the queue until then.
type scanner struct {
	text []byte
	pos  int // of the next byte
	line int
	bol  int // start of the line
	wide int // bytes since bol that do not count as a column
	skew int // bytes before pos that do not count as characters

	queue  []Token
	head   int // first entry of queue not yet handed out
	taken  int // entries handed out
	done   bool
	err    *SyntaxError
	flow   int   // depth of flow collections; a stray "]" makes it negative, which still is flow context
	indent int   // of the current block collection, -1 outside
	outer  []int // indents of the collections around it

	keyAllowed bool
	keys       []simpleKey // candidates, one a flow level, outermost first
	keyHead    int
}

// Where a key may start, an entry of the queue is kept free for the Key token, and for the BlockMappingStart before it.
// Filling it is quicker than moving all that was queued since, of which a hostile text can have much.
const (
	slotEmpty    Kind = 255
	slotAndStart Kind = 254
)

// simpleKey remembers where a key may have started, until its ":" is found or can no longer come.
type simpleKey struct {
	level    int
	slot     int // number of its entry, counted from the first that was queued
	required bool
	mark     Mark
	char     int // characters before it
}

func newScanner(text []byte) *scanner {
	s := &scanner{text: text, indent: -1, keyAllowed: true}
	m := s.mark()
	s.push(Token{Kind: StreamStart, Start: m, End: m})
	return s
}

// next hands out one token; false after the last, or after an error, which is then in s.err.
func (s *scanner) next(tok *Token) bool {
	for s.needMore() {
		if s.fetch(); s.err != nil {
			return false
		}
	}
	if s.err != nil || s.head == len(s.queue) {
		return false
	}
	for {
		t := &s.queue[s.head]
		if t.Kind == slotAndStart { // the slot holds two tokens: hand out the first
			t.Kind = Key
			*tok = *t
			tok.Kind = BlockMappingStart
			return true
		}
		*tok = *t
		s.drop()
		if tok.Kind != slotEmpty {
			return true
		}
		if s.head == len(s.queue) {
			return s.next(tok)
		}
	}
}

// drop takes the first entry off the queue.
func (s *scanner) drop() {
	s.head++
	s.taken++
	switch {
	case s.head == len(s.queue):
		s.queue, s.head = s.queue[:0], 0
	case s.head >= 1024:
		s.queue = s.queue[:copy(s.queue, s.queue[s.head:])]
		s.head = 0
	}
}

func (s *scanner) needMore() bool {
	if s.done || s.err != nil {
		return false
	}
	if s.head == len(s.queue) {
		return true
	}
	s.dropStaleKeys()
	return s.err == nil && s.keyHead < len(s.keys) && s.keys[s.keyHead].slot == s.taken
}

func (s *scanner) fetch() {
	s.skipToToken()
	s.dropStaleKeys()
	if s.err != nil {
		return
	}
	s.unwind(s.column())
	c := s.at(0)
	switch c {
	case 0:
		s.fetchStreamEnd()
	case '%':
		if s.column() == 0 {
			s.fetchDirective()
			return
		}
		s.failAt("while scanning for the next token", "found character '%' that cannot start any token")
	case '[':
		s.fetchFlowStart(FlowSequenceStart)
	case '{':
		s.fetchFlowStart(FlowMappingStart)
	case ']':
		s.fetchFlowEnd(FlowSequenceEnd)
	case '}':
		s.fetchFlowEnd(FlowMappingEnd)
	case ',':
		s.fetchFlowEntry()
	case '*', '&', '!':
		s.fetchProperty(c)
	case '\'', '"':
		s.saveKey()
		s.keyAllowed = false
		s.scanQuoted(c)
	default:
		s.fetchRest(c)
	}
}

func (s *scanner) fetchRest(c byte) {
	if (c == '-' || c == '.') && s.column() == 0 && s.documentMarker() {
		kind := DocumentStart
		if c == '.' {
			kind = DocumentEnd
		}
		s.fetchDocumentMarker(kind)
		return
	}
	spaced := s.blankOrBreakAt(1)
	switch {
	case c == '-' && spaced:
		s.fetchBlockEntry()
	case c == '?' && (s.flow != 0 || spaced):
		s.fetchKey()
	case c == ':' && (s.flow != 0 || spaced):
		s.fetchValue()
	case (c == '|' || c == '>') && s.flow == 0:
		s.keyAllowed = true
		s.removeKey()
		if s.err == nil {
			s.scanBlockScalar(c)
		}
	case s.startsPlain(c, spaced):
		s.saveKey()
		s.keyAllowed = false
		if s.err == nil {
			s.scanPlain()
		}
	default:
		r, _ := s.runeAt(0)
		s.failAt("while scanning for the next token", "found character "+quoteRune(r)+" that cannot start any token")
	}
}

func (s *scanner) startsPlain(c byte, spaced bool) bool {
	switch c {
	case '-':
		return !spaced
	case '?', ':':
		return !spaced && s.flow == 0
	case ' ', '\t', '\r', '\n', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`':
		return false
	}
	return wideBreak(s.text, s.pos) == 0
}

// at returns the byte n after the next, or NUL past the end.
func (s *scanner) at(n int) byte {
	if i := s.pos + n; i < len(s.text) {
		return s.text[i]
	}
	return 0
}

func (s *scanner) runeAt(n int) (rune, int) {
	if s.pos+n >= len(s.text) {
		return 0, 0
	}
	return utf8.DecodeRune(s.text[s.pos+n:])
}

func (s *scanner) column() int { return s.pos - s.bol - s.wide }

func (s *scanner) mark() Mark { return Mark{Offset: s.pos, Line: s.line, Column: s.column()} }

func (s *scanner) push(t Token) { s.queue = append(s.queue, t) }

// blankOrBreakAt tells whether a space, tab, line break or the end stands n bytes ahead.
func (s *scanner) blankOrBreakAt(n int) bool {
	cls := charClass[s.at(n)]
	return cls&(clsBlank|clsBreak|clsEnd) != 0 || cls&clsWide != 0 && wideBreak(s.text, s.pos+n) > 0
}

// breakAt tells whether a line break or the end stands n bytes ahead.
func (s *scanner) breakAt(n int) bool {
	cls := charClass[s.at(n)]
	return cls&(clsBreak|clsEnd) != 0 || cls&clsWide != 0 && wideBreak(s.text, s.pos+n) > 0
}

// documentMarker tells whether "---" or "..." stands next, followed by a blank or a break.
func (s *scanner) documentMarker() bool {
	c := s.at(0)
	return (c == '-' || c == '.') && s.at(1) == c && s.at(2) == c && s.blankOrBreakAt(3)
}

// skipWide goes past one character beyond ASCII that is not a line break.
func (s *scanner) skipWide() {
	_, size := s.runeAt(0)
	if isBOM(s.text, s.pos) {
		s.wide += size
	} else {
		s.wide += size - 1
	}
	s.skew += size - 1
	s.pos += size
}

// skipBreak goes past one line break, if there is one next.
func (s *scanner) skipBreak() bool {
	n := 0
	switch s.at(0) {
	case '\n':
		n = 1
	case '\r':
		n = 1
		if s.at(1) == '\n' {
			n = 2
		}
	case 0xC2, 0xE2:
		n = wideBreak(s.text, s.pos)
		s.skew += max(n-1, 0)
	}
	if n == 0 {
		return false
	}
	s.pos += n
	s.line++
	s.bol, s.wide = s.pos, 0
	return true
}

func (s *scanner) skipSpaces() {
	for s.at(0) == ' ' {
		s.pos++
	}
}

// skipLine goes to the end of the line, before its break.
func (s *scanner) skipLine() {
	for {
		c := s.at(0)
		switch cls := charClass[c]; {
		case cls&stopBreak == 0:
			s.pos++
		case cls&clsWide != 0 && wideBreak(s.text, s.pos) == 0:
			s.skipWide()
		default:
			return
		}
	}
}

func (s *scanner) skipToToken() {
	if s.pos == 0 && isBOM(s.text, 0) {
		s.skipWide()
	}
	for {
		s.skipSpaces()
		if s.at(0) == '#' {
			s.skipLine()
		}
		if !s.skipBreak() {
			return
		}
		if s.flow == 0 {
			s.keyAllowed = true
		}
	}
}

// fail records the first error. The context is what PyYAML calls so; messages leave it out, and so does this.
func (s *scanner) fail(m Mark, problem string) {
	if s.err == nil {
		s.err = &SyntaxError{Mark: m, Problem: problem}
	}
}

func (s *scanner) failAt(_, problem string) { s.fail(s.mark(), problem) }
