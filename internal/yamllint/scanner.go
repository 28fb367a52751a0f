package yamllint

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
		s.failAt("found character '%' that cannot start any token")
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
		s.failAt("found character " + quoteRune(r) + " that cannot start any token")
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
