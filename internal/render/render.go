package render

import (
	"context"
	"fmt"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/render/engine"
	"github.com/chartgate/chartgate/internal/render/valuesschema"
	helmchart "helm.sh/helm/v3/pkg/chart"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// What the engine defines and callers of this package meet.
type (
	Limits     = engine.Limits
	LimitError = engine.LimitError
	Error      = engine.TemplateError
	Rendered   = engine.Rendered
	Kind       = engine.Kind
	Pos        = engine.Pos
	Origin     = engine.Origin
)

// The kinds of errors.
const (
	Parse    = engine.Parse
	Exec     = engine.Exec
	Required = engine.Required
	Fail     = engine.Fail
	Limit    = engine.Limit
	Panic    = engine.Panic
	YAML     = engine.YAML
	Chart    = engine.Chart
	Values   = engine.Values
)

// Options are what an Engine does for every render. The zero value renders as
// `helm template` does, within the default limits.
type Options struct {
	// Strict makes a missing key an error.
	Strict bool
	// Seed, when not "", makes random and clock functions give the same for
	// the same seed, chart, values set, template and order of calls.
	Seed string
	// FastKeys gives renders without a seed cheap keys and password hashes, which
	// protect nothing; those with a seed have them anyway.
	FastKeys bool
	Limits   Limits
}

// Engine renders charts. It keeps what it has parsed and the keys that it has
// generated, so a process needs one; goroutines may share it.
type Engine struct {
	core *engine.Engine
	seed string
}

// New returns an Engine.
func New(opts Options) *Engine {
	return &Engine{core: engine.New(engine.Options{Strict: opts.Strict, FastKeys: opts.FastKeys, Limits: opts.Limits}), seed: opts.Seed}
}

// Result is one render of a chart. Checks share it: it is read-only.
type Result struct {
	Chart  *helmchart.Chart // with its dependencies processed: what is disabled is gone
	Values helmutil.Values  // what the templates were given, before they changed any of it
	// Templates are the texts that the manifests are cut from, of all charts, by name.
	Templates []*Rendered
	// Manifests are in the order in which `helm template` prints them, hooks
	// after everything else. CRDs of crds/ folders are not among them.
	Manifests []*Manifest
	CRDs      []CRD
	Notes     string // the chart's own NOTES.txt, rendered
}

// CRD is a file of a crds/ folder: no template, printed only when asked for.
type CRD struct {
	File string // as Helm names it: "mychart/crds/x.yaml"
	Data []byte
}

// Render renders a chart as `helm template` does with a values set's files
// and release. Values are not validated against schemas: see Result.Values.
//
// What is wrong with the chart or its values is an *Error; an error of the
// context is wrapped. Where the values could be read, the result has them and the
// chart also beside an error.
func (e *Engine) Render(ctx context.Context, res *deps.Resolved, set chart.ValuesSet) (*Result, error) {
	in, err := Prepare(ctx, res, set)
	if err != nil {
		return nil, err
	}
	return e.render(ctx, in)
}

// Request is one call of `helm template`.
type Request struct {
	Chart   *helmchart.Chart // with its dependencies in place; rendering changes it
	Values  map[string]any   // what is given beside the chart's own
	Release chart.ReleaseOptions
	// SkipSchema leaves out the validation against values.schema.json.
	SkipSchema bool
}

// RenderChart renders a chart that is there already, and validates the values.
// Errors and results are those of Render; a result beside an error says that the
// values were in order.
func (e *Engine) RenderChart(ctx context.Context, req Request) (*Result, error) {
	in, err := prepare(req.Chart, req.Values, req.Release)
	if err != nil {
		return nil, err
	}
	if !req.SkipSchema {
		if err := valuesschema.Check(in.Chart, in.Values); err != nil {
			return nil, &Error{Kind: Values, Message: err.Error(), Err: err}
		}
	}
	return e.render(ctx, in)
}

func (e *Engine) seedOf(in *Input) string {
	if e.seed == "" {
		return ""
	}
	return fmt.Sprintf("%q %q %q", e.seed, in.Chart.Name(), in.set)
}

func (e *Engine) render(ctx context.Context, in *Input) (*Result, error) {
	result := &Result{Chart: in.Chart, Values: cloneTable(in.top["Values"])}
	if err := in.check(); err != nil {
		return result, err
	}
	out, err := e.core.ExecuteSeeded(ctx, e.seedOf(in), in.Chart, in.top)
	if err != nil {
		return result, err
	}
	for _, crd := range in.Chart.CRDObjects() {
		result.CRDs = append(result.CRDs, CRD{File: crd.Filename, Data: crd.File.Data})
	}
	result.Templates = result.takeNotes(out.Templates)
	result.Manifests, err = manifests(ctx, result.Templates)
	for _, m := range result.Manifests {
		m.Set = in.set
	}
	return result, err
}

// cloneTable copies the maps and lists of values, which templates can change.
func cloneTable(v any) helmutil.Values {
	if t, ok := v.(helmutil.Values); ok {
		return clone(map[string]any(t)).(map[string]any)
	}
	return helmutil.Values{}
}

func clone(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = clone(e)
		}
		return out
	case helmutil.Values:
		return clone(map[string]any(t))
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = clone(e)
		}
		return out
	}
	return v
}
