package lint

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/render"
	"github.com/chartgate/chartgate/internal/trace"
	"golang.org/x/sync/errgroup"
)

// Options are how Run works.
type Options struct {
	Jobs   int // how many jobs run at once; at least 1
	Engine *render.Engine
	Cache  *Cache // may be nil
	// Resolve resolves a subject anew whose dependencies are a sketch. What it
	// returned is kept until the chart's last job has ended.
	Resolve func(context.Context, *Subject) (*deps.Resolved, error)
	// Ended is called after the last job of each chart; may be nil.
	Ended    func(*Subject)
	Progress func(done, total int, what string) // may be nil; called from many goroutines
}

// slot is where one job leaves its result; no two jobs share one.
type slot struct {
	findings []finding.Finding
	outcome  Outcome
	// passing says that another run may find something else: it is not remembered.
	passing bool
}

// job is a unit of work: the chart-wide part of one check on one chart, or all
// checks over one values set of one chart.
type job struct {
	what string
	run  func(context.Context)
}

// Run runs the checks over the subjects. One chart's fault never hides
// another's: the error is only ever the context's.
func Run(ctx context.Context, subjects []*Subject, checks []Check, opts Options) (*Report, error) {
	var jobs []job
	charts := make([]*chartRun, len(subjects))
	for i, s := range subjects {
		charts[i] = newChartRun(ctx, s, checks, opts)
		jobs = append(jobs, charts[i].jobs()...)
	}
	if err := runJobs(ctx, jobs, opts); err != nil {
		return nil, err
	}
	return collect(charts, checks), nil
}

func runJobs(ctx context.Context, jobs []job, opts Options) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(opts.Jobs, 1))
	done := make(chan struct{}, len(jobs))
	for _, j := range jobs {
		g.Go(func() error {
			if ctx.Err() == nil {
				j.run(ctx)
			}
			done <- struct{}{}
			if opts.Progress != nil {
				opts.Progress(len(done), len(jobs), j.what)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// chartPart runs the chart-wide part of a check.
func chartPart(ctx context.Context, c Check, s *Subject) slot {
	ctx, end := trace.Job(ctx, s.Chart.Path, s.Chart.Path)
	defer end()
	defer trace.Step(ctx, c.Name)()
	o := Outcome{Chart: s.Chart.Path, Check: c.Name, State: Ran}
	if reason := missing(c.Needs, s); reason != "" {
		o.State, o.Reason = Skipped, reason
		return slot{outcome: o}
	}
	out := slot{outcome: o}
	if c.Chart != nil {
		out = guarded(o, func() ([]finding.Finding, error) { return c.Chart(ctx, s) })
	}
	if out.outcome.State == Ran && c.Needs.Resolved && s.Resolved == nil && !s.Chart.IsLibrary() {
		out.outcome.State, out.outcome.Reason = Skipped, unresolved(s)
	}
	return out
}

func unresolved(s *Subject) string {
	if s.Chart.Err() != nil {
		return "the chart does not load: " + s.Chart.Err().Error()
	}
	return "its dependencies could not be resolved"
}

// missing says what a check lacks on a chart, "" when nothing.
func missing(n Needs, s *Subject) string {
	switch {
	case n.Loaded && s.Chart.Err() != nil:
		return unresolved(s)
	case n.Base && s.Base != nil && s.Base.Err != nil:
		return s.Base.Err.Error()
	}
	return ""
}

// renderPart renders one values set and hands it to every check; the render is
// gone when it returns.
func (c *chartRun) renderPart(ctx context.Context, checks []Check, set chart.ValuesSet, row []*slot) {
	s := c.Subject
	ctx, end := trace.Job(ctx, s.Chart.Path, s.Chart.Path+" "+set.Name)
	defer end()
	r := &Rendered{Set: set}
	rendered := trace.Step(ctx, "render")
	if guard := guarded(Outcome{}, func() ([]finding.Finding, error) {
		resolved, err := c.whole(ctx)
		if err != nil {
			return nil, err
		}
		r.Result, r.Err = c.opts.Engine.Render(ctx, resolved, set)
		return nil, nil
	}); guard.outcome.State == Failed {
		r.Err = errors.New(guard.outcome.Reason)
	}
	rendered()
	r.Excused = excused(s, r)
	for k, c := range checks {
		o := Outcome{Chart: s.Chart.Path, Check: c.Name, State: Ran}
		switch {
		case c.Render == nil || missing(c.Needs, s) != "":
			*row[k] = slot{outcome: o}
		case c.Needs.Rendered && r.Err != nil && r.Excused:
			*row[k] = slot{outcome: o}
		case c.Needs.Rendered && r.Err != nil:
			o.State, o.Reason = Skipped, fmt.Sprintf("the templates do not render with %s", set.Name)
			*row[k] = slot{outcome: o}
		default:
			checked := trace.Step(ctx, c.Name)
			*row[k] = guarded(o, func() ([]finding.Finding, error) { return c.Render(ctx, s, r) })
			checked()
		}
		row[k].passing = passing(r.Err)
		for i := range row[k].findings {
			row[k].findings[i].Values = []string{set.Name}
		}
	}
}

// passing reports whether an error may be another one in another run: a template that took too
// long for a machine that was busy, say.
func passing(err error) bool {
	var e *render.Error
	if err == nil || errors.As(err, &e) && e.Kind != render.Limit && e.Kind != render.Panic {
		return false
	}
	return true
}

// excused reports whether the render may fail: bare defaults, values for tests
// beside them, and a template that asks for a value.
func excused(s *Subject, r *Rendered) bool {
	var e *render.Error
	asks := errors.As(r.Err, &e) && (e.Kind == render.Required || e.Kind == render.Fail)
	return asks && s.Conventional && r.Set.Name == chart.DefaultsSet && s.Chart.HasCI()
}

// guarded runs f; a panic or an error of the check becomes a failed outcome.
func guarded(o Outcome, f func() ([]finding.Finding, error)) (s slot) {
	s.outcome = o
	defer func() {
		if p := recover(); p != nil {
			s.outcome.State, s.outcome.Reason = Failed, fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	var err error
	if s.findings, err = f(); err != nil {
		s.outcome.State, s.outcome.Reason = Failed, err.Error()
	}
	var skip *SkipError
	if errors.As(err, &skip) {
		s.outcome.State, s.outcome.Reason = Skipped, skip.Reason
	}
	return s
}

// collect joins the slots in order: one outcome per chart and check, the worst
// of its parts, with the reasons of the first of that state. A check is Cached where all
// of its parts are.
func collect(charts []*chartRun, checks []Check) *Report {
	r := &Report{}
	for _, c := range charts {
		for k, check := range checks {
			out := Outcome{Chart: c.Chart.Path, Check: check.Name, State: Cached}
			for _, part := range c.slots[k] {
				for _, f := range part.findings {
					f.Check, f.Chart = check.Name, c.Chart.Path
					r.Findings = append(r.Findings, f)
				}
				if rank(part.outcome.State) > rank(out.State) {
					out.State, out.Reason = part.outcome.State, part.outcome.Reason
				}
			}
			r.Outcomes = append(r.Outcomes, out)
		}
	}
	return r
}

func rank(s State) int {
	switch s {
	case Failed:
		return 3
	case Skipped:
		return 2
	case Ran:
		return 1
	}
	return 0
}
