package engine

import (
	"context"
	"text/template"
	"time"
)

// run is one render: its budgets and what is executing. One goroutine uses it.
type run struct {
	engine *Engine
	ctx    context.Context
	lim    Limits
	until  time.Time

	steps  int // function calls and writes, for looking at the clock now and then
	turns  int
	memory int
	depth  int
	kept   int // bytes of passages

	set      *template.Template // the templates that include sees
	tpl      *template.Template // the text of the innermost tpl
	tpls     int                // nested tpl calls
	callsTpl bool               // some {{template}} names the text of tpl
	included map[string]int     // by name, how many are executing
	sinks    []*sink            // what is executing, outermost first
	spare    [][]byte           // buffers to use again

	sources map[uint32]*source
	names   names
	copies  map[string]int // files parsed so far, by text
	last    *source        // the source of the last mark
	stopped error          // what ended the render from outside of the templates
	random  *drbg          // nil when randomness is real
	regexps map[string]*pattern
}

// lookup finds the mark behind the bytes of a text node.
func (r *run) lookup(p []byte) *mark {
	number, index, ok := readMark(p)
	if !ok {
		return nil
	}
	src := r.last
	if src == nil || src.number != number {
		if src = r.sources[number]; src == nil {
			return nil
		}
		r.last = src
	}
	if int(index) >= len(src.marks) || src.marks[index].first != &p[:1][0] {
		return nil
	}
	return &src.marks[index]
}

// stop ends the render: from now on every step fails with err.
func (r *run) stop(err error) error {
	if r.stopped == nil {
		r.stopped = err
	}
	return r.stopped
}

func (r *run) exceeded(what, limit string) error {
	return r.stop(&LimitError{What: what, Limit: limit})
}

// step is called at every write and every function call. It looks at the
// clock and the context often enough.
func (r *run) step() error {
	if r.steps++; r.steps&63 != 0 && r.stopped == nil {
		return nil
	}
	return r.check()
}

func (r *run) check() error {
	if r.stopped != nil {
		return r.stopped
	}
	if err := r.ctx.Err(); err != nil {
		return r.stop(err)
	}
	if time.Now().After(r.until) {
		return r.exceeded("the time of one render", r.lim.Time.String())
	}
	return nil
}

// turn counts a turn of a loop or a call of a template.
func (r *run) turn() error {
	if r.turns++; r.turns > r.lim.Iterations {
		return r.exceeded("turns of loops and calls of templates in one render", count(r.lim.Iterations))
	}
	return r.step()
}

// take counts bytes that the render keeps, or may keep.
func (r *run) take(bytes int) error {
	if r.memory += bytes; r.memory > r.lim.Memory {
		return r.exceeded("memory for text and data in one render", size(r.lim.Memory))
	}
	return r.step()
}

// callWeight is what an include or tpl takes of Limits.Depth beyond the
// template itself: reflection's frames.
const callWeight = 1

func (r *run) enter(weight int) error {
	if r.depth += weight; r.depth > r.lim.Depth {
		return r.exceeded("templates nested in one another", count(r.lim.Depth)+" levels")
	}
	return r.turn()
}

func (r *run) leave(weight int) { r.depth -= weight }

// execute runs t on data into a sink of its own.
func (r *run) execute(t *template.Template, data any) (*sink, error) {
	if err := r.enter(callWeight); err != nil {
		return nil, err
	}
	s := &sink{run: r}
	if n := len(r.spare); n > 0 {
		s.buf, r.spare = r.spare[n-1][:0], r.spare[:n-1]
	}
	r.sinks = append(r.sinks, s)
	err := t.Execute(s, data)
	if r.stopped != nil {
		err = r.stopped
	}
	r.sinks = r.sinks[:len(r.sinks)-1]
	r.leave(callWeight)
	return s, err
}

// release gives the sink's text and takes its buffer back.
func (r *run) release(s *sink) string {
	text := string(s.buf)
	if cap(s.buf) <= 1<<20 {
		r.spare = append(r.spare, s.buf)
	}
	s.buf = nil
	return text
}

// caller is the sink of the template whose action is executing.
func (r *run) caller() *sink {
	if n := len(r.sinks); n > 0 {
		return r.sinks[n-1]
	}
	return nil
}
