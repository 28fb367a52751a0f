// Package yamlcheck is the yaml-lint check: the yamllint engine over the plain
// YAML files of a chart.
package yamlcheck

import (
	"context"
	"path"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/chartgate/chartgate/internal/yamllint"
)

// Name is the check's name.
const Name = "yaml-lint"

// New makes the check. config gives the configuration for a file of the
// repository, by its path.
func New(config func(path string) (*yamllint.Config, error)) lint.Check {
	return lint.Check{
		Name:  Name,
		Doc:   "The plain YAML files of a chart have no syntax errors and one style, by yamllint's rules.",
		Rules: rules(),
		Chart: func(ctx context.Context, s *lint.Subject) ([]finding.Finding, error) {
			return check(ctx, s.Chart, config)
		},
	}
}

func rules() []lint.Rule {
	rules := []lint.Rule{{ID: yamllint.SyntaxRule, Severity: finding.Error, What: "Text that is not YAML.",
		Why: "Helm cannot read it.", Fix: "Mend the line; the message says what was expected."}}
	defaults := yamllint.ForCharts()
	for _, r := range yamllint.Rules() {
		severity := finding.Off
		if level, on := defaults.Enabled(r.Name); on {
			severity = severityOf(level)
		}
		rules = append(rules, lint.Rule{ID: r.Name, Severity: severity, What: r.What, Why: r.Why, Fix: "Instead of\n\n" + r.Bad + "\n\nwrite\n\n" + r.Good})
	}
	return rules
}

func check(ctx context.Context, c *chart.Chart, config func(string) (*yamllint.Config, error)) ([]finding.Finding, error) {
	var out []finding.Finding
	for _, e := range c.Entries() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		file := path.Join(c.Root, e.Path)
		if !plain(c, file) || e.Data == nil {
			continue
		}
		cfg, err := config(file)
		if err != nil {
			return nil, err
		}
		if !cfg.IsYAMLFile(file) || cfg.IgnoresFile(file) {
			continue
		}
		for _, p := range yamllint.Lint(e.Data, file, cfg) {
			rule := p.Rule
			if rule == "" {
				rule = yamllint.SyntaxRule
			}
			out = append(out, finding.Finding{Rule: rule, Severity: severityOf(p.Level), File: file,
				Pos: source.Pos{Line: p.Line, Column: p.Column}, Message: p.Message, Text: source.Line(e.Data, p.Line)})
		}
	}
	return out, nil
}

// plain reports whether a file is YAML to read as it stands: templates are not, and
// what lies under charts/ is somebody else's.
func plain(c *chart.Chart, file string) bool {
	rel, ok := strings.CutPrefix(file, c.Path+"/")
	return !ok || !strings.HasPrefix(rel, "templates/") && !strings.HasPrefix(rel, "charts/")
}

func severityOf(l yamllint.Level) finding.Severity {
	if l == yamllint.Error {
		return finding.Error
	}
	return finding.Warning
}
