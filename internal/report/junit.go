package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/chartgate/chartgate/internal/finding"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string    `xml:"name,attr"`
	Classname string    `xml:"classname,attr"`
	File      string    `xml:"file,attr,omitempty"`
	Failure   *junitBad `xml:"failure,omitempty"`
	Error     *junitBad `xml:"error,omitempty"`
	SystemOut string    `xml:"system-out,omitempty"`
}

type junitBad struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes one suite per check and in it one case per chart, and one more
// for each further finding that fails the run, since GitLab shows one failure a case.
// A check that could not run is an error.
func JUnit(w io.Writer, r *Report) error {
	out := junitSuites{Name: r.Tool.Name}
	index := map[string]int{}
	for _, o := range r.Outcomes {
		i, ok := index[o.Check]
		if !ok {
			i = len(out.Suites)
			index[o.Check] = i
			out.Suites = append(out.Suites, junitSuite{Name: o.Check})
		}
		out.Suites[i].Cases = append(out.Suites[i].Cases, r.cases(o)...)
	}
	for i := range out.Suites {
		s := &out.Suites[i]
		s.Tests = len(s.Cases)
		for _, c := range s.Cases {
			if c.Failure != nil {
				s.Failures++
			}
			if c.Error != nil {
				s.Errors++
			}
		}
		out.Tests, out.Failures, out.Errors = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// cases are the test cases of one check on one chart.
func (r *Report) cases(o Outcome) []junitCase {
	base := junitCase{Name: o.Chart, Classname: o.Check, File: o.Chart}
	var notes []string
	var failures []junitCase
	for _, f := range r.Findings {
		if f.Chart != o.Chart || f.Check != o.Check {
			continue
		}
		if f.Severity < r.FailOn {
			notes = append(notes, line(f))
			continue
		}
		c := base
		c.Name = fmt.Sprintf("%s: %s: %s", o.Chart, f.Rule, oneLine(f.Message))
		if f.File != "" {
			c.File = f.File
		}
		c.Failure = &junitBad{Message: describe(f), Text: xmlSafe(line(f))}
		failures = append(failures, c)
	}
	base.SystemOut = xmlSafe(strings.Join(notes, "\n"))
	if o.Bad() {
		base.Error = &junitBad{Message: "could not run: " + oneLine(o.Reason), Text: xmlSafe(o.Reason)}
	}
	if len(failures) > 0 && base.Error == nil && base.SystemOut == "" {
		return failures
	}
	return append([]junitCase{base}, failures...)
}

// line is a finding with its place, as an editor understands it.
func line(f finding.Finding) string {
	return fmt.Sprintf("%s: %s: %s [%s]", place(f), f.Severity, describe(f), f.Name())
}

func place(f finding.Finding) string {
	switch {
	case f.File == "":
		return f.Chart
	case f.Line == 0:
		return f.File
	case f.Column == 0:
		return fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// xmlSafe drops what XML 1.0 cannot hold.
func xmlSafe(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c != 0xFFFE && c != 0xFFFF {
			return c
		}
		return -1
	}, s)
}
