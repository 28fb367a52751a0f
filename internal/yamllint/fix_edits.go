package yamllint

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// fixer is the state of going over a text once to repair it.
type fixer struct {
	text     []byte
	problems map[place]bool
	edits    []edit
	breaks   []edit     // of line breaks, which are made in a round of their own
	scalar   scalarBody // the last scalar of more than one line
	shifted  int        // up to here lines are moved already
}

// place is where a rule found a problem.
type place struct {
	rule         string
	line, column int // from 1
}

// edit replaces the text between two offsets.
type edit struct {
	from, to int
	with     string
}

// repair goes over a text once. The text is not changed where there is nothing to repair.
func repair(text []byte, path string, cfg *Config) ([]byte, *SyntaxError) {
	f := &fixer{text: text, problems: map[place]bool{}}
	for _, p := range Lint(text, path, cfg) {
		if p.Rule == SyntaxRule {
			return nil, f.syntaxError(p)
		}
		f.problems[place{p.Rule, p.Line, p.Column}] = true
	}
	if len(f.problems) == 0 {
		return text, nil
	}
	r := &run{text: text}
	r.add(f.scalars())
	for i := range cfg.rules {
		if rc := &cfg.rules[i]; rc.enabled {
			r.add(fixes(rc.rule.Name)(f, rc.options))
		}
	}
	r.nextLine(0)
	r.tokens()
	for !r.linesDone {
		r.oneLine()
	}
	return f.apply(), nil
}

func (f *fixer) syntaxError(p Problem) *SyntaxError {
	return &SyntaxError{Mark{Line: p.Line - 1, Column: p.Column - 1}, strings.TrimPrefix(p.Message, "syntax error: ")}
}

// has tells whether a rule found a problem at a place; line and column count from 1.
func (f *fixer) has(rule string, line, column int) bool { return f.problems[place{rule, line, column}] }

func (f *fixer) replace(from, to int, with string) { f.edits = append(f.edits, edit{from, to, with}) }

// resize makes what is between two offsets n spaces, if it is spaces now.
func (f *fixer) resize(from, to, n int) {
	if from <= to && len(bytes.Trim(f.text[from:to], " ")) == 0 && to-from != n {
		f.replace(from, to, strings.Repeat(" ", n))
	}
}

// apply makes the edits. One that overlaps another waits for the next round, one that two rules ask for is made once.
func (f *fixer) apply() []byte {
	if len(f.breaks) > 0 {
		f.edits = f.breaks
	}
	slices.SortStableFunc(f.edits, func(a, b edit) int { return cmp.Or(a.from-b.from, a.to-b.to) })
	out := make([]byte, 0, len(f.text)+64)
	done := 0
	for i, e := range f.edits {
		if e.from < done || i > 0 && e == f.edits[i-1] {
			continue
		}
		out = append(out, f.text[done:e.from]...)
		out = append(out, e.with...)
		done = e.to
	}
	return append(out, f.text[done:]...)
}

// lineBreak is the line break to insert: that of the text's first line.
func (f *fixer) lineBreak() string {
	if i := bytes.IndexByte(f.text, '\n'); i > 0 && f.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// lineStart returns where the line starts that an offset is in, lineEnd where the next one does.
func (f *fixer) lineStart(i int) int { return bytes.LastIndexByte(f.text[:i], '\n') + 1 }

func (f *fixer) lineEnd(i int) int {
	if n := bytes.IndexByte(f.text[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(f.text)
}

// alone returns where the line after the token starts, if nothing else is on the token's line.
func (f *fixer) alone(t *Token) (end int, ok bool) {
	end = f.lineEnd(t.End.Offset)
	return end, t.Start.Column == 0 && len(bytes.Trim(f.text[t.End.Offset:end], " \t\r\n")) == 0
}
