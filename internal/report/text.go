package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/chartgate/chartgate/internal/finding"
)

// TextOptions are how the report looks to people.
type TextOptions struct {
	Colour  bool
	Verbose bool // print findings of severity info too
}

const (
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	dim    = "\x1b[2m"
	reset  = "\x1b[0m"
)

type textWriter struct {
	*bufio.Writer
	opts TextOptions
}

func (t textWriter) paint(colour, s string) string {
	if !t.opts.Colour {
		return s
	}
	return colour + s + reset
}

// Text writes the report for people: chart by chart, each finding on a line
// that starts with its place, then a summary. A chart with nothing to say takes one line.
func Text(w io.Writer, r *Report, opts TextOptions) error {
	t := textWriter{bufio.NewWriter(w), opts}
	for _, c := range r.Charts {
		t.chart(r, c)
	}
	t.summary(r)
	return t.Flush()
}

func (t textWriter) chart(r *Report, c Chart) {
	var fs []finding.Finding
	for _, f := range r.Findings {
		if f.Chart == c.Path {
			fs = append(fs, f)
		}
	}
	var skipped []Outcome
	for _, o := range r.Outcomes {
		if o.Chart == c.Path && o.Bad() {
			skipped = append(skipped, o)
		}
	}
	mark := t.paint(green, "ok  ")
	switch {
	case finding.Worst(fs) >= r.FailOn || len(skipped) > 0:
		mark = t.paint(red, "FAIL")
	case finding.Worst(fs) >= finding.Warning:
		mark = t.paint(yellow, "warn")
	}
	fmt.Fprintf(t, "%s %s %s %s\n", mark, printable(c.Name), printable(c.Version), t.paint(dim, printable(c.Path)+counts(fs)))
	for _, o := range skipped {
		fmt.Fprintf(t, "  %s: %s: %s %s\n", printable(c.Path), t.paint(red, o.State), indent(printable(o.Reason)), t.paint(dim, "["+o.Check+"]"))
	}
	for _, f := range fs {
		if f.Severity > finding.Info || t.opts.Verbose {
			t.finding(f)
		}
	}
	t.standIns(c)
}

func (t textWriter) finding(f finding.Finding) {
	colour := map[finding.Severity]string{finding.Error: red, finding.Warning: yellow, finding.Info: dim}[f.Severity]
	msg := f.Message
	if f.Object != "" {
		msg = f.Object + ": " + msg
	}
	if len(f.Values) > 0 {
		msg += " {" + strings.Join(f.Values, ", ") + "}"
	}
	fmt.Fprintf(t, "  %s: %s: %s %s\n", printable(place(f)), t.paint(colour, f.Severity.String()), indent(printable(msg)), t.paint(dim, "["+f.Name()+"]"))
	if f.Hint != "" {
		fmt.Fprintf(t, "      %s\n", t.paint(dim, indent(printable(f.Hint))))
	}
}

func (t textWriter) standIns(c Chart) {
	var names []string
	for _, d := range c.Dependencies {
		if d.StandIn {
			names = append(names, d.Name+" "+d.Version)
		}
	}
	if len(names) > 0 {
		fmt.Fprintf(t, "  %s\n", t.paint(dim, printable("resolved through stand-ins: "+strings.Join(names, ", "))))
	}
}

func (t textWriter) summary(r *Report) {
	n := finding.Count(r.Findings)
	skipped := 0
	for _, o := range r.Outcomes {
		if o.Bad() {
			skipped++
		}
	}
	verdict := t.paint(green, "passed")
	if !r.Passed() {
		verdict = t.paint(red, "failed")
	}
	parts := []string{plural(len(r.Charts), "chart"), plural(n[finding.Error], "error"), plural(n[finding.Warning], "warning")}
	if skipped > 0 {
		parts = append(parts, plural(skipped, "check")+" could not run")
	}
	if n[finding.Info] > 0 {
		info := fmt.Sprintf("%d info", n[finding.Info])
		if !t.opts.Verbose {
			info += " (-v prints them)"
		}
		parts = append(parts, info)
	}
	fmt.Fprintf(t, "%s: %s\n", verdict, strings.Join(parts, ", "))
}

func counts(fs []finding.Finding) string {
	n := finding.Count(fs)
	var parts []string
	for _, s := range []finding.Severity{finding.Error, finding.Warning} {
		if n[s] > 0 {
			parts = append(parts, plural(n[s], s.String()))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// indent keeps the lines of a message below its first.
func indent(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n      ")
}

// printable keeps a chart from writing escape sequences to the terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || unicode.IsPrint(c) {
			return c
		}
		if c == '\t' {
			return ' '
		}
		return '\uFFFD'
	}, s)
}
