package engine

import (
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/chartgate/chartgate/internal/render/chartutil"
	"helm.sh/helm/v3/pkg/chart"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// job is a template of a chart and what it is executed on.
type job struct {
	name   string // as Helm names it
	text   string
	values map[string]any // shared by all templates of a chart
	folder string         // .Template.BasePath
}

// partial reports files that only define templates for others.
func (j *job) partial() bool { return strings.HasPrefix(path.Base(j.name), "_") }

// jobs lists the templates of a chart and its dependencies in the order in
// which Helm parses and executes them, from the deepest folder to the root
// and backwards through the names. Order matters: later definitions replace
// earlier ones, and set changes values for all that follow.
func jobs(c *chart.Chart, vals helmutil.Values) []*job {
	byName := map[string]*job{}
	collect(c, vals, byName)
	out := make([]*job, 0, len(byName))
	for _, j := range byName {
		out = append(out, j)
	}
	sort.Slice(out, func(a, b int) bool {
		na, nb := out[a].name, out[b].name
		if da, db := strings.Count(na, "/"), strings.Count(nb, "/"); da != db {
			return da > db
		}
		return na > nb
	})
	return out
}

// chartInfo is .Chart: its type is part of text/template's errors, so it has
// Helm's form.
type chartInfo = struct {
	chart.Metadata
	IsRoot bool
}

// collect adds the templates of c and of what it depends on, and returns what
// c's templates find in the dot.
func collect(c *chart.Chart, vals helmutil.Values, into map[string]*job) map[string]any {
	subcharts := map[string]any{}
	own := scope(c, vals)
	next := map[string]any{
		"Chart":        chartInfo{*c.Metadata, c.IsRoot()},
		"Files":        newFiles(c.Files),
		"Release":      vals["Release"],
		"Capabilities": vals["Capabilities"],
		"Values":       shadow(own),
		"Subcharts":    subcharts,
	}
	below := helmutil.Values{"Release": vals["Release"], "Capabilities": vals["Capabilities"], "Values": own}
	for _, d := range c.Dependencies() {
		subcharts[d.Name()] = collect(d, below, into)
	}
	folder := c.ChartFullPath()
	library := strings.EqualFold(c.Metadata.Type, "library")
	for _, t := range c.Templates {
		if t == nil || library && !strings.HasPrefix(filepath.Base(t.Name), "_") {
			continue
		}
		name := path.Join(folder, t.Name)
		into[name] = &job{name: name, text: string(t.Data), values: next, folder: path.Join(folder, "templates")}
	}
	return next
}

// scope finds a chart's values in those of its parent.
func scope(c *chart.Chart, vals helmutil.Values) any {
	if c.IsRoot() {
		return vals["Values"]
	}
	if t, err := vals.Table("Values." + c.Name()); err == nil {
		return t
	}
	return helmutil.Values{}
}

// shadow gives values the type with bounded methods.
func shadow(v any) any {
	if t, ok := v.(helmutil.Values); ok {
		return chartutil.Values(t)
	}
	return v
}
