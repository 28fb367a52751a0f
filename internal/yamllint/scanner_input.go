package yamllint

import "unicode/utf8"

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

// fail records the first error.
func (s *scanner) fail(m Mark, problem string) {
	if s.err == nil {
		s.err = &SyntaxError{Mark: m, Problem: problem}
	}
}

func (s *scanner) failAt(problem string) { s.fail(s.mark(), problem) }
