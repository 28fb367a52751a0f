package yamllint

import "fmt"

func indentationRule() *Rule {
	return &Rule{
		Name: "indentation",
		What: "Checks that lines are indented by the same number of spaces at each level.",
		Why:  "Indentation is YAML's structure; where its width varies, a reader takes one level for another.",
		Bad:  "---\nweb:\n  image:\n     tag: latest\n", Good: "---\nweb:\n  image:\n    tag: latest\n",
		Options: []Option{
			{
				Name: "spaces", What: "how many spaces a level has; consistent for any number, the same within a file",
				Default: "consistent", Type: Type{Int: true, Enum: []string{"consistent"}},
			},
			{
				Name: "indent-sequences", What: "whether a block sequence is indented below the key that it belongs to; whatever for either, consistent for either but the same within a file",
				Default: true, Type: Type{Bool: true, Enum: []string{"whatever", "consistent"}},
			},
			{
				Name: "check-multi-line-strings", What: "whether the lines of multi-line strings are checked",
				Default: false, Type: Type{Bool: true},
			},
		},
		check: checkIndentation,
	}
}

// unknownIndent is the expected column of a sequence that should be deeper than its key, by a width not yet known.
const unknownIndent = -1

// indenter follows the collections that are open, and for each where its lines should start.
type indenter struct {
	text   []byte
	report *reporter

	width       int // of a level
	widthKnown  bool
	sequences   string // true, false, whatever or consistent
	multiLine   bool
	frames      []frame
	lineIndent  int // column at which the line of the current token starts
	visibleLine int // the last line on which a token ended, counted from 1
}

// frame is something that is open: a collection, or a part of one that waits for its node.
type frame struct {
	kind     frameKind
	indent   int  // column at which a line inside should start
	line     int  // of a flow collection: at which column the line with its bracket started
	explicit bool // of a key, or the value of one: the key has a question mark
	implicit bool // of a block sequence: no token started it, as it is no deeper than its key
}

type frameKind uint8

const (
	frameRoot frameKind = iota
	frameBlockMap
	frameBlockSeq
	frameFlowMap
	frameFlowSeq
	frameEntry
	frameKey
	frameValue
)

func checkIndentation(o options, text []byte, r *reporter) checks {
	in := &indenter{text: text, report: r, multiLine: o.bool("check-multi-line-strings"), frames: []frame{{}}}
	if n, ok := o["spaces"].(int); ok {
		in.width, in.widthKnown = n, true
	}
	in.sequences = o.string("indent-sequences")
	if b, ok := o["indent-sequences"].(bool); ok {
		in.sequences = fmt.Sprint(b)
	}
	return checks{token: in.token}
}

func (in *indenter) top() *frame { return &in.frames[len(in.frames)-1] }

func (in *indenter) push(f frame) { in.frames = append(in.frames, f) }

func (in *indenter) pop() {
	if len(in.frames) > 1 {
		in.frames = in.frames[:len(in.frames)-1]
	}
}

func (in *indenter) token(w *window) {
	t := w.cur
	first := t.Start.Line+1 > in.visibleLine
	switch {
	case t.Kind == StreamStart, t.Kind == StreamEnd, t.Kind == BlockEnd:
	case first && t.Kind == Scalar && len(scalarValue(in.text, t)) == 0: // an empty one is free to stand anywhere
	default:
		if first {
			in.checkLine(t)
		}
		in.visibleLine = t.End.Line + 1
		if t.spelled() && in.text[t.End.Offset-1] == '\n' {
			in.visibleLine--
		}
	}
	if in.multiLine && t.Kind == Scalar {
		in.checkScalar(t, first)
	}
	if !in.enter(w) {
		in.report.at(t.Start, "cannot infer indentation: unexpected token")
		return
	}
	in.leave(w)
}

// checkLine looks at the token that a line starts with.
func (in *indenter) checkLine(t *Token) {
	top, found := in.top(), t.Start.Column
	expected := top.indent
	switch {
	case t.Kind == FlowMappingEnd || t.Kind == FlowSequenceEnd:
		expected = top.line
	case top.kind == frameKey && top.explicit && t.Kind != Value:
		expected = in.deeper(top.indent, t)
	}
	in.lineIndent = found
	if found == expected {
		return
	}
	message := fmt.Sprintf("wrong indentation: expected %d but found %d", expected, found)
	if expected < 0 {
		message = fmt.Sprintf("wrong indentation: expected at least %d", found+1)
	}
	in.report.at(t.Start, message)
}

// deeper returns the column one level deeper than the base. The first such level sets the width of all.
func (in *indenter) deeper(base int, t *Token) int {
	if !in.widthKnown {
		in.width, in.widthKnown = t.Start.Column-base, true
	}
	return base + in.width
}

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

// startsNode tells whether a token of the kind, after a key or a colon, starts a node.
func startsNode(k Kind) bool {
	switch k {
	case Scalar, Alias, Anchor, Tag, FlowSequenceStart, FlowMappingStart, BlockSequenceStart, BlockMappingStart, BlockEntry:
		return true
	}
	return false
}

// leave closes what the token ends, innermost first: its own collection, and what waited for a node that is now complete.
func (in *indenter) leave(w *window) {
	t, next := w.cur, w.next
	if t.Kind == Value && in.top().kind == frameValue || t.Kind == BlockEntry && !isEntryEnd(next) {
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
			if property {
				return
			}
		case frameKey:
			sequence := next != nil && next.Kind == BlockEntry && t.Kind == BlockEnd
			if next != nil && (next.Kind == Value || startsNode(next.Kind) && !sequence) {
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
