package yamllint

import "fmt"

// enter opens what the token starts; false where the token cannot stand here.
func (in *indenter) enter(w *window) bool {
	t, next := w.cur, w.next
	switch t.Kind {
	case BlockMappingStart:
		if next == nil || next.Kind != Key {
			return false
		}
		in.push(frame{kind: frameBlockMap, indent: t.Start.Column})
	case BlockSequenceStart:
		in.push(frame{kind: frameBlockSeq, indent: t.Start.Column})
	case FlowMappingStart, FlowSequenceStart:
		if next == nil {
			return true
		}
		f := frame{kind: frameFlowMap, line: in.lineIndent, indent: next.Start.Column}
		if next.Start.Line > t.Start.Line {
			f.indent = in.deeper(in.lineIndent, next)
		}
		if t.Kind == FlowSequenceStart {
			f.kind = frameFlowSeq
		}
		in.push(f)
	case BlockEntry:
		in.enterEntry(t, next)
	case Key:
		in.push(frame{kind: frameKey, indent: in.top().indent, explicit: t.spelled()})
	case Value:
		if in.top().kind != frameKey {
			return false
		}
		explicit := in.top().explicit
		in.pop()
		in.enterValue(w, explicit)
	}
	return true
}

func (in *indenter) enterEntry(t, next *Token) {
	if isEntryEnd(next) {
		return
	}
	if in.top().kind != frameBlockSeq {
		in.push(frame{kind: frameBlockSeq, indent: t.Start.Column, implicit: true})
	}
	indent := next.Start.Column
	if next.Start.Line > t.Start.Line && indent != t.Start.Column {
		indent = in.deeper(t.Start.Column, next)
	}
	in.push(frame{kind: frameEntry, indent: indent})
}

func (in *indenter) enterValue(w *window, explicit bool) {
	next := w.next
	if next == nil {
		return
	}
	base := in.top().indent
	if (next.Kind == Anchor || next.Kind == Tag) && w.nextnext != nil &&
		next.Start.Line == w.cur.Start.Line && w.nextnext.Start.Line > next.Start.Line {
		next = w.nextnext
	}
	switch next.Kind {
	case Key, BlockEnd, FlowMappingEnd, FlowSequenceEnd: // the value is empty
		return
	}
	f := frame{kind: frameValue, explicit: explicit}
	switch {
	case next.Kind == BlockSequenceStart || next.Kind == BlockEntry:
		f.indent = in.sequence(base, next)
	case !explicit && next.Start.Line == w.cur.Start.Line:
		f.indent = next.Start.Column
	default:
		f.indent = in.deeper(base, next)
	}
	in.push(f)
}

// sequence returns the column at which a block sequence should start that is the value of a key at the base column.
func (in *indenter) sequence(base int, next *Token) int {
	column := next.Start.Column
	if in.sequences == "consistent" {
		in.sequences = fmt.Sprint(column != base)
	}
	switch {
	case in.sequences == "false", in.sequences == "whatever" && column == base:
		return base
	case in.sequences == "true" && column == base && !in.widthKnown:
		return unknownIndent
	}
	return in.deeper(base, next)
}

// leave closes what the token ends, innermost first: its own collection, and what waited for a node that is now complete.
func (in *indenter) leave(w *window) {
	t, next := w.cur, w.next
	if t.Kind == BlockEntry && !isEntryEnd(next) {
		return
	}
	property := t.Kind == Anchor || t.Kind == Tag // the node is still to come, if there is one
	for ended := false; ; in.pop() {
		switch top := in.top(); top.kind {
		case frameBlockMap, frameBlockSeq, frameFlowMap, frameFlowSeq:
			if ended || !top.endsWith(t.Kind) {
				return
			}
			ended = true
		case frameValue:
			if property || t.Kind == Value {
				return
			}
		case frameKey:
			if next != nil && !endsKey(next.Kind) {
				return
			}
		case frameEntry:
			last := !property && in.frames[len(in.frames)-2].implicit && (next == nil || next.Kind != BlockEntry)
			if last {
				in.pop() // and then the sequence, which no token ends
			} else if !isEntryEnd(next) {
				return
			}
		default:
			return
		}
	}
}

// endsKey tells whether a token of the kind after a key means that it has no value.
func endsKey(k Kind) bool {
	switch k {
	case Key, FlowEntry, BlockEnd, FlowMappingEnd, FlowSequenceEnd:
		return true
	}
	return false
}

// endsWith tells whether a token of the kind ends the collection.
func (f *frame) endsWith(k Kind) bool {
	switch f.kind {
	case frameFlowMap:
		return k == FlowMappingEnd
	case frameFlowSeq:
		return k == FlowSequenceEnd
	}
	return k == BlockEnd && !f.implicit
}

// isEntryEnd tells whether a token ends the entry of a block sequence that is before it.
func isEntryEnd(next *Token) bool {
	return next == nil || next.Kind == BlockEntry || next.Kind == BlockEnd
}
