package yamllint

import "bytes"

func fixDocumentStart(f *fixer, o options) checks {
	if !o.bool("present") {
		return checks{kinds: []Kind{DocumentStart}, token: f.dropDocumentStart}
	}
	return checks{token: func(w *window) {
		if w.prev == nil || !f.has("document-start", w.cur.Start.Line+1, 1) {
			return
		}
		switch w.prev.Kind {
		case StreamStart:
			at := 0
			if bytes.HasPrefix(f.text, []byte("#!")) {
				at = f.lineEnd(0)
			}
			f.replace(at, at, "---"+f.lineBreak())
		case DocumentEnd:
			at := f.lineStart(w.cur.Start.Offset)
			f.replace(at, at, "---"+f.lineBreak())
		}
	}}
}

// dropDocumentStart drops the marker where a document starts without it, too.
func (f *fixer) dropDocumentStart(w *window) {
	t := w.cur
	if w.prev == nil || w.next == nil || !f.has("document-start", t.Start.Line+1, t.Start.Column+1) {
		return
	}
	switch {
	case w.prev.Kind == StreamStart:
	case w.prev.Kind == DocumentEnd && !f.has("document-end", w.prev.Start.Line+1, w.prev.Start.Column+1): // it is there to stay
	default:
		return
	}
	switch w.next.Kind {
	case StreamEnd, DocumentStart, DocumentEnd, Directive:
		return
	}
	if end, ok := f.alone(t); ok {
		f.replace(t.Start.Offset, end, "")
	}
}

func fixDocumentEnd(f *fixer, o options) checks {
	if !o.bool("present") {
		return checks{kinds: []Kind{DocumentEnd}, token: f.dropDocumentEnd}
	}
	return checks{kinds: []Kind{StreamEnd, DocumentStart}, token: func(w *window) {
		t, mark := w.cur, "..."+f.lineBreak()
		switch {
		case w.prev == nil || w.prev.Kind == StreamStart || w.prev.Kind == DocumentEnd:
		case t.Kind == DocumentStart && w.prev.Kind != Directive && f.has("document-end", t.Start.Line+1, 1):
			f.replace(t.Start.Offset, t.Start.Offset, mark)
		case t.Kind == StreamEnd && f.has("document-end", t.Start.Line, 1):
			end := len(f.text)
			switch {
			case f.text[end-1] == '\n':
				f.replace(end, end, mark)
			case !f.scalar.open(f.text):
				f.replace(end, end, f.lineBreak()) // the marker comes in the next round
			}
		}
	}}
}

// dropDocumentEnd drops the marker where a document ends without it, too.
func (f *fixer) dropDocumentEnd(w *window) {
	t := w.cur
	if w.next == nil || w.next.Kind != StreamEnd && w.next.Kind != DocumentStart || !f.has("document-end", t.Start.Line+1, t.Start.Column+1) {
		return
	}
	if end, ok := f.alone(t); ok {
		f.replace(t.Start.Offset, end, "")
	}
}
