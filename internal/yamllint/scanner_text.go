package yamllint

// scanBlockScalar scans a literal "|" or folded ">" scalar. Its end is the start of the line after its text and the
// empty lines that follow.
func (s *scanner) scanBlockScalar(style byte) {
	start := s.mark()
	s.pos++
	increment := s.scanBlockHeader()
	if s.err == nil {
		s.endHeaderLine()
	}
	if s.err != nil {
		return
	}
	indent := max(s.indent+1, 1)
	end := s.mark()
	if increment == 0 {
		var deepest int
		deepest, end = s.skipBlockLead(end)
		indent = max(indent, deepest)
	} else {
		indent += increment - 1
		end = s.skipBlockBreaks(indent, end)
	}
	for s.column() == indent && s.pos < len(s.text) {
		s.skipLine()
		s.skipBreak()
		end = s.skipBlockBreaks(indent, s.mark())
	}
	s.push(Token{Kind: Scalar, Style: style, Start: start, End: end, indent: int32(indent)})
}

// scanBlockHeader reads the chomping sign and the indentation digit, in either order; 0 where there is no digit.
func (s *scanner) scanBlockHeader() (increment int) {
	sign := s.skipSign()
	if c := s.at(0); '0' <= c && c <= '9' {
		if increment = int(c - '0'); increment == 0 {
			s.failAt("expected indentation indicator in the range 1-9, but found 0")
			return 0
		}
		s.pos++
		if !sign {
			s.skipSign()
		}
	}
	if s.at(0) != ' ' && !s.breakAt(0) {
		s.failExpected("chomping or indentation indicators")
	}
	return increment
}

func (s *scanner) skipSign() bool {
	if c := s.at(0); c == '+' || c == '-' {
		s.pos++
		return true
	}
	return false
}

// skipBlockLead goes past the empty lines before a block scalar's text and finds how deep that is indented.
func (s *scanner) skipBlockLead(end Mark) (deepest int, _ Mark) {
	for {
		if s.at(0) == ' ' {
			s.skipSpaces()
			deepest = max(deepest, s.column())
			continue
		}
		if !s.skipBreak() {
			return deepest, end
		}
		end = s.mark()
	}
}

func (s *scanner) skipBlockBreaks(indent int, end Mark) Mark {
	for {
		for s.column() < indent && s.at(0) == ' ' {
			s.pos++
		}
		if !s.skipBreak() {
			return end
		}
		end = s.mark()
	}
}
