package yamllint

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Classes of bytes, for the scanner's inner loops. A byte of a character beyond ASCII has only clsWide: such characters
// are looked at one by one, as a few of them end a line.
const (
	clsBlank   uint16 = 1 << iota // space and tab
	clsBreak                      // CR and LF
	clsEnd                        // NUL: what the scanner sees past the end
	clsWide                       // first or later byte of a character beyond ASCII
	clsWord                       // letters, digits, "-" and "_"
	clsURI                        // what a tag may be made of, besides words and "%"
	clsQuoted                     // what is of interest inside quotes
	clsControl                    // what no text may contain
	clsFlow                       // what ends or may end a plain scalar: ",[]{}?" in flow context, ":" in both
)

// charClass is a constant table; Go has no other way to write one.
var charClass = classes()

func classes() (t [256]uint16) {
	set := func(chars string, class uint16) {
		for i := range len(chars) {
			t[chars[i]] |= class
		}
	}
	set(" \t", clsBlank)
	set("\r\n", clsBreak)
	set("\x00", clsEnd)
	set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_", clsWord)
	set(";/?:@&=+$,.!~*'()[]", clsURI)
	set("'\"\\", clsQuoted)
	set(",[]{}?:", clsFlow)
	for i := range len(t) {
		switch {
		case i >= utf8.RuneSelf:
			t[i] |= clsWide
		case i < ' ' && i != '\t' && i != '\r' && i != '\n', i == 0x7F:
			t[i] |= clsControl
		}
	}
	return t
}

const (
	stopBreak = clsBreak | clsEnd | clsWide
	stopPlain = clsBlank | clsBreak | clsEnd | clsWide | clsFlow
	stopQuote = clsBlank | clsBreak | clsEnd | clsWide | clsQuoted
)

// wideBreak tells whether the bytes at i are NEL, LS or PS, which end a line in YAML 1.1, and how many bytes they take.
func wideBreak(b []byte, i int) int {
	switch {
	case i+1 < len(b) && b[i] == 0xC2 && b[i+1] == 0x85:
		return 2
	case i+2 < len(b) && b[i] == 0xE2 && b[i+1] == 0x80 && (b[i+2] == 0xA8 || b[i+2] == 0xA9):
		return 3
	}
	return 0
}

// isBOM tells whether a byte order mark stands at i.
func isBOM(b []byte, i int) bool {
	return i+2 < len(b) && b[i] == 0xEF && b[i+1] == 0xBB && b[i+2] == 0xBF
}

// quoteRune writes a character as the messages of syntax errors do: 'x', "'", '\t', '\x1b', '\u200b'.
func quoteRune(r rune) string {
	switch r {
	case '\'':
		return `"'"`
	case '\\':
		return `'\\'`
	case '\t':
		return `'\t'`
	case '\n':
		return `'\n'`
	case '\r':
		return `'\r'`
	}
	switch {
	case r == ' ' || unicode.IsPrint(r):
		return "'" + string(r) + "'"
	case r < 0x100:
		return fmt.Sprintf(`'\x%02x'`, r)
	case r < 0x10000:
		return fmt.Sprintf(`'\u%04x'`, r)
	}
	return fmt.Sprintf(`'\U%08x'`, r)
}

// quoteString writes a string as the messages of syntax errors do: 'x', "it's".
func quoteString(s string) string {
	quote := byte('\'')
	hasSingle, hasDouble := false, false
	for i := range len(s) {
		hasSingle = hasSingle || s[i] == '\''
		hasDouble = hasDouble || s[i] == '"'
	}
	if hasSingle && !hasDouble {
		quote = '"'
	}
	out := []byte{quote}
	for _, r := range s {
		switch {
		case r == rune(quote):
			out = append(out, '\\', quote)
		case r == '\'' || r == '"':
			out = append(out, byte(r))
		default:
			q := quoteRune(r)
			out = append(out, q[1:len(q)-1]...)
		}
	}
	return string(append(out, quote))
}

// runeLen counts the characters of a text.
func runeLen(b []byte) int {
	for i := range b {
		if b[i] >= utf8.RuneSelf {
			return i + utf8.RuneCount(b[i:])
		}
	}
	return len(b)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
