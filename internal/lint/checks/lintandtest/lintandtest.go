// Package lintandtest is the lint-and-test check: a chart loads, its
// dependencies resolve, Helm's lint rules hold, and its templates render with every
// values set.
package lintandtest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/render"
	"github.com/chartgate/chartgate/internal/source"
	"helm.sh/helm/v3/pkg/chartutil"
)

// Name is the check's name.
const Name = "lint-and-test"

// New makes the check.
func New() lint.Check {
	return lint.Check{
		Name:   Name,
		Doc:    "The chart loads, its dependencies resolve, Helm's lint rules hold, and its templates render with every values set.",
		Rules:  rules(),
		Chart:  chartPart,
		Render: renderPart,
	}
}

func chartPart(_ context.Context, s *lint.Subject) ([]finding.Finding, error) {
	c := s.Chart
	if e := c.Err(); e != nil {
		return []finding.Finding{{Rule: "load", Severity: finding.Error, File: e.File, Pos: e.Pos, Message: e.Message, Hint: e.Hint}}, nil
	}
	out := append(chartFile(c), valuesFile(c)...)
	out = append(out, s.SetsErr...)
	out = append(out, dependencies(s)...)
	for _, f := range c.Files() {
		if !strings.HasPrefix(f.Name, "templates/") {
			continue
		}
		for _, found := range templateFile(f.Name, f.Data) {
			found.File = c.RepoPath(f.Name)
			out = append(out, found)
		}
	}
	return out, nil
}

func valuesFile(c *chart.Chart) []finding.Finding {
	if _, ok := c.File("values.yaml"); ok {
		return nil
	}
	return []finding.Finding{{Rule: "values-file", Severity: finding.Info, File: c.RepoPath("values.yaml"), Message: "file does not exist"}}
}

// dependencies reports what could not be resolved, a missing lock, and what Helm's lint
// says of the dependencies.
func dependencies(s *lint.Subject) []finding.Finding {
	c := s.Chart
	var out []finding.Finding
	var list deps.Errors
	if errors.As(s.ResolveErr, &list) {
		for _, e := range list {
			out = append(out, dependencyFault(c, e))
		}
	} else if s.ResolveErr != nil {
		out = append(out, at(c, "dependency", finding.Error, s.ResolveErr.Error(), "dependencies"))
	}
	if s.Resolved != nil && s.Resolved.Lock == deps.LockMissing {
		f := at(c, "lock", finding.Warning, "there is no Chart.lock: the versions of "+strings.Join(s.Resolved.Unlocked, ", ")+" may be others tomorrow", "dependencies")
		f.Hint = "run helm dependency update and commit Chart.lock, or write exact versions"
		out = append(out, f)
	}
	return append(out, declared(s)...)
}

func dependencyFault(c *chart.Chart, e *deps.Error) finding.Finding {
	rule := "dependency"
	if e.Kind == deps.KindLock {
		rule = "lock"
	}
	f := finding.Finding{Rule: rule, Severity: finding.Error, File: c.RepoPath(e.File), Message: e.Error(), Hint: e.Hint}
	if len(e.Tried) > 1 { // one is in the message
		f.Message += "\ntried " + strings.Join(e.Tried, "\ntried ")
	}
	if file, ok := c.File(e.File); ok {
		doc, _ := source.ParseYAML(file.Data)
		f.Pos, _ = doc.Value(e.Path()...)
	}
	return f
}

// declared is what Helm's lint says of the names of dependencies.
func declared(s *lint.Subject) []finding.Finding {
	m := s.Chart.Metadata()
	names, keys := map[string]bool{}, map[string]bool{}
	var shadowing []string
	for _, d := range m.Dependencies {
		if d == nil {
			continue
		}
		key := d.Alias
		if key == "" {
			key = d.Name
		}
		if keys[key] {
			shadowing = append(shadowing, key)
		}
		names[d.Name], keys[key] = true, true
	}
	var out []finding.Finding
	if len(shadowing) > 0 {
		out = append(out, at(s.Chart, "duplicate-dependency", finding.Error, "multiple dependencies with name or alias: "+strings.Join(shadowing, ","), "dependencies"))
	}
	var undeclared []string
	for _, sub := range s.Chart.Helm().Dependencies() {
		if !names[sub.Name()] {
			undeclared = append(undeclared, sub.Name())
		}
	}
	if len(undeclared) > 0 {
		out = append(out, at(s.Chart, "undeclared-dependency", finding.Error, "chart metadata is missing these dependencies: "+strings.Join(undeclared, ","), "dependencies"))
	}
	return out
}

