// Package chartschema is the chart-schema check: Chart.yaml and the values have
// the form that they should have, and the chart's folder is that of the house.
package chartschema

import (
	"context"
	"fmt"
	"strings"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/source"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// Name is the check's name.
const Name = "chart-schema"

// New makes the check.
func New() lint.Check {
	return lint.Check{
		Name:   Name,
		Doc:    "Chart.yaml and every values set have the form that their schemas ask for, and the folder is that of the house standard.",
		Rules:  rules(),
		Needs:  lint.Needs{Resolved: true},
		Chart:  chartPart,
		Render: renderPart,
	}
}

func rules() []lint.Rule {
	return []lint.Rule{
		{ID: "chart-file", Severity: finding.Error, What: "Chart.yaml lacks apiVersion, name, version or type, or a field has the wrong form.",
			Why: "Helm is lenient where registries, catalogues and people are not.", Fix: "Write what the message asks for."},
		{ID: "name", Severity: finding.Error, What: "The chart's name is not that of its folder.", Why: "People look for a chart by its folder, and publish paths follow the name.", Fix: "Rename one of the two."},
		{ID: "duplicate-name", Severity: finding.Error, What: "Two charts of the repository have one name.", Why: "They would be published to one place.", Fix: "Rename one of the two."},
		{ID: "values-schema", Severity: finding.Error, What: "values.schema.json is not a JSON Schema.", Why: "Helm refuses every installation.", Fix: "Mend it where the message says."},
		{ID: "schema-reference", Severity: finding.Error, What: "values.schema.json refers to a file or a URL outside of the chart.",
			Why: "Whoever installs the chart would read that file or ask that host, and get another answer another day.", Fix: "Copy the definition into the schema."},
		{ID: "values", Severity: finding.Error, What: "A values set that its schema refuses, as Helm would.", Why: "That installation would fail.", Fix: "Mend the value, or the schema."},
		{ID: "readme", Severity: finding.Warning, What: "A chart without README.md.", Why: "Teams cannot tell what it installs.", Fix: "Write one beside the chart."},
		{ID: "deploy-script", Severity: finding.Warning, What: "A chart without an executable deploy.sh.", Why: "The house standard installs a chart for one organisation with it.", Fix: "Add it, with chmod +x."},
		{ID: "organisations", Severity: finding.Warning, What: "A chart without orgs/.", Why: "The house standard keeps each organisation's values there.", Fix: "Add orgs/ORG/values.yaml, or turn the rule off."},
		{ID: "organisation-leak", Severity: finding.Error, What: "An organisation's values that would enter the archive.", Why: "Every other organisation that pulls the chart would read them.", Fix: "Add a line orgs/ to .helmignore."},
	}
}

func chartPart(_ context.Context, s *lint.Subject) ([]finding.Finding, error) {
	out, err := chartFile(s.Chart)
	if err != nil {
		return nil, err
	}
	out = append(out, wellFormed(s.Chart)...)
	out = append(out, standard(s.Chart)...)
	out = append(out, leaks(s.Chart)...)
	return append(out, namesakes(s)...), nil
}

// renderPart validates the coalesced values of one values set, also where the
// templates then fail.
func renderPart(_ context.Context, s *lint.Subject, r *lint.Rendered) ([]finding.Finding, error) {
	if r.Result == nil || r.Result.Chart == nil {
		return nil, &lint.SkipError{Reason: fmt.Sprintf("the values of %s could not be read", r.Set.Name)}
	}
	return descend(s, r, r.Result.Chart, r.Result.Values, nil)
}

// descend validates as Helm does: each chart's schema sees that chart's part of
// the values, and a subchart without values is not looked at.
func descend(s *lint.Subject, r *lint.Rendered, c *helmchart.Chart, values map[string]any, path []string) ([]finding.Finding, error) {
	var out []finding.Finding
	if c.Schema != nil {
		faults, err := validate(c.Schema, values)
		if err != nil {
			return nil, fmt.Errorf("validating the values of %q: %w", c.ChartFullPath(), err)
		}
		for _, f := range faults {
			out = append(out, place(s, r, c, append(path[:len(path):len(path)], f.path...), f.message))
		}
	}
	for _, sub := range c.Dependencies() {
		raw, ok := values[sub.Name()]
		if !ok || raw == nil {
			continue
		}
		below := append(path[:len(path):len(path)], sub.Name())
		table, ok := raw.(map[string]any)
		if !ok {
			out = append(out, place(s, r, sub, below, fmt.Sprintf("invalid type for values: expected object (map), got %T", raw)))
			continue
		}
		found, err := descend(s, r, sub, table, below)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// place points at the values file that set the value: the last of the set that
// has it, else the chart's own, else the schema.
func place(s *lint.Subject, r *lint.Rendered, c *helmchart.Chart, path []string, msg string) finding.Finding {
	f := finding.Finding{Rule: "values", Severity: finding.Error, Message: msg}
	if len(path) > 0 {
		f.Message = strings.Join(path, ".") + ": " + msg
	}
	if !c.IsRoot() {
		f.Hint = fmt.Sprintf("the schema is that of the subchart %s %s", c.Name(), c.Metadata.Version)
	}
	files := append([]source.File{}, r.Set.Files...)
	if own, ok := s.Chart.File("values.yaml"); ok {
		files = append([]source.File{own}, files...)
	}
	steps := make([]any, len(path))
	for i, p := range path {
		steps[i] = p
	}
	for depth := len(steps); depth >= 0; depth-- {
		for i := len(files) - 1; i >= 0; i-- {
			doc, _ := source.ParseYAML(files[i].Data)
			if pos, ok := doc.Pos(steps[:depth]...); ok && (depth > 0 || i == len(files)-1) {
				f.File, f.Pos = files[i].Path, pos
				return f
			}
		}
	}
	f.File, f.Pos = s.Chart.RepoPath(schemaFile), source.Pos{Line: 1, Column: 1}
	if _, ok := s.Chart.File(schemaFile); !ok {
		f.File = s.Chart.RepoPath("Chart.yaml")
	}
	return f
}
