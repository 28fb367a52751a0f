package yamllint

import (
	"fmt"
	"unicode/utf8"
)

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
