package yamllint

// fetchDirective scans a line such as "%YAML 1.1" or "%TAG !e! tag:example.com,2000:".
func (s *scanner) fetchDirective() {
	s.unwind(-1)
	s.removeKey()
	s.keyAllowed = false
	if s.err != nil {
		return
	}
	const context = "while scanning a directive"
	start := s.mark()
	s.pos++
	n := s.skipWord()
	if n == 0 || s.at(0) != ' ' && !s.breakAt(0) {
		s.failExpected(context, "alphabetic or numeric character")
		return
	}
	switch string(s.text[s.pos-n : s.pos]) {
	case "YAML":
		s.scanVersion(context)
	case "TAG":
		s.scanTagPrefix(context)
	default:
		end := s.mark() // what follows the name is skipped and no part of the token
		s.skipLine()
		s.push(Token{Kind: Directive, Start: start, End: end})
		s.skipBreak()
		return
	}
	end := s.mark()
	s.endHeaderLine(context)
	s.push(Token{Kind: Directive, Start: start, End: end})
}

// endHeaderLine goes past spaces, a comment and the line break, and past nothing else.
func (s *scanner) endHeaderLine(context string) {
	s.skipSpaces()
	if s.at(0) == '#' {
		s.skipLine()
	}
	if s.err == nil && !s.breakAt(0) {
		s.failExpected(context, "a comment or a line break")
		return
	}
	s.skipBreak()
}

func (s *scanner) scanVersion(context string) {
	s.skipSpaces()
	if !s.skipDigits(context) {
		return
	}
	if s.at(0) != '.' {
		s.failExpected(context, "a digit or '.'")
		return
	}
	s.pos++
	if s.skipDigits(context) && s.at(0) != ' ' && !s.breakAt(0) {
		s.failExpected(context, "a digit or ' '")
	}
}

func (s *scanner) skipDigits(context string) bool {
	start := s.pos
	for '0' <= s.at(0) && s.at(0) <= '9' {
		s.pos++
	}
	if s.pos == start {
		s.failExpected(context, "a digit")
		return false
	}
	return true
}

func (s *scanner) scanTagPrefix(context string) {
	s.skipSpaces()
	if s.skipHandle("directive"); s.err != nil {
		return
	}
	if s.at(0) != ' ' {
		s.failExpected(context, "' '")
		return
	}
	s.skipSpaces()
	if s.skipURI("directive"); s.err == nil && s.at(0) != ' ' && !s.breakAt(0) {
		s.failExpected(context, "' '")
	}
}
