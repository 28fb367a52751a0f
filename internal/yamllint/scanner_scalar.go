package yamllint

import "fmt"

// scanPlain scans a scalar without quotes, over several lines if need be.
func (s *scanner) scanPlain() {
	start := s.mark()
	end := start
	indent := s.indent + 1
	for s.at(0) != '#' {
		from := s.pos
		s.skipPlainRun()
		if s.pos == from {
			break
		}
		s.keyAllowed = false
		end = s.mark()
		if !s.skipPlainSpaces() || s.at(0) == '#' || s.flow == 0 && s.column() < indent {
			break
		}
	}
	s.push(Token{Kind: Scalar, Start: start, End: end})
}

// skipPlainRun goes past a plain scalar's next word.
func (s *scanner) skipPlainRun() {
	text, i := s.text, s.pos
	for {
		for i < len(text) && charClass[text[i]]&stopPlain == 0 {
			i++
		}
		s.pos = i
		if i == len(text) {
			return
		}
		switch c := text[i]; {
		case c == ':':
			if s.blankOrBreakAt(1) || s.flow != 0 && isFlowIndicator(s.at(1)) {
				return
			}
			i++
		case charClass[c]&clsFlow != 0:
			if s.flow != 0 {
				return
			}
			i++
		case charClass[c]&clsWide != 0 && wideBreak(text, i) == 0:
			s.skipWide()
			i = s.pos
		default:
			return
		}
	}
}

func isFlowIndicator(c byte) bool { return c == ',' || c == '[' || c == ']' || c == '{' || c == '}' }

// skipPlainSpaces goes past spaces and line breaks inside a plain scalar; false where there are none, or where
// a document marker ends it.
func (s *scanner) skipPlainSpaces() bool {
	from := s.pos
	s.skipSpaces()
	if !s.skipBreak() {
		return s.pos > from
	}
	s.keyAllowed = true
	for {
		if s.pos == s.bol && s.documentMarker() {
			return false
		}
		s.skipSpaces()
		if !s.skipBreak() {
			return true
		}
	}
}

func (s *scanner) scanQuoted(quote byte) {
	if s.err != nil {
		return
	}
	start := s.mark()
	s.pos++
	for s.err == nil {
		s.skipQuotedRun(quote)
		if s.err != nil {
			return
		}
		if s.at(0) == quote {
			break
		}
		s.skipQuotedSpaces()
	}
	if s.err != nil {
		return
	}
	s.pos++
	s.push(Token{Kind: Scalar, Style: quote, Start: start, End: s.mark()})
}

// skipQuotedRun goes past what is neither blank nor break, up to the closing quote.
func (s *scanner) skipQuotedRun(quote byte) {
	text := s.text
	for s.err == nil {
		i := s.pos
		for i < len(text) && charClass[text[i]]&stopQuote == 0 {
			i++
		}
		s.pos = i
		switch c := s.at(0); {
		case c == quote:
			if quote == '"' || s.at(1) != '\'' {
				return
			}
			s.pos += 2
		case c == '\\' && quote == '"':
			s.skipEscape()
		case c == '\'' || c == '"' || c == '\\':
			s.pos++
		case charClass[c]&clsWide != 0 && wideBreak(text, i) == 0:
			s.skipWide()
		default:
			return
		}
	}
}

func (s *scanner) skipEscape() {
	s.pos++
	digits := 0
	switch c := s.at(0); c {
	case '0', 'a', 'b', 't', '\t', 'n', 'v', 'f', 'r', 'e', ' ', '"', '\\', '/', 'N', '_', 'L', 'P':
		s.pos++
		return
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		if s.skipBreak() {
			s.skipQuotedBreaks()
			return
		}
		r, _ := s.runeAt(0)
		s.failAt("found unknown escape character " + quoteRune(r))
		return
	}
	s.pos++
	for n := range digits {
		if !isHex(s.at(n)) {
			r, _ := s.runeAt(n)
			s.failAt(fmt.Sprintf("expected escape sequence of %d hexadecimal numbers, but found %s", digits, quoteRune(r)))
			return
		}
	}
	if digits == 8 && (s.at(0) != '0' || s.at(1) != '0' || s.at(2) > '1' || s.at(2) == '1' && s.at(3) != '0') {
		s.failAt("escape sequence stands for no character")
		return
	}
	s.pos += digits
}

func (s *scanner) skipQuotedSpaces() {
	for charClass[s.at(0)]&clsBlank != 0 {
		s.pos++
	}
	if s.pos >= len(s.text) {
		s.failAt("found unexpected end of stream")
		return
	}
	if s.skipBreak() {
		s.skipQuotedBreaks()
	}
}

// skipQuotedBreaks goes past empty lines and the next line's indentation.
func (s *scanner) skipQuotedBreaks() {
	for {
		if s.documentMarker() {
			s.failAt("found unexpected document separator")
			return
		}
		for charClass[s.at(0)]&clsBlank != 0 {
			s.pos++
		}
		if !s.skipBreak() {
			return
		}
	}
}
