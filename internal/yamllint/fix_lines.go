package yamllint

import "bytes"

func fixTrailingSpaces(f *fixer, _ options) checks {
	return checks{line: func(l *textLine) {
		i := l.start + len(bytes.TrimRight(f.text[l.start:l.end], " \t"))
		if i == l.end || !f.has("trailing-spaces", l.no, runeLen(f.text[l.start:i])+1) {
			return
		}
		if in := f.scalar.contains(i); in && (f.scalar.block() || f.scalar.style == '"' && i > 0 && f.text[i-1] == '\\') {
			return
		}
		f.replace(i, l.end, "")
	}}
}

func fixEmptyLines(f *fixer, o options) checks {
	most, atStart, atEnd := o.int("max"), o.int("max-start"), o.int("max-end")
	return checks{line: func(l *textLine) {
		if l.start != l.end || !f.has("empty-lines", l.no, 1) {
			return
		}
		count, start := emptyLinesBefore(f.text, l.start)
		limit := most
		if start == 0 {
			limit = atStart
		}
		if rest := string(f.text[l.end:min(l.end+3, len(f.text))]); rest == "\n" || rest == "\r\n" {
			limit = atEnd
		}
		if f.scalar.from < l.end && start < f.scalar.to {
			return
		}
		end := start
		for range count - max(limit, 0) {
			end = f.lineEnd(end)
		}
		f.replace(start, end, "")
	}}
}

func fixNewLineAtEndOfFile(f *fixer, _ options) checks {
	return checks{line: func(l *textLine) {
		if l.end == len(f.text) && f.has("new-line-at-end-of-file", l.no, runeLen(f.text[l.start:])+1) && !f.scalar.open(f.text) {
			f.replace(len(f.text), len(f.text), f.lineBreak())
		}
	}}
}

// fixNewLines makes all line breaks what the first one should be.
func fixNewLines(f *fixer, _ options) checks {
	return checks{line: func(l *textLine) {
		if l.start > 0 || l.end == len(f.text) || !f.has("new-lines", 1, runeLen(f.text[:l.end])+1) {
			return
		}
		dos := f.text[l.end] == '\r'
		for i, c := range f.text {
			switch {
			case c != '\n':
			case dos && i > 0 && f.text[i-1] == '\r':
				f.breaks = append(f.breaks, edit{i - 1, i, ""})
			case !dos && (i == 0 || f.text[i-1] != '\r'):
				f.breaks = append(f.breaks, edit{i, i, "\r"})
			}
		}
	}}
}
