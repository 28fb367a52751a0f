package yamllint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// decode returns the text as UTF-8 without a byte order mark, or what keeps it from being text. The encoding is found
// as YAML's specification says: by the byte order mark, or else by where the first NUL is.
func decode(data []byte) ([]byte, *SyntaxError) {
	text := data
	switch wide, size, order := encodingOf(data); {
	case size > 1:
		var bad *SyntaxError
		if text, bad = decodeWide(data[wide:], size, order); bad != nil {
			return nil, bad
		}
	default:
		text = data[wide:]
	}
	for i := 0; i < len(text); {
		c := text[i]
		if charClass[c]&(clsWide|clsControl) == 0 {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			return nil, &SyntaxError{Mark: markAt(text, i), Problem: "special characters are not allowed"}
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return nil, &SyntaxError{Mark: markAt(text, i), Problem: utf8ProblemAt(text, i)}
		}
		if r < 0xA0 && r != 0x85 || r == 0xFFFE || r == 0xFFFF {
			return nil, &SyntaxError{Mark: markAt(text, i), Problem: "special characters are not allowed"}
		}
		i += size
	}
	return text, nil
}

// encodingOf returns how long the byte order mark is, how many bytes a unit has, and the order of those.
func encodingOf(data []byte) (mark, size int, order binary.ByteOrder) {
	has := func(prefix ...byte) bool { return bytes.HasPrefix(data, prefix) }
	zero := func(i int) bool { return i < len(data) && data[i] == 0 }
	switch {
	case has(0, 0, 0xFE, 0xFF):
		return 4, 4, binary.BigEndian
	case has(0xFF, 0xFE, 0, 0):
		return 4, 4, binary.LittleEndian
	case has(0xFE, 0xFF):
		return 2, 2, binary.BigEndian
	case has(0xFF, 0xFE):
		return 2, 2, binary.LittleEndian
	case has(0xEF, 0xBB, 0xBF):
		return 3, 1, nil
	case has(0, 0, 0) && len(data) > 3:
		return 0, 4, binary.BigEndian
	case len(data) > 3 && zero(1) && zero(2) && zero(3):
		return 0, 4, binary.LittleEndian
	case len(data) > 1 && zero(0):
		return 0, 2, binary.BigEndian
	case zero(1):
		return 0, 2, binary.LittleEndian
	}
	return 0, 1, nil
}

// decodeWide turns UTF-16 or UTF-32 into UTF-8.
func decodeWide(data []byte, size int, order binary.ByteOrder) ([]byte, *SyntaxError) {
	name := fmt.Sprintf("'utf-%d' codec", 8*size)
	text := make([]byte, 0, len(data))
	for i := 0; i < len(data); i += size {
		if i+size > len(data) {
			return nil, &SyntaxError{Mark: markAt(text, len(text)), Problem: name + " can't decode bytes: truncated data"}
		}
		var r rune
		if size == 4 {
			r = rune(min(order.Uint32(data[i:]), utf8.MaxRune+1))
		} else if r = rune(order.Uint16(data[i:])); utf16.IsSurrogate(r) {
			low := rune(0)
			if i+4 <= len(data) {
				low = rune(order.Uint16(data[i+2:]))
			}
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				r = pair
				i += 2
			}
		}
		if !utf8.ValidRune(r) {
			return nil, &SyntaxError{Mark: markAt(text, len(text)), Problem: name + " can't decode bytes: illegal encoding"}
		}
		text = utf8.AppendRune(text, r)
	}
	return text, nil
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
