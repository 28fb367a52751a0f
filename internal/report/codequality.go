package report

import (
	"encoding/json"
	"io"

	"github.com/chartgate/chartgate/internal/finding"
)

// A Code Climate issue with the keys that GitLab reads
// (docs.gitlab.com/ci/testing/code_quality, "Code Quality report format").
type issue struct {
	Description string   `json:"description"`
	CheckName   string   `json:"check_name"`
	Fingerprint string   `json:"fingerprint"`
	Severity    string   `json:"severity"`
	Location    location `json:"location"`
}

type location struct {
	Path  string `json:"path"`
	Lines lines  `json:"lines"`
}

type lines struct {
	Begin int `json:"begin"`
}

// CodeQuality writes the findings, and the checks that could not run, as
// GitLab's Code Quality report.
func CodeQuality(w io.Writer, r *Report) error {
	issues := []issue{}
	for _, f := range r.Findings {
		path := f.File
		if path == "" {
			path = f.Chart
		}
		issues = append(issues, issue{
			Description: describe(f), CheckName: f.Name(), Fingerprint: f.Fingerprint, Severity: climateSeverity(f.Severity),
			Location: location{path, lines{max(f.Line, 1)}},
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(issues)
}

func climateSeverity(s finding.Severity) string {
	switch s {
	case finding.Error:
		return "critical"
	case finding.Warning:
		return "minor"
	}
	return "info"
}

// describe is a finding in one line without its place.
func describe(f finding.Finding) string {
	s := oneLine(f.Message)
	if f.Object != "" {
		s = f.Object + ": " + s
	}
	if f.Hint != "" {
		s += " (" + oneLine(f.Hint) + ")"
	}
	return s
}
