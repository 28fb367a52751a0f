package publish

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Result is what was published where: the Plan's steps as they ended. A Push is one that was verified.
type Result struct {
	Steps Steps
}

// Apply pushes what a plan says, each chart after those it depends on and otherwise several at a time. A push that fails holds
// back what depends on it, at its target, and nothing else. The error is a context that has ended; the result says how far it came.
func (p *Publisher) Apply(ctx context.Context, plan *Plan) (*Result, error) {
	r := &run{Publisher: p, plan: plan, steps: slices.Clone(plan.Steps), counters: p.counters(plan.targets)}
	r.done = make([]chan struct{}, len(r.steps))
	r.blames = make([][]*blame, len(plan.targets))
	for t := range r.blames {
		r.blames[t] = make([]*blame, len(plan.items))
	}
	for i := range r.done {
		r.done[i] = make(chan struct{})
	}
	// A job waits for jobs that were begun before it and never for one that still needs a place, so that the limit cannot lock them up.
	var g errgroup.Group
	g.SetLimit(p.jobs())
	for _, i := range plan.graph.order {
		for t := range plan.targets {
			g.Go(func() error {
				defer close(r.done[plan.at(t, i)])
				r.job(ctx, t, i)
				return nil
			})
		}
	}
	_ = g.Wait()
	r.lookAgain(ctx)
	result := &Result{Steps: r.steps}
	if err := context.Cause(ctx); err != nil {
		return result, fmt.Errorf("publishing: %w", err)
	}
	return result, nil
}

// run is one Apply. Each job writes its own step, blame and done alone, and reads those of jobs that are done.
type run struct {
	*Publisher
	plan     *Plan
	steps    Steps
	counters []*counter
	done     []chan struct{}
	blames   [][]*blame // by target, then item
	broken   atomic.Bool
}

// job carries out one step, once those of the chart's dependencies at the same target have ended.
func (r *run) job(ctx context.Context, t, i int) {
	for _, d := range r.plan.graph.deps[i] {
		<-r.done[r.plan.at(t, d)]
	}
	s := &r.steps[r.plan.at(t, i)]
	b := r.plan.graph.inherit(i, s, r.plan.items, r.blames[t])
	if s.Action == Push && r.plan.allOrNothing && r.broken.Load() {
		s.Reference.Digest = ""
		s.settle(Hold, "nothing is published unless everything can be, and a push before failed", "")
	}
	if s.Action == Push {
		r.counters[t].push(ctx, s, r.plan.packs[i])
	}
	if own := fault(i, s); own != nil {
		r.broken.Store(true)
		if b == nil {
			b = own
		}
	}
	r.blames[t][i] = b
}
