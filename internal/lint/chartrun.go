package lint

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
)

// chartRun is the run of all checks over one chart.
type chartRun struct {
	*Subject
	opts   Options
	checks []Check
	sets   []chart.ValuesSet
	slots  [][]slot // check, then the chart-wide part and one for each values set
	cached *recalled
	left   atomic.Int32 // jobs that have not ended

	mu       sync.Mutex
	resolved *deps.Resolved // in place of a sketch
}

// whole returns the dependencies with their charts.
func (c *chartRun) whole(ctx context.Context) (*deps.Resolved, error) {
	if c.opts.Resolve == nil || !c.Resolved.Sketched() {
		return c.Resolved, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.resolved == nil {
		c.resolved, err = c.opts.Resolve(ctx, c.Subject)
	}
	return c.resolved, err
}

func newChartRun(ctx context.Context, s *Subject, checks []Check, opts Options) *chartRun {
	c := &chartRun{Subject: s, opts: opts, checks: checks, sets: s.rendered(), slots: make([][]slot, len(checks)), cached: opts.Cache.recall(ctx, s, checks)}
	for k, check := range checks {
		c.slots[k] = make([]slot, 1+len(c.sets))
		for i := range c.slots[k] {
			o := Outcome{Chart: s.Chart.Path, Check: check.Name}
			found, ok := c.cached.part(k, i)
			switch {
			case ok:
				o.State = Cached
			case i > 0 && (check.Render == nil || missing(check.Needs, s) != ""):
				o.State = Ran // with nothing to do
			}
			c.slots[k][i] = slot{findings: found, outcome: o}
		}
	}
	return c
}

// rendered are the values sets that the chart is rendered with.
func (s *Subject) rendered() []chart.ValuesSet {
	if s.Resolved == nil || s.Chart.IsLibrary() {
		return nil
	}
	return s.Sets
}

// jobs are what is to be done for what is not cached.
func (c *chartRun) jobs() []job {
	var jobs []job
	add := func(what string, run func(context.Context)) {
		c.left.Add(1)
		jobs = append(jobs, job{what, func(ctx context.Context) { run(ctx); c.ended(ctx) }})
	}
	for k, check := range c.checks {
		if s := &c.slots[k][0]; s.outcome.State != Cached {
			add(c.Chart.Path, func(ctx context.Context) { *s = chartPart(ctx, check, c.Subject) })
		}
	}
	for v, set := range c.sets {
		var checks []Check
		var row []*slot
		for k, check := range c.checks {
			if s := &c.slots[k][1+v]; s.outcome.State == "" {
				checks, row = append(checks, check), append(row, s)
			}
		}
		if len(checks) > 0 {
			add(c.Chart.Path+" "+set.Name, func(ctx context.Context) { c.renderPart(ctx, checks, set, row) })
		}
	}
	return jobs
}

// ended is called after each job; the last one of a chart gives findings the text of
// their lines and has them remembered.
func (c *chartRun) ended(ctx context.Context) {
	if c.left.Add(-1) > 0 || ctx.Err() != nil {
		return
	}
	for _, parts := range c.slots {
		for i := range parts {
			if parts[i].outcome.State != Cached {
				c.addTexts(parts[i].findings)
			}
		}
	}
	c.opts.Cache.keep(ctx, c.cached, c.slots)
	c.resolved = nil
	if c.opts.Ended != nil {
		c.opts.Ended(c.Subject)
	}
}
