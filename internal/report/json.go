package report

import (
	"encoding/json"
	"io"

	"github.com/chartgate/chartgate/internal/finding"
)

type jsonReport struct {
	Schema   int           `json:"schema"`
	Tool     jsonTool      `json:"tool"`
	Summary  jsonSummary   `json:"summary"`
	Charts   []jsonChart   `json:"charts"`
	Outcomes []jsonOutcome `json:"outcomes"`
	Findings []jsonFinding `json:"findings"`
	Shard    *jsonShard    `json:"shard,omitempty"` // the only key that a report may lack
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type jsonSummary struct {
	Passed   bool   `json:"passed"`
	FailOn   string `json:"failOn"`
	Charts   int    `json:"charts"`
	Errors   int    `json:"errors"`
	Warnings int    `json:"warnings"`
	Infos    int    `json:"infos"`
	Skipped  int    `json:"skipped"`
}

type jsonChart struct {
	Name         string           `json:"name"`
	Path         string           `json:"path"`
	Version      string           `json:"version"`
	Package      string           `json:"package"`
	Dependencies []jsonDependency `json:"dependencies"`
}

type jsonDependency struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	Repository string `json:"repository"`
	Origin     string `json:"origin"`
	StandIn    bool   `json:"standIn"`
}

type jsonOutcome struct {
	Chart  string `json:"chart"`
	Check  string `json:"check"`
	State  string `json:"state"`
	Reason string `json:"reason"`
}

type jsonFinding struct {
	Check       string   `json:"check"`
	Rule        string   `json:"rule"`
	Severity    string   `json:"severity"`
	Chart       string   `json:"chart"`
	Values      []string `json:"values"`
	Object      string   `json:"object"`
	Container   string   `json:"container"`
	File        string   `json:"file"`
	Line        int      `json:"line"`
	Column      int      `json:"column"`
	Message     string   `json:"message"`
	Hint        string   `json:"hint"`
	Fingerprint string   `json:"fingerprint"`
}

// JSON writes chartgate's own format: stable keys, no nulls, sorted.
func JSON(w io.Writer, r *Report) error {
	out := jsonOf(r)
	if out.Shard != nil {
		if err := out.seal(); err != nil {
			return err
		}
	}
	return out.encode(w)
}

func jsonOf(r *Report) *jsonReport {
	n := finding.Count(r.Findings)
	out := &jsonReport{
		Schema: 1, Tool: jsonTool(r.Tool),
		Summary: jsonSummary{Passed: r.Passed(), FailOn: r.FailOn.String(), Charts: len(r.Charts),
			Errors: n[finding.Error], Warnings: n[finding.Warning], Infos: n[finding.Info]},
		Charts: []jsonChart{}, Outcomes: []jsonOutcome{}, Findings: []jsonFinding{},
		Shard: r.Shard.json(r.Tool),
	}
	for _, c := range r.Charts {
		jc := jsonChart{Name: c.Name, Path: c.Path, Version: c.Version, Package: c.Package, Dependencies: []jsonDependency{}}
		for _, d := range c.Dependencies {
			jc.Dependencies = append(jc.Dependencies, jsonDependency(d))
		}
		out.Charts = append(out.Charts, jc)
	}
	for _, o := range r.Outcomes {
		if o.Bad() {
			out.Summary.Skipped++
		}
		out.Outcomes = append(out.Outcomes, jsonOutcome(o))
	}
	for _, f := range r.Findings {
		values := f.Values
		if values == nil {
			values = []string{}
		}
		out.Findings = append(out.Findings, jsonFinding{
			Check: f.Check, Rule: f.Rule, Severity: f.Severity.String(), Chart: f.Chart, Values: values, Object: f.Object, Container: f.Container,
			File: f.File, Line: f.Line, Column: f.Column, Message: f.Message, Hint: f.Hint, Fingerprint: f.Fingerprint,
		})
	}
	return out
}

func (r *jsonReport) encode(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
