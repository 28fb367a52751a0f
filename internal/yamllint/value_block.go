package yamllint

import "bytes"

// blockText undoes a block scalar: its header and indentation go, lines are joined if it is folded, and the line
// breaks at its end are kept or dropped as the header says.
func blockText(raw []byte, indent int, style byte) []byte {
	b, keep, strip := cutBlockHeader(raw)
	var out, breaks, last []byte
	spaced := true // the line before starts with a blank, so its break stands
	started := false
	for i := 0; i < len(b); {
		line := i
		for line < len(b) && line-i < indent && b[line] == ' ' {
			line++
		}
		if n := breakLen(b, line); n > 0 {
			breaks = appendBreak(breaks, b[line:line+n])
			i = line + n
			continue
		}
		if line-i < indent || line == len(b) {
			break
		}
		end := line
		for end < len(b) && breakLen(b, end) == 0 {
			end++
		}
		blank := b[line] == ' ' || b[line] == '\t'
		if started {
			out = joinLines(out, last, breaks, style == '>' && !spaced && !blank)
		} else {
			out = append(out, breaks...)
		}
		out = append(out, b[line:end]...)
		n := breakLen(b, end)
		last, breaks, spaced, started = b[end:end+n], nil, blank, true
		i = end + n
	}
	if !strip && len(last) > 0 {
		out = appendBreak(out, last)
	}
	if keep {
		out = append(out, breaks...)
	}
	return out
}

// cutBlockHeader returns the lines after a block scalar's header, and what its chomping sign says: keep the breaks at the
// end, or strip them.
func cutBlockHeader(raw []byte) (lines []byte, keep, strip bool) {
	end := 0
	for end < len(raw) && breakLen(raw, end) == 0 {
		end++
	}
	sign, _, _ := bytes.Cut(raw[1:end], []byte{'#'})
	return raw[end+breakLen(raw, end):], bytes.IndexByte(sign, '+') >= 0, bytes.IndexByte(sign, '-') >= 0
}

// joinLines appends the break between two lines of a block scalar and the empty lines after it.
func joinLines(out, last, breaks []byte, fold bool) []byte {
	switch {
	case !fold || len(last) == 3:
		out = appendBreak(out, last)
	case len(breaks) == 0:
		out = append(out, ' ')
	}
	return append(out, breaks...)
}
