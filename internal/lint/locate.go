package lint

import (
	"fmt"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
)

// Locate finds the file of the repository behind a template as Helm names it
// ("web/charts/redis/templates/a.yaml"). What a fetched subchart holds has no file here: the
// place is then the line of the dependency in Chart.yaml, and within says where
// in the subchart.
func (s *Subject) Locate(template string, line, column int) (file string, pos source.Pos, within string) {
	c := s.Chart
	var list []deps.Dependency
	if s.Resolved != nil {
		list = s.Resolved.Deps
	}
	_, rest, _ := strings.Cut(template, "/")
	for {
		below, inSubchart := strings.CutPrefix(rest, "charts/")
		if !inSubchart {
			return c.RepoPath(rest), source.Pos{Line: line, Column: column}, ""
		}
		name, inner, _ := strings.Cut(below, "/")
		d := named(list, name)
		if d == nil {
			return c.RepoPath(rest), source.Pos{Line: line, Column: column}, ""
		}
		if d.Local != nil {
			c, list, rest = d.Local, d.Deps, inner
			continue
		}
		if f, ok := c.File("charts/" + d.Name + "/" + inner); ok && d.Origin == deps.OriginVendored {
			return f.Path, source.Pos{Line: line, Column: column}, ""
		}
		within = fmt.Sprintf("%s of %s %s", inner, d.Name, d.Version)
		if line > 0 {
			within = fmt.Sprintf("%s:%d of %s %s", inner, line, d.Name, d.Version)
		}
		return c.RepoPath("Chart.yaml"), dependencyPos(c, d.Index), within
	}
}

// Place puts a finding about a template where Locate says.
func (s *Subject) Place(f finding.Finding, template string, line, column int) finding.Finding {
	var within string
	f.File, f.Pos, within = s.Locate(template, line, column)
	if within != "" {
		f.Message += " (" + within + ")"
	}
	return f
}

func named(list []deps.Dependency, name string) *deps.Dependency {
	for i, d := range list {
		if d.Alias == name || d.Alias == "" && d.Name == name {
			return &list[i]
		}
	}
	return nil
}

func dependencyPos(c *chart.Chart, index int) source.Pos {
	file, ok := c.File("Chart.yaml")
	if !ok || index < 0 {
		return source.Pos{}
	}
	doc, err := source.ParseYAML(file.Data)
	if err != nil {
		return source.Pos{Line: 1, Column: 1}
	}
	pos, _ := doc.Pos("dependencies", index)
	return pos
}
