// Package trace measures where a run's time goes: its phases one after another,
// the jobs of its workers, and the steps of each job. The recorder travels in
// the context, so that what is measured need not know of it; without one in the
// context, every function returns at once.
package trace

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Recorder adds up what is measured and, where it was given a writer, streams
// it there as a Chrome trace. It is safe for concurrent use.
type Recorder struct {
	start time.Time

	mu     sync.Mutex
	out    *writer // nil without a trace
	busy   []bool  // by lane from 1 on: whether a job is in it
	phases []Total
	steps  map[string]*Total
	charts map[string]*Total
	counts map[string]int
}

// Total is how often something was done and how long that took together.
type Total struct {
	Name  string
	Count int
	Time  time.Duration
}

// Summary is what a recorder has added up so far.
type Summary struct {
	Wall    time.Duration // since New
	Workers int           // most jobs that went on at once
	Phases  []Total       // in the order in which they began
	Steps   []Total       // the longest first
	Charts  []Total       // jobs by chart, the longest first
	Counts  map[string]int
}

// New starts a recorder. w receives a Chrome trace, a JSON array of events, which
// is whole once Close was called; it may be nil.
func New(w io.Writer) *Recorder {
	r := &Recorder{start: time.Now(), steps: map[string]*Total{}, charts: map[string]*Total{}, counts: map[string]int{}}
	if w != nil {
		r.out = newWriter(w)
	}
	return r
}

type contextKey struct{}

// position is where in the trace a context is. Lane 0 is that of the phases.
type position struct {
	recorder *Recorder
	lane     int
}

// With gives the context a recorder; nil leaves it without.
func With(ctx context.Context, r *Recorder) context.Context {
	if r == nil {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, position{recorder: r})
}

func nothing() {}

// Phase measures a part of the run that no other part overlaps, until the
// function that it returns is called.
func Phase(ctx context.Context, name string) func() {
	at, ok := ctx.Value(contextKey{}).(position)
	if !ok {
		return nothing
	}
	r := at.recorder
	begin := time.Since(r.start)
	r.mu.Lock()
	i := len(r.phases)
	r.phases = append(r.phases, Total{Name: name})
	r.mu.Unlock()
	return func() {
		end := time.Since(r.start)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.phases[i].Count++
		r.phases[i].Time += end - begin
		r.emit(event{Name: name, Category: "phase"}, begin, end)
	}
}

// Job measures a piece of work for one chart that a worker does from beginning
// to end. The context that it returns is for the steps of the job.
func Job(ctx context.Context, chart, what string) (context.Context, func()) {
	at, ok := ctx.Value(contextKey{}).(position)
	if !ok {
		return ctx, nothing
	}
	r := at.recorder
	lane := r.enter()
	begin := time.Since(r.start)
	return context.WithValue(ctx, contextKey{}, position{r, lane}), func() {
		end := time.Since(r.start)
		r.mu.Lock()
		defer r.mu.Unlock()
		add(r.charts, chart, end-begin)
		r.emit(event{Name: what, Category: "job", Lane: lane, Args: map[string]string{"chart": chart}}, begin, end)
		r.busy[lane-1] = false
	}
}

// Step measures a part of the job that the context is of. Outside of a job it
// is added up, and has no place in the trace.
func Step(ctx context.Context, name string) func() {
	at, ok := ctx.Value(contextKey{}).(position)
	if !ok {
		return nothing
	}
	r := at.recorder
	begin := time.Since(r.start)
	return func() {
		end := time.Since(r.start)
		r.mu.Lock()
		defer r.mu.Unlock()
		add(r.steps, name, end-begin)
		if at.lane > 0 {
			r.emit(event{Name: name, Category: "step", Lane: at.lane}, begin, end)
		}
	}
}

// enter takes the first lane that no job is in.
func (r *Recorder) enter() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.busy, false)
	if i < 0 {
		i = len(r.busy)
		r.busy = append(r.busy, false)
		r.out.lane(i + 1)
	}
	r.busy[i] = true
	return i + 1
}

func (r *Recorder) emit(e event, begin, end time.Duration) {
	// Both ends are cut to microseconds, so that neighbours do not come to overlap.
	e.Start = begin.Microseconds()
	e.Duration = end.Microseconds() - e.Start
	r.out.event(e)
}

func add(totals map[string]*Total, name string, d time.Duration) {
	t := totals[name]
	if t == nil {
		t = &Total{Name: name}
		totals[name] = t
	}
	t.Count++
	t.Time += d
}

// Summary is what was measured so far.
func (r *Recorder) Summary() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Summary{Wall: time.Since(r.start), Workers: len(r.busy), Phases: slices.Clone(r.phases), Steps: longest(r.steps), Charts: longest(r.charts), Counts: maps.Clone(r.counts)}
}

func longest(totals map[string]*Total) []Total {
	out := make([]Total, 0, len(totals))
	for _, t := range totals {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Total) int { return cmp.Or(cmp.Compare(b.Time, a.Time), strings.Compare(a.Name, b.Name)) })
	return out
}

// Close ends the trace, after which nothing more is written to it. The error
// is the first that writing it met.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.out.close()
	r.out = nil
	return err
}

// Count adds to a number that the summary names, such as how much was cached.
func Count(ctx context.Context, name string, n int) {
	if at, ok := ctx.Value(contextKey{}).(position); ok {
		at.recorder.mu.Lock()
		defer at.recorder.mu.Unlock()
		at.recorder.counts[name] += n
	}
}

// From is the recorder of the context, nil if there is none.
func From(ctx context.Context) *Recorder {
	at, _ := ctx.Value(contextKey{}).(position)
	return at.recorder
}
