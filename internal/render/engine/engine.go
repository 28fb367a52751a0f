package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/chartgate/chartgate/internal/render/chartutil"
	"helm.sh/helm/v3/pkg/chart"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// Options are what an Engine does for every render.
type Options struct {
	// Strict makes a missing key an error.
	Strict bool
	// Seed, when not "", makes every random and clock function of a template
	// give the same for the same seed, template and order of calls; "" leaves
	// them as in Helm.
	Seed string
	// FastKeys gives renders without a seed keys from a pool and cheap hashes,
	// which protect nothing.
	FastKeys bool
	Limits   Limits
}

// Engine renders charts. It keeps what it has parsed and the keys that it has
// generated; goroutines may share it.
type Engine struct {
	opts    Options
	lim     Limits
	library *library
	keys    keyPool

	mu     sync.Mutex
	parsed map[parsedKey]*source
	bytes  int // of the texts in parsed
	number uint32
}

// parsedKey is what sources are told apart by. Charts share libraries, so that the same
// text has another name in each: such a source has no name of its own, and a run
// remembers what it is called there. nthCopy stands in the key.
type parsedKey struct{ name, text string }

// New returns an Engine.
func New(opts Options) *Engine {
	return &Engine{opts: opts, lim: opts.Limits.WithDefaults(), library: newLibrary(), parsed: map[parsedKey]*source{}}
}

// Execute renders every template of a chart and its dependencies, which must
// have been processed (chartutil.ProcessDependenciesWithMerge), with the
// values that chartutil.ToRenderValues gives.
//
// The error is a *TemplateError, or wraps the error of the context. Templates
// may change the values; nothing of the chart itself is changed.
func (e *Engine) Execute(ctx context.Context, c *chart.Chart, vals helmutil.Values) (*Output, error) {
	return e.ExecuteSeeded(ctx, e.opts.Seed, c, vals)
}

// ExecuteSeeded is Execute with a seed of its own instead of Options.Seed.
func (e *Engine) ExecuteSeeded(ctx context.Context, seed string, c *chart.Chart, vals helmutil.Values) (*Output, error) {
	list := jobs(c, vals)
	r := &run{
		engine: e, ctx: ctx, lim: e.lim, until: time.Now().Add(e.lim.Time),
		included: map[string]int{}, sources: make(map[uint32]*source, len(list)), names: make(names, len(list)), copies: make(map[string]int, len(list)), regexps: map[string]*pattern{},
	}
	if seed != "" {
		r.random = &drbg{now: clock}
	}
	r.set = template.New(tplName)
	e.setMissing(r.set)
	r.set.Funcs(r.funcs())
	if seed == "" && e.opts.FastKeys {
		seed = r.cheapen()
	}
	if err := r.parse(list); err != nil {
		return nil, err
	}
	out := &Output{Templates: make([]Rendered, 0, len(list))}
	for _, j := range list {
		if j.partial() {
			continue
		}
		if r.random != nil {
			r.random.seed(seed, j.name)
		}
		text, err := r.render(j)
		if err != nil {
			return nil, err
		}
		out.Templates = append(out.Templates, text)
	}
	return out, nil
}

// setMissing makes missing keys print nothing, or fail. text/template forgets
// this in copies of a set.
func (e *Engine) setMissing(t *template.Template) {
	if e.opts.Strict {
		t.Option("missingkey=error")
	} else {
		t.Option("missingkey=zero")
	}
}

// parse fills the set with the definitions of all templates.
func (r *run) parse(list []*job) error {
	total := 0
	for _, j := range list {
		if err := r.check(); err != nil {
			return stopError(err, Pos{File: j.name})
		}
		if total += len(j.text); total > r.lim.Sources {
			return stopError(&LimitError{What: "the templates of one render", Limit: size(r.lim.Sources)}, Pos{File: j.name})
		}
		src, err := r.source(j)
		var limit *LimitError
		if errors.As(err, &limit) {
			return stopError(limit, Pos{File: j.name, Line: max(limit.Line, 1)})
		}
		if err != nil {
			return parseError(j.name, err)
		}
		r.sources[src.number] = src
		r.callsTpl = r.callsTpl || src.callsTpl
		for _, tree := range sortedTrees(src.trees) {
			name := tree.Name
			if name == src.name {
				name = j.name
			}
			if _, err := r.set.AddParseTree(name, tree); err != nil {
				return parseError(j.name, err)
			}
		}
	}
	return nil
}

// source is what a template file was parsed to, for whatever chart that was. The n-th file of
// a render with the same text has the n-th source of that text, so that each has one name. A text
// that cannot be parsed is parsed again under its own name, for the error.
func (r *run) source(j *job) (*source, error) {
	nth := r.copies[j.text]
	r.copies[j.text]++
	src, err := r.engine.compile(nthCopy(nth), j.text, r.lim)
	if err == nil && src.trees[j.name] == nil {
		r.names[src.number] = j.name
		return src, nil
	}
	return r.engine.compile(j.name, j.text, r.lim)
}

// render executes one template.
func (r *run) render(j *job) (out Rendered, err error) {
	j.values["Template"] = shadow(helmutil.Values{"Name": j.name, "BasePath": j.folder})
	r.depth, r.sinks, r.tpls, r.tpl = 0, r.sinks[:0], 0, nil
	root := &sink{run: r}
	r.sinks = append(r.sinks, root)
	defer func() {
		if p := recover(); p != nil {
			at := root.where(j.name)
			err = &TemplateError{File: at.File, Line: at.Line, Kind: Panic, Message: fmt.Sprintf("rendering template failed: %v", p)}
		}
	}()
	err = r.set.Lookup(j.name).Execute(root, chartutil.Values(j.values))
	if r.stopped != nil {
		return out, stopError(r.stopped, stoppedAt(root.where(j.name), err, r.names))
	}
	if err != nil {
		return out, execError(j.name, err, root.where(j.name), r.names)
	}
	text, spans := dropNoValue(string(root.buf), root.spans)
	return Rendered{Name: j.name, Text: text, spans: spans, names: r.names}, nil
}

// stoppedAt prefers the place that text/template reports, for what stopped a
// function: actions that print nothing leave no mark.
func stoppedAt(at Pos, err error, called names) Pos {
	e := &TemplateError{File: at.File}
	e.place(called.in(err.Error()))
	if e.Line > 0 {
		at.Line = e.Line
	}
	return at
}

// expired is closed when the render has used up its time.
func (r *run) expired() <-chan time.Time { return time.After(time.Until(r.until)) }

// maxParsed bounds the texts that an Engine remembers the trees of, which take
// some twenty times as much. It is room for the values sets of the charts under way.
const maxParsed = 8 << 20

// compile parses a text, or finds that it has been parsed before. The name is a file's or nthCopy's.
func (e *Engine) compile(name, text string, lim Limits) (*source, error) {
	key := parsedKey{name, text}
	e.mu.Lock()
	if s, ok := e.parsed[key]; ok {
		e.mu.Unlock()
		return s, nil
	}
	e.number++
	number := e.number
	e.mu.Unlock()

	if strings.HasPrefix(name, "\x00") {
		name = nameless(number)
	}
	s, err := compile(name, text, number, lim, e.library)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bytes += len(text) + len(name); e.bytes > maxParsed {
		e.parsed, e.bytes = map[parsedKey]*source{}, len(text)+len(name)
	}
	e.parsed[key] = s
	return s, nil
}