// at is a finding about a key of Chart.yaml.
func at(c *chart.Chart, rule string, severity finding.Severity, msg string, steps ...any) finding.Finding {
	f := finding.Finding{Rule: rule, Severity: severity, File: c.RepoPath("Chart.yaml"), Message: msg}
	if file, ok := c.File("Chart.yaml"); ok {
		doc, _ := source.ParseYAML(file.Data)
		f.Pos, _ = doc.Pos(steps...)
	}
	return f
}

func renderPart(_ context.Context, s *lint.Subject, r *lint.Rendered) ([]finding.Finding, error) {
	if r.Err != nil {
		return renderFault(s, r)
	}
	kube, err := parseKube(r.Set.Release.KubeVersion)
	if err != nil {
		return nil, err
	}
	var out []finding.Finding
	own := s.Chart.Name() + "/templates/"
	for _, t := range r.Result.Templates {
		if !strings.HasPrefix(t.Name, own) || path.Ext(t.Name) != ".yaml" {
			continue // as Helm: other charts' templates are for their own repositories to lint
		}
		for _, f := range rendered(t.Text, kube) {
			from := t.Origin(lineOffset(t.Text, f.Line))
			out = append(out, s.Place(f, from.File, from.Line, 0))
		}
	}
	return out, nil
}

// renderFault turns a failed render into a finding.
func renderFault(s *lint.Subject, r *lint.Rendered) ([]finding.Finding, error) {
	var te *render.Error
	if !errors.As(r.Err, &te) {
		return nil, fmt.Errorf("rendering with %s: %w", r.Set.Name, r.Err)
	}
	f := finding.Finding{Rule: "render", Severity: finding.Error, Message: te.Message}
	switch te.Kind {
	case render.Limit:
		f.Rule = "limit"
		f.Hint = "a chart that takes more than this cannot be installed with confidence: bound the loop, the recursion or the output"
	case render.Required, render.Fail:
		f.Rule = "value-missing"
		f.Hint = "set the value in the values set, or give it a default"
	case render.YAML:
		f.Rule = "manifest-yaml"
	case render.Values:
		f.Rule = "values"
		f.File, f.Pos = te.File, valuesPos(r.Set, te)
		return []finding.Finding{f}, nil
	}
	if r.Excused {
		f.Severity = finding.Warning
		f.Hint = "the chart brings values for its tests, so its bare defaults may ask for some"
	}
	if te.File == "" {
		f.File, f.Pos = s.Chart.RepoPath("Chart.yaml"), source.Pos{Line: 1, Column: 1}
		return []finding.Finding{f}, nil
	}
	return []finding.Finding{s.Place(f, te.File, te.Line, te.Column)}, nil
}

// valuesPos is where a values file is at fault: on the line that the error names, else
// where its content begins.
func valuesPos(set chart.ValuesSet, e *render.Error) source.Pos {
	if e.Line > 0 {
		return source.Pos{Line: e.Line, Column: e.Column}
	}
	for _, f := range set.Files {
		if f.Path == e.File {
			doc, _ := source.ParseYAML(f.Data)
			pos, _ := doc.Pos()
			return pos
		}
	}
	return source.Pos{}
}

func parseKube(version string) (kubeVersion, error) {
	if version == "" {
		version = render.DefaultKubeVersion
	}
	v, err := chartutil.ParseKubeVersion(version)
	if err != nil {
		return kubeVersion{}, fmt.Errorf("reading Kubernetes version %q: %w", version, err)
	}
	var k kubeVersion
	if _, err := fmt.Sscan(v.Major+" "+v.Minor, &k.major, &k.minor); err != nil {
		return kubeVersion{}, fmt.Errorf("reading Kubernetes version %q: %w", version, err)
	}
	return k, nil
}

// lineOffset is the byte offset at which line n (from 1) begins.
func lineOffset(text string, n int) int {
	at := 0
	for ; n > 1; n-- {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return at
		}
		at += i + 1
	}
	return at
}
