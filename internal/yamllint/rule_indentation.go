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
	explicit bool // of a key: it has a question mark
	implicit bool // of a block sequence: no token started it, as it is no deeper than its key
}

type frameKind uint8

const (
	frameRoot frameKind = iota
	frameBlockMap
	frameBlockSeq
	frameFlow
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
	switch t.Kind {
	case StreamStart, StreamEnd, BlockEnd:
	default:
		if t.Start.Line+1 > in.visibleLine {
			in.checkLine(t)
		}
		if in.multiLine && t.Kind == Scalar {
			in.checkScalar(t)
		}
		in.visibleLine = t.End.Line + 1
		if t.spelled() && in.text[t.End.Offset-1] == '\n' {
			in.visibleLine--
		}
	}
	in.enter(w)
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
	if expected < 0 && top.kind == frameValue {
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

// enter opens what the token starts.
func (in *indenter) enter(w *window) {
	t, next := w.cur, w.next
	switch t.Kind {
	case BlockMappingStart:
		in.push(frame{kind: frameBlockMap, indent: t.Start.Column})
	case BlockSequenceStart:
		in.push(frame{kind: frameBlockSeq, indent: t.Start.Column})
	case FlowMappingStart, FlowSequenceStart:
		if next == nil {
			return
		}
		f := frame{kind: frameFlow, line: in.lineIndent, indent: next.Start.Column}
		if next.Start.Line > t.Start.Line {
			f.indent = in.deeper(in.lineIndent, next)
		}
		in.push(f)
	case BlockEntry:
		in.enterEntry(t, next)
	case Key:
		in.push(frame{kind: frameKey, indent: in.top().indent, explicit: t.spelled()})
	case Value:
		in.enterValue(w)
	}
}

func (in *indenter) enterEntry(t, next *Token) {
	if in.top().kind != frameBlockSeq {
		in.push(frame{kind: frameBlockSeq, indent: t.Start.Column, implicit: true})
	}
	if next == nil || next.Kind == BlockEntry || next.Kind == BlockEnd {
		return
	}
	indent := next.Start.Column
	if next.Start.Line > t.Start.Line && indent != t.Start.Column {
		indent = in.deeper(t.Start.Column, next)
	}
	in.push(frame{kind: frameEntry, indent: indent})
}

func (in *indenter) enterValue(w *window) {
	if in.top().kind == frameKey {
		in.pop()
	}
	next := w.next
	if next == nil || !startsNode(next.Kind) {
		return
	}
	base := in.top().indent
	if (next.Kind == Anchor || next.Kind == Tag) && w.nextnext != nil &&
		next.Start.Line == w.cur.Start.Line && w.nextnext.Start.Line > next.Start.Line {
		next = w.nextnext
	}
	f := frame{kind: frameValue}
	switch {
	case next.Kind == BlockSequenceStart || next.Kind == BlockEntry:
		f.indent = in.sequence(base, next)
	case next.Start.Line == w.cur.Start.Line:
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

// leave closes what the token ends.
func (in *indenter) leave(w *window) {
	switch t := w.cur; t.Kind {
	case Scalar, Alias:
	case FlowMappingEnd, FlowSequenceEnd:
		if in.top().kind == frameFlow {
			in.pop()
		}
	case BlockEnd:
		if k := in.top().kind; k == frameBlockMap || k == frameBlockSeq {
			in.pop()
		}
	case Anchor, Tag, Key, Value, BlockEntry:
		if w.next != nil && startsNode(w.next.Kind) && (w.next.Kind != BlockEntry || in.takesSequence(t)) {
			return
		}
	default:
		return
	}
	in.closeParts(w.next)
}

// takesSequence tells whether a "-" after the token starts a sequence that is the value of a key, rather than the next
// entry of the sequence that the token is in.
func (in *indenter) takesSequence(t *Token) bool {
	return t.Kind != BlockEntry && in.top().kind != frameEntry
}

// closeParts closes what waited for the node that just ended.
func (in *indenter) closeParts(next *Token) {
	for {
		switch top := in.top(); {
		case top.kind == frameEntry, top.kind == frameValue:
		case top.kind == frameKey && (next == nil || next.Kind != Value):
		case top.kind == frameBlockSeq && top.implicit && (next == nil || next.Kind != BlockEntry):
		default:
			return
		}
		in.pop()
	}
}

func (in *indenter) checkScalar(*Token) {}
