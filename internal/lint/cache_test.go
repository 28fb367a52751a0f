package lint_test

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/chartgate/chartgate/internal/cache"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/lint/linttest"
	"github.com/chartgate/chartgate/internal/render"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/chartgate/chartgate/internal/store"
	"github.com/google/go-cmp/cmp"
)

// counting is a check that counts how often it is called.
type counting struct {
	name          string
	chart, render atomic.Int32
	err           error
}

func (c *counting) check() lint.Check {
	return lint.Check{
		Name: c.name,
		Chart: func(_ context.Context, s *lint.Subject) ([]finding.Finding, error) {
			c.chart.Add(1)
			return []finding.Finding{{Rule: "chart", Severity: finding.Warning, File: s.Chart.RepoPath("values.yaml"), Pos: source.Pos{Line: 1}, Message: "not UTF-8: \xff"}}, c.err
		},
		Render: func(_ context.Context, s *lint.Subject, r *lint.Rendered) ([]finding.Finding, error) {
			c.render.Add(1)
			return []finding.Finding{{Rule: "render", Severity: finding.Error, Message: "in " + r.Set.Name}}, nil
		},
	}
}

// calls is how often the check was called since the last time.
func (c *counting) calls() [2]int32 { return [2]int32{c.chart.Swap(0), c.render.Swap(0)} }

func files() map[string]string {
	return map[string]string{
		"charts/web/Chart.yaml":           "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: lib\n  version: 1.x.x\n  repository: file://../lib\n",
		"charts/web/values.yaml":          "port: 80\n",
		"charts/web/templates/a.yaml":     "a: {{ .Values.port }}\n",
		"charts/web/ci/one-values.yaml":   "port: 81\n",
		"charts/web/deploy.txt":           "",
		"charts/lib/Chart.yaml":           "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
		"charts/lib/templates/_lib.tpl":   "{{ define \"lib\" }}{{ end }}\n",
		"charts/other/Chart.yaml":         "apiVersion: v2\nname: other\nversion: 1.0.0\n",
		"charts/other/templates/NOTES.md": "",
	}
}

// settings are all that a run depends on beside the files.
type settings struct {
	salt, config string
	change       func(*lint.Subject)
}

