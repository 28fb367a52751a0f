package yamllint

import (
	"bytes"
	"fmt"
)

// maxProblems bounds how many problems of one text are kept: past it a text is hostile or no YAML of anyone's.
const maxProblems = 1_000_000

// window is what a rule sees of the tokens: the current one and its neighbours, nil past either end.
type window struct {
	prev, cur, next, nextnext *Token
}

// textLine is one line of the text, as rules about lines see it: only LF ends it.
type textLine struct {
	no    int // from 1
	start int
	end   int // before the line break, be it LF or CRLF
}

// checks are a rule's functions for one run; those it has no use for are nil. They share what state they need.
type checks struct {
	token   func(w *window)
	kinds   []Kind // of the tokens to show it, nil for all
	comment func(c *comment)
	line    func(l *textLine)
}

// run is the state of linting one text.
type run struct {
	text       []byte
	syntax     *SyntaxError
	syntaxDone bool // it is among the problems
	full       bool // there are too many problems, the rest is left out
	problems   []Problem
	pending    []finding // since the last line was done

	tokenChecks   [kindCount][]func(w *window)
	commentChecks []func(c *comment)
	lineChecks    []func(l *textLine)

	window     window
	line       textLine // the next line to look at
	linesDone  bool
	found      [2]comment // the last two comments
	directives directives
}

// finding is a problem that a directive may yet silence.
type finding struct {
	Problem
	index int // of the rule
}

// reporter is what a rule reports problems to.
type reporter struct {
	run   *run
	index int
	rule  string
	level Level
}

// report notes a problem; line and column count from 1.
func (r *reporter) report(line, column int, message string) {
	p := Problem{Line: line, Column: column, Rule: r.rule, Level: r.level, Message: message}
	r.run.pending = append(r.run.pending, finding{p, r.index})
}

// at notes a problem at a mark.
func (r *reporter) at(m Mark, message string) { r.report(m.Line+1, m.Column+1, message) }

// Lint checks a text against a configuration. The path, relative to the working directory, serves the "ignore" patterns
// of rules; those of the configuration as a whole are the caller's to ask for, with IgnoresFile and IsYAMLFile.
//
// The problems come in the order in which yamllint prints them: line by line, and within a line first what is wrong with
// its tokens and comments, then what is wrong with the line. A text with a syntax error yields that one syntax error, and of
// the rules' problems those that can still be told. Bytes that are no text are a syntax error, too.
func Lint(data []byte, path string, cfg *Config) []Problem {
	text, bad := decode(data)
	if bad != nil {
		return []Problem{bad.problem()}
	}
	if disabledFile(text) {
		return nil
	}
	r := &run{text: text}
	r.addRules(cfg, path)
	r.tokens()
	for !r.linesDone && !r.full {
		r.oneLine()
	}
	if r.syntax != nil && !r.syntaxDone {
		r.problems = append(r.problems, r.syntax.problem())
	}
	if r.full {
		last := r.problems[maxProblems-1]
		last.Level, last.Message = Error, fmt.Sprintf("more than %d problems, the rest is left out", maxProblems)
		r.problems = append(r.problems, last)
	}
	return r.problems
}

func (e *SyntaxError) problem() Problem {
	return Problem{Line: e.Mark.Line + 1, Column: e.Mark.Column + 1, Rule: SyntaxRule, Level: Error, Message: e.Error()}
}

// addRules makes the state of every rule that is on for the path, in the configuration's order.
func (r *run) addRules(cfg *Config, path string) {
	for i := range cfg.rules {
		rc := &cfg.rules[i]
		if !rc.enabled || rc.ignore.match(path) {
			continue
		}
		index := len(r.directives.names)
		r.directives.names = append(r.directives.names, rc.rule.Name)
		c := rc.rule.check(rc.options, r.text, &reporter{run: r, index: index, rule: rc.rule.Name, level: rc.level})
		r.add(c)
	}
	r.nextLine(0)
}

func (r *run) add(c checks) {
	if c.token != nil && c.kinds == nil {
		c.kinds = allKinds()
	}
	for _, k := range c.kinds {
		r.tokenChecks[k] = append(r.tokenChecks[k], c.token)
	}
	if c.comment != nil {
		r.commentChecks = append(r.commentChecks, c.comment)
	}
	if c.line != nil {
		r.lineChecks = append(r.lineChecks, c.line)
	}
}

// tokens scans and parses the text and shows each token to the rules, once the two after it are known. After a token
// that cannot be scanned there is nothing to show, so the two before it are not shown either. A syntax error is known
// before anything is reported that is behind it in the text.
func (r *run) tokens() {
	s := newScanner(r.text)
	p := parser{}
	var ring [4]Token
	n := 0 // tokens scanned
	for ; !r.full && s.next(&ring[n&3]); n++ {
		if p.err == nil {
			p.feed(&ring[n&3], r.text)
			r.syntax = p.err
		}
		if n >= 2 {
			r.showToken(&ring, n-2, n)
		}
	}
	if s.err != nil {
		if p.err == nil {
			r.syntax = s.err
		}
		return
	}
	for i := max(n-2, 0); i < n; i++ {
		r.showToken(&ring, i, n-1)
	}
}

// showToken shows token number i to the rules; last is the number of the last token known.
func (r *run) showToken(ring *[4]Token, i, last int) {
	w := &r.window
	w.prev, w.cur, w.next, w.nextnext = nil, &ring[i&3], nil, nil
	if i > 0 {
		w.prev = &ring[(i-1)&3]
	}
	if i < last {
		w.next = &ring[(i+1)&3]
	}
	if i+1 < last {
		w.nextnext = &ring[(i+2)&3]
	}
	r.linesBefore(w.cur.Start.Line + 1)
	for _, check := range r.tokenChecks[w.cur.Kind] {
		check(w)
	}
	if w.next == nil || w.next.Start.Offset > w.cur.End.Offset {
		r.comments(w.cur, w.next)
	}
}

// linesBefore shows the lines up to the one of the number, that one excluded.
func (r *run) linesBefore(no int) {
	for !r.linesDone && !r.full && r.line.no < no {
		r.oneLine()
	}
}

func (r *run) oneLine() {
	for _, check := range r.lineChecks {
		check(&r.line)
	}
	r.flush()
	r.directives.endLine()
	r.nextLine(r.line.start)
}

// nextLine finds the line after the one that starts at the offset; the first one where there was none yet.
func (r *run) nextLine(start int) {
	if r.line.no > 0 {
		i := bytes.IndexByte(r.text[start:], '\n')
		if i < 0 {
			r.linesDone = true
			return
		}
		start += i + 1
	}
	end := len(r.text)
	if i := bytes.IndexByte(r.text[start:], '\n'); i >= 0 {
		if end = start + i; end > start && r.text[end-1] == '\r' {
			end--
		}
	}
	r.line = textLine{no: r.line.no + 1, start: start, end: end}
}

// flush moves the problems found so far to the result, unless a directive in a comment speaks against it, and puts the
// syntax error before the first problem that is not before it. That problem is left out: it comes of the syntax error as a rule.
func (r *run) flush() {
	for i := range r.pending {
		p := &r.pending[i]
		if r.directives.silences(p.index) {
			continue
		}
		if e := r.syntax; e != nil && !r.syntaxDone && e.Mark.Line < p.Line && e.Mark.Column < p.Column {
			r.problems = append(r.problems, e.problem())
			r.syntaxDone = true
			continue
		}
		if r.problems = append(r.problems, p.Problem); len(r.problems) >= maxProblems {
			r.full = true
			break
		}
	}
	r.pending = r.pending[:0]
}
