// Package doctor looks at the machine that a build would run on, and says what is
// missing before the build fails: each probe tells what it found, and prints the lines
// of configuration that mend it.
//
// What a machine is allowed to do is tried rather than guessed: a user namespace is
// made, ids are mapped, file systems are mounted in it. Files and settings are read to
// explain why an attempt failed.
package doctor

import (
	"context"
	"fmt"
	"slices"
)

// The drivers that a build can take.
const (
	Local      = "local"
	Remote     = "remote"
	Kubernetes = "kubernetes"
)

// Drivers lists them in the order in which they are reported.
func Drivers() []string { return []string{Local, Remote, Kubernetes} }

// State is what a probe came to.
type State string

const (
	OK      State = "ok"
	Warning State = "warning" // a build works, with a restriction
	Problem State = "problem" // a build by a driver that needs this fails
	Skipped State = "skipped" // it was not looked at, for the reason in the finding
)

// Fix is something to paste.
type Fix struct {
	Where string   `json:"where"` // what the lines belong in: "as root on this machine"
	Lines []string `json:"lines"`
}

// Result is what one probe found.
type Result struct {
	Probe   string   `json:"probe"`
	State   State    `json:"state"`
	Drivers []string `json:"drivers"` // those that a problem keeps from working
	Finding string   `json:"finding"` // one line
	Detail  string   `json:"detail"`  // lines; may be empty
	Fixes   []Fix    `json:"fixes"`   // ways to mend it, each sufficient by itself
}

// Probe is one thing to look at.
type Probe struct {
	Name, Doc string
	Drivers   []string // those that need it; all of them when empty
	Run       func(context.Context, *Machine) Result
}

// Verdict is whether a driver would work here.
type Verdict struct {
	Driver   string   `json:"driver"`
	Works    bool     `json:"works"`
	Problems []string `json:"problems"` // names of probes
}

// NotNeeded is the finding of a probe that no driver asked for needs.
const NotNeeded = "no driver that was asked for needs it"

// Report is the whole of it.
type Report struct {
	Place    Place     `json:"place"`
	Results  []Result  `json:"results"`
	Verdicts []Verdict `json:"verdicts"`
}

// Works says whether one of the drivers asked for would work.
func (r *Report) Works() bool {
	return slices.ContainsFunc(r.Verdicts, func(v Verdict) bool { return v.Works })
}

// Run runs the probes that the drivers need, in order; no drivers are all of them. Its
// error is the context's: a probe's failure is its result.
func Run(ctx context.Context, m *Machine, probes []Probe, drivers ...string) (*Report, error) {
	if len(drivers) == 0 {
		drivers = Drivers()
	}
	report := &Report{Place: m.Place(), Results: []Result{}, Verdicts: []Verdict{}}
	for _, p := range probes {
		r := Result{State: Skipped, Finding: NotNeeded}
		if p.neededBy(drivers) {
			r = p.Run(ctx, m)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("looking at %s: %w", p.Name, context.Cause(ctx))
		}
		r.Probe, r.Drivers = p.Name, p.Drivers
		if len(p.Drivers) == 0 {
			r.Drivers = Drivers()
		}
		if r.Fixes == nil {
			r.Fixes = []Fix{}
		}
		report.Results = append(report.Results, r)
	}
	for _, d := range drivers {
		report.Verdicts = append(report.Verdicts, verdict(d, report.Results))
	}
	return report, nil
}

func (p Probe) neededBy(drivers []string) bool {
	return len(p.Drivers) == 0 || slices.ContainsFunc(p.Drivers, func(d string) bool { return slices.Contains(drivers, d) })
}

func verdict(driver string, results []Result) Verdict {
	v := Verdict{Driver: driver, Problems: []string{}}
	for _, r := range results {
		if r.State == Problem && slices.Contains(r.Drivers, driver) {
			v.Problems = append(v.Problems, r.Probe)
		}
	}
	v.Works = len(v.Problems) == 0
	return v
}

func ok(format string, args ...any) Result {
	return Result{State: OK, Finding: fmt.Sprintf(format, args...)}
}

func warning(format string, args ...any) Result {
	return Result{State: Warning, Finding: fmt.Sprintf(format, args...)}
}

func problem(format string, args ...any) Result {
	return Result{State: Problem, Finding: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) Result {
	return Result{State: Skipped, Finding: fmt.Sprintf(format, args...)}
}

func (r Result) because(format string, args ...any) Result {
	r.Detail = fmt.Sprintf(format, args...)
	return r
}

func (r Result) mend(fixes ...Fix) Result {
	r.Fixes = append(slices.Clone(r.Fixes), fixes...)
	return r
}
