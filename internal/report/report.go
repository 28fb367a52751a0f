// Package report writes the result of a run: one file per format, one row
// in Formats per format. It knows findings and nothing of how they came about.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/chartgate/chartgate/internal/finding"
)

// Report is what every format is written from. Slices are sorted by the caller:
// charts by path, outcomes by chart and check, findings as finding.Sort does.
type Report struct {
	Tool     Tool
	FailOn   finding.Severity // findings from here on fail the run
	Charts   []Chart
	Outcomes []Outcome
	Findings []finding.Finding
	Shard    *Shard // nil for the report of a whole run
}

// Tool names the program that made the report.
type Tool struct{ Name, Version string }

// Chart is one chart that was looked at.
type Chart struct {
	Name, Path, Version string
	Package             string // digest of what would be published, "" when the chart does not load
	Dependencies        []Dependency
}

// Dependency is one resolved dependency of a chart.
type Dependency struct {
	Name, Version, Repository string
	Origin                    string // tree, vendored, file, oci or http
	StandIn                   bool   // resolved through a stand-in, so that the chart cannot be published
}

// Outcome says what became of one check on one chart.
type Outcome struct {
	Chart, Check, State, Reason string
}

// Ran and the other states of an Outcome, as reports print them.
const (
	Ran     = "ran"
	Cached  = "cached"
	Skipped = "skipped"
	Failed  = "failed"
)

// Bad reports whether the outcome fails the run: a check that could not run is not a pass.
func (o Outcome) Bad() bool { return o.State == Skipped || o.State == Failed }

// Passed reports whether the run is clean.
func (r *Report) Passed() bool {
	for _, o := range r.Outcomes {
		if o.Bad() {
			return false
		}
	}
	return finding.Worst(r.Findings) < r.FailOn
}

// Format is one way of writing a report.
type Format struct {
	Name  string
	Doc   string
	Write func(io.Writer, *Report) error
}

// Formats lists the formats that --report takes, besides the text on standard output.
func Formats() []Format {
	return []Format{
		{"json", "chartgate's own, stable, for programs", JSON},
		{"junit", "JUnit XML, for GitLab's test report", JUnit},
		{"codequality", "Code Climate JSON, for GitLab's merge request widget", CodeQuality},
		{"text", "what is printed for people, without colour", func(w io.Writer, r *Report) error { return Text(w, r, TextOptions{}) }},
	}
}

// Lookup finds a format by name; the error names all there are.
func Lookup(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("unknown report format %q: use one of %s", name, strings.Join(names, ", "))
}
