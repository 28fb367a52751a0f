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
