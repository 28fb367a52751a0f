package engine

import (
	"sort"
	"strings"
)

// Output is what a chart rendered to, template by template, in the order in
// which Helm executes them: deepest in the tree of folders first, then from
// the last name to the first. Partials (_*.tpl) are not in it, NOTES.txt is.
type Output struct {
	Templates []Rendered
}

// Rendered is the text of one template.
type Rendered struct {
	Name  string // as Helm names it: "mychart/charts/sub/templates/x.yaml"
	Text  string
	spans []span
	names names // of the sources that the spans point into
}

// Origin says where a byte of output comes from.
type Origin struct {
	Pos       // the line of the template itself
	Inner Pos // the line of the named template that wrote it, if another did
}

// Origin returns which line of which template wrote the byte at offset.
func (r *Rendered) Origin(offset int) Origin {
	i := findSpan(r.spans, offset)
	if i < 0 {
		return Origin{Pos: Pos{File: r.Name, Line: 1}}
	}
	sp, start := r.spans[i], spanStart(r.spans, i)
	o := Origin{Pos: Pos{File: r.Name, Line: sp.line(sp.top, offset-start, r.Text[start:])}}
	if inner := innermost(r.spans, r.Text, offset, r.names); inner != o.Pos {
		o.Inner = inner
	}
	return o
}

func findSpan(spans []span, offset int) int {
	if len(spans) == 0 {
		return -1
	}
	i := sort.Search(len(spans), func(i int) bool { return int(spans[i].end) > offset })
	return min(i, len(spans)-1)
}

func spanStart(spans []span, i int) int {
	if i == 0 {
		return 0
	}
	return int(spans[i-1].end)
}

// line returns the line of m that wrote the byte at offset within the span's
// text: text nodes span lines, actions stand on one.
func (sp *span) line(m *mark, offset int, text string) int {
	if m == nil {
		return 1
	}
	if m.kind != textMark {
		return m.line()
	}
	return m.line() + strings.Count(text[:min(offset, len(text))], "\n")
}

// innermost follows a byte through the includes that it came out of.
func innermost(spans []span, text string, offset int, called names) Pos {
	i := findSpan(spans, offset)
	if i < 0 || spans[i].at == nil {
		return Pos{}
	}
	sp, start := spans[i], spanStart(spans, i)
	end := min(int(sp.end), len(text))
	for _, p := range sp.calls {
		if at, ok := p.find(text[start:end], offset-start); ok {
			if pos := innermost(p.spans, p.text, at, called); pos.File != "" {
				return pos
			}
		}
	}
	if sp.at.src.name == tplName {
		return Pos{}
	}
	return Pos{File: called.of(sp.at.src), Line: sp.line(sp.at, offset-start, text[start:end])}
}

// find looks for the line of printed text that holds offset in the passage
// that the text was made of. Printing may have indented, trimmed or quoted
// the passage: lines are compared without their margins, and where several
// are alike, the n-th of the one is the n-th of the other.
func (p *passage) find(printed string, offset int) (int, bool) {
	offset = min(offset, len(printed))
	start := strings.LastIndexByte(printed[:offset], '\n') + 1
	want := strings.TrimSpace(firstLine(printed[start:]))
	if want == "" {
		return 0, false
	}
	nth := occurrences(printed[:start], want)
	for at := 0; at <= len(p.text); {
		line := firstLine(p.text[at:])
		if strings.TrimSpace(line) == want {
			if nth == 0 {
				return at + strings.Index(line, want), true
			}
			nth--
		}
		at += len(line) + 1
	}
	return 0, false
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func occurrences(text, want string) int {
	n := 0
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == want {
			n++
		}
	}
	return n
}

// noValue is what text/template prints for nil, and Helm takes out again.
const noValue = "<no value>"

// dropNoValue takes noValue out of a text and moves the spans along.
func dropNoValue(text string, spans []span) (string, []span) {
	if !strings.Contains(text, noValue) {
		return text, spans
	}
	var b strings.Builder
	removed, next := 0, strings.Index(text, noValue)
	out := spans[:0:0]
	at := 0 // end of what was copied or dropped
	for _, sp := range spans {
		for next >= 0 && next+len(noValue) <= int(sp.end) {
			b.WriteString(text[at:next])
			at = next + len(noValue)
			removed += len(noValue)
			if next = strings.Index(text[at:], noValue); next >= 0 {
				next += at
			}
		}
		// A noValue that several spans wrote together ends in a later one.
		over := 0
		if next >= 0 && next < int(sp.end) {
			over = int(sp.end) - next
		}
		sp.end -= int32(removed + over)
		out = append(out, sp)
	}
	b.WriteString(text[at:])
	return b.String(), out
}
