package yamllint

import "unicode/utf8"

// fetchProperty scans an alias, an anchor or a tag.
func (s *scanner) fetchProperty(c byte) {
	s.saveKey()
	s.keyAllowed = false
	if s.err != nil {
		return
	}
	switch c {
	case '*':
		s.scanAnchor(Alias)
	case '&':
		s.scanAnchor(Anchor)
	default:
		s.scanTag()
	}
}

func (s *scanner) skipWord() int {
	start := s.pos
	for charClass[s.at(0)]&clsWord != 0 {
		s.pos++
	}
	return s.pos - start
}

// failExpected reports that something else stands next than what is expected.
func (s *scanner) failExpected(expected string) {
	r, _ := s.runeAt(0)
	s.failAt("expected " + expected + ", but found " + quoteRune(r))
}

func (s *scanner) scanAnchor(kind Kind) {
	start := s.mark()
	s.pos++
	n := s.skipWord()
	if n > 0 {
		switch s.at(0) {
		case '?', ':', ',', ']', '}', '%', '@', '`':
		default:
			if !s.blankOrBreakAt(0) {
				n = 0
			}
		}
	}
	if n == 0 {
		s.failExpected("alphabetic or numeric character")
		return
	}
	s.push(Token{Kind: kind, Start: start, End: s.mark()})
}

func (s *scanner) scanTag() {
	start := s.mark()
	t := Token{Kind: Tag, Start: start, handle: -1}
	switch next := s.at(1); {
	case next == '<':
		s.pos += 2
		if s.skipURI(); s.err == nil && s.at(0) != '>' {
			s.failExpected("'>'")
		}
		if s.err != nil {
			return
		}
		s.pos++
	case s.blankOrBreakAt(1):
		s.pos++
	default:
		if s.longHandle() {
			s.skipHandle()
		} else {
			s.pos++
		}
		t.handle = int32(s.pos - start.Offset)
		if s.err == nil {
			s.skipURI()
		}
	}
	if s.err == nil && s.at(0) != ' ' && !s.breakAt(0) {
		s.failExpected("' '")
	}
	t.End = s.mark()
	s.push(t)
}

// longHandle tells whether the tag that starts here has a second "!", as "!e!x" has.
func (s *scanner) longHandle() bool {
	for n := 1; ; n++ {
		c := s.at(n)
		if c == ' ' || s.breakAt(n) {
			return false
		}
		if c == '!' {
			return true
		}
	}
}

// skipHandle goes past "!", "!!" or "!word!".
func (s *scanner) skipHandle() {
	if s.at(0) != '!' {
		s.failExpected("'!'")
		return
	}
	s.pos++
	if s.at(0) == ' ' {
		return
	}
	s.skipWord()
	if s.at(0) != '!' {
		s.failExpected("'!'")
		return
	}
	s.pos++
}

func (s *scanner) skipURI() {
	start := s.pos
	for s.err == nil {
		switch c := s.at(0); {
		case c == '%':
			s.skipURIEscapes()
		case charClass[c]&(clsWord|clsURI) != 0:
			s.pos++
		default:
			if s.pos == start {
				s.failExpected("URI")
			}
			return
		}
	}
}

// skipURIEscapes goes past a run of "%xx", whose bytes must be UTF-8.
func (s *scanner) skipURIEscapes() {
	m := s.mark()
	var raw []byte
	for s.at(0) == '%' {
		s.pos++
		for n := range 2 {
			if !isHex(s.at(n)) {
				r, _ := s.runeAt(n)
				s.failAt("expected URI escape sequence of 2 hexadecimal numbers, but found " + quoteRune(r))
				return
			}
		}
		raw = append(raw, hexNumber(s.text[s.pos:s.pos+2]))
		s.pos += 2
	}
	if !utf8.Valid(raw) {
		s.fail(m, utf8Problem(raw))
	}
}

func hexNumber(digits []byte) byte {
	n := byte(0)
	for _, c := range digits {
		n <<= 4
		switch {
		case c <= '9':
			n |= c - '0'
		default:
			n |= c&^0x20 - 'A' + 10
		}
	}
	return n
}