// runWeb runs the checks over charts/web alone.
func runWeb(t *testing.T, entries *cache.Cache, files map[string]string, set settings, checks ...*counting) *lint.Report {
	t.Helper()
	var list []lint.Check
	config := map[string]string{}
	for _, c := range checks {
		list = append(list, c.check())
		config[c.name] = set.config
	}
	delete(config, "uncached")
	var subjects []*lint.Subject
	for _, s := range linttest.Subjects(t, files, nil) {
		if s.Chart.Name() == "web" {
			if set.change != nil {
				set.change(s)
			}
			subjects = append(subjects, s)
		}
	}
	report, err := lint.Run(t.Context(), subjects, list, lint.Options{Jobs: 2, Engine: render.New(render.Options{Seed: "test"}), Cache: lint.NewCache(entries, set.salt, config)})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func entries() *cache.Cache {
	return cache.New(cache.Options{Access: cache.Access{Scope: cache.Own}, Store: store.InMemory(store.Options{})})
}

func TestCache(t *testing.T) {
	kept, c := entries(), &counting{name: "c"}
	fresh := runWeb(t, kept, files(), settings{}, c)
	if got := c.calls(); got != [2]int32{1, 2} {
		t.Fatalf("called %v times", got)
	}
	cached := runWeb(t, kept, files(), settings{}, c)
	if got := c.calls(); got != [2]int32{} {
		t.Errorf("called %v times although all is remembered", got)
	}
	if diff := cmp.Diff(fresh.Findings, cached.Findings); diff != "" {
		t.Errorf("(-fresh +cached) %s", diff)
	}
	if o := cached.Outcomes[0]; o.State != lint.Cached || o.State.Reported() != fresh.Outcomes[0].State {
		t.Errorf("%+v", o)
	}
	if fresh.Findings[0].Text != "port: 80" {
		t.Errorf("the text of the line is %q", fresh.Findings[0].Text)
	}
}

// TestCacheKeys changes one thing after another that a check can see.
func TestCacheKeys(t *testing.T) {
	file := func(name, data string) func(map[string]string) {
		return func(m map[string]string) { m[name] = data }
	}
	for name, test := range map[string]struct {
		files    func(map[string]string)
		settings settings
		want     [2]int32
	}{
		"nothing":                {want: [2]int32{0, 0}},
		"another chart":          {files: file("charts/other/values.yaml", "a: 1\n"), want: [2]int32{0, 0}},
		"values":                 {files: file("charts/web/values.yaml", "port: 8080\n"), want: [2]int32{1, 2}},
		"a values set":           {files: file("charts/web/ci/one-values.yaml", "port: 82\n"), want: [2]int32{1, 2}},
		"one values set more":    {files: file("charts/web/ci/two-values.yaml", "port: 82\n"), want: [2]int32{1, 3}},
		"a file's name":          {files: func(m map[string]string) { m["charts/web/deploy.md"] = ""; delete(m, "charts/web/deploy.txt") }, want: [2]int32{1, 2}},
		"a file's mode":          {files: func(m map[string]string) { m["charts/web/deploy.sh"] = ""; delete(m, "charts/web/deploy.txt") }, want: [2]int32{1, 2}},
		"a dependency":           {files: file("charts/lib/templates/_more.tpl", ""), want: [2]int32{1, 2}},
		"a dependency's version": {files: file("charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.1\ntype: library\n"), want: [2]int32{1, 2}},
		"a namesake":             {files: file("charts/other/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"), want: [2]int32{2, 3}},
		"the program":            {settings: settings{salt: "2"}, want: [2]int32{1, 2}},
		"the configuration":      {settings: settings{config: "strict"}, want: [2]int32{1, 2}},
		"the Kubernetes version": {settings: settings{change: func(s *lint.Subject) { s.Sets[1].Release.KubeVersion = "1.30.0" }}, want: [2]int32{1, 2}},
		"the API versions":       {settings: settings{change: func(s *lint.Subject) { s.Sets[1].Release.APIVersions = []string{"a/v1"} }}, want: [2]int32{1, 2}},
		"the release":            {settings: settings{change: func(s *lint.Subject) { s.Sets[0].Release.Namespace = "n" }}, want: [2]int32{1, 2}},
		"configured sets":        {settings: settings{change: func(s *lint.Subject) { s.Conventional = false }}, want: [2]int32{1, 2}},
		"a fault of a set":       {settings: settings{change: func(s *lint.Subject) { s.SetsErr = []finding.Finding{{Rule: "values", Message: "m"}} }}, want: [2]int32{1, 2}},
		"a stand-in":             {settings: settings{change: func(s *lint.Subject) { s.Resolved.Deps[0].StandIn = true }}, want: [2]int32{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			kept, c, changed := entries(), &counting{name: "c"}, files()
			runWeb(t, kept, changed, settings{}, c)
			c.calls()
			if test.files != nil {
				test.files(changed)
			}
			runWeb(t, kept, changed, test.settings, c)
			if got := c.calls(); got != test.want {
				t.Errorf("called %v times, want %v", got, test.want)
			}
		})
	}
}

// TestCacheNot has what is never remembered.
func TestCacheNot(t *testing.T) {
	broken := files()
	broken["charts/web/Chart.yaml"] += "- name: none\n  version: 1.0.0\n  repository: file://../none\n"
	recursive := files()
	recursive["charts/web/templates/b.yaml"] = "{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}"
	for name, test := range map[string]struct {
		files map[string]string
		check *counting
		want  [2]int32
	}{
		"a check that nobody said what it depends on": {files(), &counting{name: "uncached"}, [2]int32{1, 2}},
		"a check that failed":                         {files(), &counting{name: "c", err: errors.New("broken")}, [2]int32{1, 0}},
		"a check that was skipped":                    {files(), &counting{name: "c", err: &lint.SkipError{Reason: "no"}}, [2]int32{1, 0}},
		"dependencies that do not resolve":            {broken, &counting{name: "c"}, [2]int32{1, 0}},
		"a template that takes too long":              {recursive, &counting{name: "c"}, [2]int32{0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			kept := entries()
			runWeb(t, kept, maps.Clone(test.files), settings{}, test.check)
			test.check.calls()
			runWeb(t, kept, test.files, settings{}, test.check)
			if got := test.check.calls(); got != test.want {
				t.Errorf("called %v times in the second run, want %v", got, test.want)
			}
		})
	}
}

// TestCachePart remembers one check, and runs another beside it.
func TestCachePart(t *testing.T) {
	kept, one, two := entries(), &counting{name: "one"}, &counting{name: "two"}
	runWeb(t, kept, files(), settings{}, one)
	one.calls()
	both := runWeb(t, kept, files(), settings{}, one, two)
	if a, b := one.calls(), two.calls(); a != [2]int32{} || b != [2]int32{1, 2} {
		t.Errorf("called %v and %v times", a, b)
	}
	if n := len(both.Findings); n != 6 {
		t.Errorf("%d findings, want 6", n)
	}
	runWeb(t, kept, files(), settings{}, one, two)
	if a, b := one.calls(), two.calls(); a != [2]int32{} || b != [2]int32{} {
		t.Errorf("called %v and %v times although all is remembered", a, b)
	}
}
