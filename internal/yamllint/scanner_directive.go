package yamllint

// fetchDirective scans a line such as "%YAML 1.1" or "%TAG !e! tag:example.com,2000:".
func (s *scanner) fetchDirective() {
	s.unwind(-1)
	s.removeKey()
	s.keyAllowed = false
	if s.err != nil {
		return
	}
	start := s.mark()
	s.pos++
	n := s.skipWord()
	if n == 0 || s.at(0) != ' ' && !s.breakAt(0) {
		s.failExpected("alphabetic or numeric character")
		return
	}
	switch string(s.text[s.pos-n : s.pos]) {
	case "YAML":
		s.scanVersion()
	case "TAG":
		s.scanTagPrefix()
	default:
		end := s.mark() // what follows the name is skipped and no part of the token
		s.skipLine()
		s.push(Token{Kind: Directive, Start: start, End: end})
		s.skipBreak()
		return
	}
	end := s.mark()
	s.endHeaderLine()
	s.push(Token{Kind: Directive, Start: start, End: end})
}

// endHeaderLine goes past spaces, a comment and the line break, and past nothing else.
func (s *scanner) endHeaderLine() {
	s.skipSpaces()
	if s.at(0) == '#' {
		s.skipLine()
	}
	if s.err == nil && !s.breakAt(0) {
		s.failExpected("a comment or a line break")
		return
	}
	s.skipBreak()
}

func (s *scanner) scanVersion() {
	s.skipSpaces()
	if !s.skipDigits() {
		return
	}
	if s.at(0) != '.' {
		s.failExpected("a digit or '.'")
		return
	}
	s.pos++
	if s.skipDigits() && s.at(0) != ' ' && !s.breakAt(0) {
		s.failExpected("a digit or ' '")
	}
}

func (s *scanner) skipDigits() bool {
	start := s.pos
	for '0' <= s.at(0) && s.at(0) <= '9' {
		s.pos++
	}
	if s.pos == start {
		s.failExpected("a digit")
		return false
	}
	return true
}

func (s *scanner) scanTagPrefix() {
	s.skipSpaces()
	if s.skipHandle(); s.err != nil {
		return
	}
	if s.at(0) != ' ' {
		s.failExpected("' '")
		return
	}
	s.skipSpaces()
	if s.skipURI(); s.err == nil && s.at(0) != ' ' && !s.breakAt(0) {
		s.failExpected("' '")
	}
}
