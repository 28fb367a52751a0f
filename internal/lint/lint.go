// Package lint runs checks over charts: what a check is, what it is given, and
// the scheduler that gives it.
package lint

import (
	"context"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/render"
)

// Check is one of the five checks. Either function may be nil. A check reports
// what is wrong as findings; its error means that the check itself failed.
type Check struct {
	Name  string // as in --check, in reports and in CI jobs
	Doc   string // one sentence
	Rules []Rule
	Needs Needs
	// Chart is called once per chart.
	Chart func(context.Context, *Subject) ([]finding.Finding, error)
	// Render is called once per values set of every chart that is not a library.
	Render func(context.Context, *Subject, *Rendered) ([]finding.Finding, error)
}

// Rule explains one rule of a check. Severity is what its findings have by default.
type Rule struct {
	ID       string
	Severity finding.Severity
	What     string // what it reports
	Why      string // why that is bad
	Fix      string // what to do instead
}

// Needs is what must be there for a check to run. Where it is not, the check
// is skipped with the reason, unless another reports the fault as a finding.
type Needs struct {
	Loaded   bool // Chart loads; without it Chart is not called
	Resolved bool // Subject.Resolved is set, so that Render can be called at all
	Rendered bool // templates rendered: Render is not called for a set whose Rendered has an Err
	Base     bool // Subject.Base has a revision to compare with
}

// Subject is one chart with what is known about it. Read-only for checks.
type Subject struct {
	Chart      *chart.Chart
	Repo       *chart.Repo
	Base       *Base
	Sets       []chart.ValuesSet
	Resolved   *deps.Resolved // nil when the chart does not load or ResolveErr is set
	ResolveErr error
	SetsErr    []finding.Finding // what is wrong with the values sets of the configuration
	// Conventional says that the configuration names no values sets for the chart.
	Conventional bool
}

// Base is the revision that the charts are compared with.
type Base struct {
	Revision string      // commit, or ""
	How      string      // where it comes from, for people
	Repo     *chart.Repo // its charts; empty when there is nothing to compare with
	Err      error       // why there is no base to be had
}

// Rendered is one values set of a chart, rendered.
type Rendered struct {
	Set    chart.ValuesSet
	Result *render.Result // partly filled when Err is set, nil when not even the values could be read
	Err    error
	// Excused says that Err is a `required` or `fail` under bare defaults of a chart
	// that brings values for its tests.
	Excused bool
}

// State is what became of a check on a chart.
type State string

// A check Ran, its result was Cached, it was Skipped since something that it
// needs is missing, or it Failed itself. The last two fail the run.
const (
	Ran     State = "ran"
	Cached  State = "cached"
	Skipped State = "skipped"
	Failed  State = "failed"
)

// Reported is the state as reports have it: where a result came from is no part of it.
func (s State) Reported() State {
	if s == Cached {
		return Ran
	}
	return s
}

// SkipError is what a check returns when it lacks something on this chart that
// Needs cannot say.
type SkipError struct{ Reason string }

func (e *SkipError) Error() string { return e.Reason }

// Outcome is the State of one check on one chart; Reason says why it did not run.
type Outcome struct {
	Chart, Check string
	State        State
	Reason       string
}

// Report is what a run found, chart by chart and check by check, in the order
// of the subjects and of the checks.
type Report struct {
	Outcomes []Outcome
	Findings []finding.Finding
}
