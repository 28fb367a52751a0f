package yamllint

func fixHyphens(f *fixer, o options) checks {
	most := max(o.int("max-spaces-after"), 1)
	return checks{kinds: []Kind{BlockEntry}, token: func(w *window) {
		t := w.cur
		n := spacesAfter(t, w.next)
		if n <= most || t.Start.Offset < f.shifted || !f.has("hyphens", t.Start.Line+1, w.next.Start.Column) {
			return
		}
		f.resize(t.End.Offset, w.next.Start.Offset, most)
		if w.next.Kind == BlockMappingStart || w.next.Kind == BlockSequenceStart {
			f.shift(f.lineEnd(t.End.Offset), t.Start.Column, n-most)
		}
	}}
}

// shift moves the lines of a list's item to the left, by n columns: those from the offset on that are indented deeper than
// the item's hyphen. Comments may stand further left.
func (f *fixer) shift(i, column, n int) {
	for i < len(f.text) {
		end := f.lineEnd(i)
		indent := 0
		for i+indent < end && f.text[i+indent] == ' ' {
			indent++
		}
		switch {
		case i+indent == end || f.text[i+indent] == '\n' || f.text[i+indent] == '\r':
		case indent > column:
			f.replace(i, i+min(n, indent-column-1), "")
		case f.text[i+indent] != '#':
			f.shifted = i
			return
		}
		i = end
	}
	f.shifted = i
}
