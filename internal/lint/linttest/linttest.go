// Package linttest runs checks over charts that a test holds in memory.
package linttest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/render"
)

// Load makes the charts below charts/ of a tree of files.
func Load(t testing.TB, files map[string]string) *chart.Repo {
	t.Helper()
	repo, _ := load(t, files)
	return repo
}

func load(t testing.TB, files map[string]string) (*chart.Repo, fstest.MapFS) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(data), Mode: 0o644}
		if strings.HasSuffix(name, ".sh") {
			fsys[name].Mode = 0o755
		}
	}
	dirs, err := chart.Discover(fsys, []string{"charts/*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var charts []*chart.Chart
	for _, d := range dirs {
		charts = append(charts, chart.Load(fsys, d, chart.Limits{}))
	}
	return chart.NewRepo(charts), fsys
}

// Subjects resolves the charts of a tree, with base to compare with where it is not nil.
func Subjects(t testing.TB, files, base map[string]string) []*lint.Subject {
	t.Helper()
	repo, fsys := load(t, files)
	resolver, err := deps.New(deps.Options{Repo: repo, FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resolver.Close() })
	b := &lint.Base{Repo: chart.NewRepo(nil)}
	if base != nil {
		b.Revision, b.Repo = "0123456789abcdef", Load(t, base)
	}
	var subjects []*lint.Subject
	for _, c := range repo.Charts {
		s := &lint.Subject{Chart: c, Repo: repo, Base: b, Sets: c.ValuesSets(), Conventional: true}
		if c.Err() == nil {
			s.Resolved, s.ResolveErr = resolver.Resolve(t.Context(), c)
		}
		subjects = append(subjects, s)
	}
	return subjects
}

// Run runs one check over the charts of a tree and returns its findings, sorted and
// merged, and the outcomes.
func Run(t testing.TB, check lint.Check, files, base map[string]string) ([]finding.Finding, []lint.Outcome) {
	t.Helper()
	report, err := lint.Run(context.Background(), Subjects(t, files, base), []lint.Check{check}, lint.Options{Jobs: 4, Engine: render.New(render.Options{Seed: "test"})})
	if err != nil {
		t.Fatal(err)
	}
	found := finding.Merge(report.Findings)
	finding.Sort(found)
	return found, report.Outcomes
}

// Lines prints findings for comparison: "file:line:column severity rule: message".
func Lines(fs []finding.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, strings.TrimSpace(f.File+" "+f.Severity.String()+" "+f.Rule+": "+f.Message))
	}
	return out
}

// Place is "file:line:column".
func Place(f finding.Finding) string { return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column) }
