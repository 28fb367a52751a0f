package yamllint

// spacesAfter returns how many characters are between a token and the next, or -1 where a line break is among them or
// there is no next. Between two tokens on one line there is nothing but spaces.
func spacesAfter(t, next *Token) int {
	if next == nil || t.End.Line != next.Start.Line {
		return -1
	}
	return next.Start.Offset - t.End.Offset
}

// spacesBefore returns how many characters are between the previous token and a token, or -1 where the previous one is
// on another line or ends with a line break, as block scalars do.
func spacesBefore(text []byte, prev, t *Token) int {
	if prev == nil || prev.End.Line != t.Start.Line || prev.End.Offset > 0 && text[prev.End.Offset-1] == '\n' {
		return -1
	}
	return t.Start.Offset - prev.End.Offset
}
