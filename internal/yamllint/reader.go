package yamllint

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// decode returns the text as UTF-8, or what keeps it from being text.
func decode(data []byte) ([]byte, *SyntaxError) {
	for i := 0; i < len(data); {
		c := data[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7F {
				return nil, &SyntaxError{Mark: markAt(data, i), Problem: "special characters are not allowed"}
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return nil, &SyntaxError{Mark: markAt(data, i), Problem: utf8ProblemAt(data, i)}
		}
		if r < 0xA0 && r != 0x85 || r == 0xFFFE || r == 0xFFFF {
			return nil, &SyntaxError{Mark: markAt(data, i), Problem: "special characters are not allowed"}
		}
		i += size
	}
	return data, nil
}

// markAt returns the mark of a byte, counting lines by LF.
func markAt(data []byte, i int) Mark {
	bol := bytes.LastIndexByte(data[:i], '\n') + 1
	return Mark{Offset: i, Line: bytes.Count(data[:i], []byte{'\n'}), Column: utf8.RuneCount(data[bol:i])}
}

// utf8Problem words what is wrong with bytes that are not UTF-8.
func utf8Problem(b []byte) string {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 {
			return utf8ProblemAt(b, i)
		}
		i += size
	}
	return ""
}

func utf8ProblemAt(b []byte, i int) string {
	c := b[i]
	need, low, high := 0, byte(0x80), byte(0xBF)
	switch {
	case 0xC2 <= c && c <= 0xDF:
		need = 1
	case 0xE0 <= c && c <= 0xEF:
		need = 2
		if c == 0xE0 {
			low = 0xA0
		} else if c == 0xED {
			high = 0x9F
		}
	case 0xF0 <= c && c <= 0xF4:
		need = 3
		if c == 0xF0 {
			low = 0x90
		} else if c == 0xF4 {
			high = 0x8F
		}
	default:
		return fmt.Sprintf("'utf-8' codec can't decode byte 0x%02x in position %d: invalid start byte", c, i)
	}
	n := 1
	for ; n <= need && i+n < len(b) && low <= b[i+n] && b[i+n] <= high; n++ {
		low, high = 0x80, 0xBF
	}
	reason := "invalid continuation byte"
	if i+n == len(b) {
		reason = "unexpected end of data"
	}
	if n == 1 {
		return fmt.Sprintf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", c, i, reason)
	}
	return fmt.Sprintf("'utf-8' codec can't decode bytes in position %d-%d: %s", i, i+n-1, reason)
}
