package render

import (
	"strings"
	"unicode"
)

// piece is one document of a rendered template: text[start:end].
type piece struct{ start, end int }

// split cuts a rendered template into documents exactly as Helm does, which
// is not quite as YAML says: a line that starts with "---" separates, whatever
// follows on it is content, separators swallow the blank space around them,
// and two in a row are one separator and one document "---".
func split(text string) []piece {
	start, end := trim(text, 0, len(text))
	s := text[start:end]
	var out []piece
	begin, last, first := 0, -1, true
	for {
		from, to, ok := separator(s, begin, first)
		if !ok {
			break
		}
		first = false
		if to != 0 {
			out = appendPiece(out, text, start+begin, start+from)
		}
		begin, last = to, from
	}
	if last != len(s) || last < 0 {
		out = appendPiece(out, text, start+begin, start+len(s))
	}
	return out
}

func appendPiece(out []piece, text string, start, end int) []piece {
	if start >= end {
		return out
	}
	a, b := trim(text, start, end)
	return append(out, piece{a, b})
}

// trim is strings.TrimSpace on text[start:end].
func trim(text string, start, end int) (int, int) {
	left := strings.TrimLeftFunc(text[start:end], unicode.IsSpace)
	start = end - len(left)
	return start, start + len(strings.TrimSpace(left))
}

// separator finds the first "---" at the start of a line in s[at:], with the
// blank space around it. The start of s counts as the start of a line; what
// an earlier separator swallowed does not.
func separator(s string, at int, first bool) (from, to int, ok bool) {
	if first && strings.HasPrefix(s, "---") {
		return 0, skipBlank(s, 3), true
	}
	i := strings.Index(s[at:], "\n---")
	if i < 0 {
		return 0, 0, false
	}
	from = at + i
	for from > at && blank(s[from-1]) {
		from--
	}
	return from, skipBlank(s, at+i+4), true
}

func skipBlank(s string, i int) int {
	for i < len(s) && blank(s[i]) {
		i++
	}
	return i
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
