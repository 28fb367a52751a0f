package yamllint

import (
	"strconv"
	"unicode/utf8"
)

// scalarValue returns what a scalar says, with quotes, escapes and folded lines undone. The result shares the text's
// memory where it can.
func scalarValue(text []byte, t *Token) []byte {
	raw := text[t.Start.Offset:t.End.Offset]
	switch t.Style {
	case '\'', '"':
		raw = raw[1 : len(raw)-1]
		if t.Start.Line == t.End.Line && !hasByte(raw, t.Style) && !(t.Style == '"' && hasByte(raw, '\\')) {
			return raw
		}
		return unquote(raw, t.Style)
	case '|', '>':
		return blockText(raw, int(t.indent), t.Style)
	}
	if t.Start.Line == t.End.Line {
		return raw
	}
	return unfold(raw)
}

func hasByte(b []byte, c byte) bool {
	for _, x := range b {
		if x == c {
			return true
		}
	}
	return false
}

// breakLen returns how many bytes the line break at i takes, 0 where there is none.
func breakLen(b []byte, i int) int {
	switch {
	case i >= len(b):
		return 0
	case b[i] == '\n':
		return 1
	case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
		return 2
	case b[i] == '\r':
		return 1
	}
	return wideBreak(b, i)
}

// appendBreak appends a line break as YAML normalises it: all are LF, but LS and PS stay.
func appendBreak(out, brk []byte) []byte {
	if len(brk) == 3 {
		return append(out, brk...)
	}
	return append(out, '\n')
}

// foldBreaks appends what the line breaks and blanks from i on stand for, and returns where they end: one break is a
// space, more are one less.
func foldBreaks(out, b []byte, i int) ([]byte, int) {
	n := breakLen(b, i)
	first := b[i : i+n]
	i += n
	more := 0
	rest := len(out)
	for i < len(b) {
		if b[i] == ' ' || b[i] == '\t' {
			i++
			continue
		}
		n := breakLen(b, i)
		if n == 0 {
			break
		}
		out = appendBreak(out, b[i:i+n])
		i += n
		more++
	}
	switch {
	case len(first) == 3:
		tail := append([]byte(nil), out[rest:]...)
		out = append(append(out[:rest], first...), tail...)
	case more == 0:
		out = append(out, ' ')
	}
	return out, i
}

// unfold joins the lines of a plain scalar.
func unfold(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		j := i
		for j < len(b) && b[j] == ' ' {
			j++
		}
		if breakLen(b, j) > 0 {
			out, i = foldBreaks(out, b, j)
			continue
		}
		j = max(j, i+1)
		out = append(out, b[i:j]...)
		i = j
	}
	return out
}

// unquote undoes quotes: the lines are joined, and escapes replaced.
func unquote(b []byte, quote byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		j := i
		for j < len(b) && (b[j] == ' ' || b[j] == '\t') {
			j++
		}
		switch {
		case breakLen(b, j) > 0:
			out, i = foldBreaks(out, b, j)
		case j > i:
			out, i = append(out, b[i:j]...), j
		case b[i] == '\'' && quote == '\'':
			out, i = append(out, '\''), i+2
		case b[i] == '\\' && quote == '"':
			out, i = unescape(out, b, i+1)
		default:
			out, i = append(out, b[i]), i+1
		}
	}
	return out
}

// unescape appends what the escape stands for whose letter is at i, and returns where it ends.
func unescape(out, b []byte, i int) ([]byte, int) {
	if n := breakLen(b, i); n > 0 { // the break does not count, empty lines after it do
		i += n
		for i < len(b) {
			n := breakLen(b, i)
			switch {
			case b[i] == ' ' || b[i] == '\t':
				i++
				continue
			case n > 0:
				out = appendBreak(out, b[i:i+n])
				i += n
				continue
			}
			break
		}
		return out, i
	}
	digits := 0
	switch b[i] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		return utf8.AppendRune(out, escaped(b[i])), i + 1
	}
	n, _ := strconv.ParseUint(string(b[i+1:i+1+digits]), 16, 32)
	return utf8.AppendRune(out, rune(n)), i + 1 + digits
}

func escaped(c byte) rune {
	switch c {
	case '0':
		return 0
	case 'a':
		return '\a'
	case 'b':
		return '\b'
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'v':
		return '\v'
	case 'f':
		return '\f'
	case 'r':
		return '\r'
	case 'e':
		return 0x1B
	case 'N':
		return 0x85
	case '_':
		return 0xA0
	case 'L':
		return 0x2028
	case 'P':
		return 0x2029
	}
	return rune(c)
}
