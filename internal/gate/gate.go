// Package gate is the use case that validate and publish share: discover,
// resolve, render, check, and judge by the team's policy.
package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/chartgate/chartgate/internal/cache"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/lint/checks"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/render"
	"github.com/chartgate/chartgate/internal/store"
	"github.com/chartgate/chartgate/internal/trace"
	"golang.org/x/sync/errgroup"
)

// Options are what a run is made of.
type Options struct {
	Root    string         // absolute path of the repository's root
	Config  *config.Config // from config.Load, with flags applied
	Checks  []string       // names; those of Config, or all, when empty
	Only    []string       // charts to look at, as names or paths below Root, or files of charts; all when empty
	Touched bool           // Only holds files, and those of no chart are nothing to complain of
	Base    string         // revision to compare with instead of the one that CI or git gives
	Changed bool           // only the charts that differ from the base, and what depends on them
	Since   string         // like Changed, with the commit where HEAD left this revision as the base
	Targets []string       // registry prefixes that this repository publishes to
	Env     func(string) string
	// ConfigFile is where Config was read from, relative to Root; the usual place when empty.
	ConfigFile string
	Shard      Shard     // the part of the charts to look at; all when zero
	Durations  Durations // what Shard is balanced by; may be nil
	Registry   *registry.Client
	Store      *store.Store
	// Cache keeps the results of checks; nil for none.
	Cache *cache.Cache
	// Whole says that the charts are needed with their dependencies, whatever the cache knows.
	Whole bool
	// NoLint loads and resolves, and runs no check.
	NoLint   bool
	Progress func(phase string, done, total int, what string) // may be nil; called from many goroutines
}

// Result is what a run found.
type Result struct {
	Repo     *chart.Repo
	Subjects []*lint.Subject // those selected, in the order of Repo
	Outcomes []lint.Outcome
	Findings []finding.Finding // sorted, with the policy's severities and fingerprints
	FailOn   finding.Severity
	// Selection is what changed, nil unless the options ask for it.
	Selection *Selection
	// Plan is how the charts were cut into shards, nil where they were not.
	Plan *Plan
}

// UsageError is a wrong argument or configuration: exit code 2.
type UsageError struct {
	Err  error
	Hint string
}

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Run validates the charts. Its error means that the configuration is wrong
// (*UsageError, *config.Error) or that chartgate failed; what is wrong with charts is in the Result.
func Run(ctx context.Context, opts Options) (*Result, error) {
	g, err := open(opts)
	if err != nil {
		return nil, err
	}
	defer g.close()
	g.asked = g.askGit(ctx)
	for _, phase := range []struct {
		name string
		run  func(context.Context) error
	}{{"discover", g.discover}, {"changes", g.narrow}, {"base", g.findBase}, {"shard", g.cut}, {"resolve", g.resolve}} {
		done := trace.Phase(ctx, phase.name)
		err := phase.run(ctx)
		done()
		if err != nil {
			return nil, err
		}
	}
	result := &Result{Repo: g.repo, Subjects: g.subjects, FailOn: g.failOn, Selection: g.selected, Plan: g.plan}
	if opts.NoLint {
		return result, nil
	}
	defer trace.Phase(ctx, "check")()
	report, err := lint.Run(ctx, g.subjects, g.checks, lint.Options{Jobs: g.jobs(), Engine: render.New(render.Options{Seed: seed}), Cache: g.results, Resolve: g.resolveAgain, Ended: g.ended, Progress: g.progress("checking")})
	if err != nil {
		return nil, err
	}
	result.Outcomes = report.Outcomes
	countCached(ctx, report.Outcomes)
	result.Findings = g.judge(report.Findings)
	g.saveMemory(ctx)
	return result, nil
}

// countCached tells a trace how much of the work was remembered.
func countCached(ctx context.Context, outcomes []lint.Outcome) {
	cached := 0
	for _, o := range outcomes {
		if o.State == lint.Cached {
			cached++
		}
	}
	trace.Count(ctx, "checks", len(outcomes))
	trace.Count(ctx, "cached", cached)
}

// seed makes what templates draw at random the same in every run.
const seed = "chartgate"

type run struct {
	Options
	root     *os.Root
	fsys     fs.FS
	checks   []lint.Check
	policy   finding.Policy
	failOn   finding.Severity
	repo     *chart.Repo
	subjects []*lint.Subject
	base     *lint.Base
	selected *Selection // what changed; nil where that was not asked
	plan     *Plan      // how the work is shared; nil where it is not

	yamlConfig *consulted
	results    *lint.Cache // nil for none
	memory     *chart.Memory
	budget     budget
	asked      <-chan baseTree // the answer about the base; nil once it was taken
	resolver   *deps.Resolver  // nil where nothing is rendered
	closers    []io.Closer     // what is read from until the end
}

func open(opts Options) (*run, error) {
	root, err := os.OpenRoot(opts.Root)
	if err != nil {
		return nil, fmt.Errorf("opening the repository: %w", err)
	}
	g := &run{Options: opts, root: root, fsys: root.FS()}
	if err := g.configure(); err != nil {
		root.Close()
		return nil, err
	}
	return g, nil
}

func (g *run) close() {
	if g.asked != nil {
		if b := <-g.asked; b.whole != nil {
			b.whole.Close()
		}
	}
	for _, c := range g.closers {
		c.Close()
	}
	g.root.Close()
}

func (g *run) configure() error {
	yamlConfig, err := g.yamllint()
	if err != nil {
		return err
	}
	all := checks.List(checks.Options{PublishTargets: g.Targets, YAMLLint: yamlConfig, MinScore: g.Config.Kubesec.MinScore})
	names := g.Checks
	if len(names) == 0 {
		names = g.Config.Checks
	}
	if g.checks, err = checks.Select(all, names); err != nil {
		return &UsageError{Err: err}
	}
	if g.failOn, err = finding.ParseSeverity(g.Config.FailOn); err != nil {
		return &UsageError{Err: err}
	}
	g.policy = finding.Policy{}
	for name, severity := range g.Config.Rules {
		if !knownRule(all, name) {
			return &UsageError{Err: fmt.Errorf("rules: there is no rule %q", name), Hint: "chartgate explain lists them"}
		}
		if g.policy[name], err = finding.ParseSeverity(severity); err != nil {
			return &UsageError{Err: err}
		}
	}
	return nil
}

func knownRule(all []lint.Check, name string) bool {
	for _, c := range all {
		if c.Name == name {
			return true
		}
	}
	_, _, ok := checks.Rule(all, name)
	return ok
}

func (g *run) jobs() int {
	if g.Config.Jobs > 0 {
		return g.Config.Jobs
	}
	return config.Default().Jobs
}

func (g *run) progress(phase string) func(done, total int, what string) {
	if g.Progress == nil {
		return nil
	}
	return func(done, total int, what string) { g.Progress(phase, done, total, what) }
}

// needs reports whether one of the checks to be run does.
func (g *run) needs(f func(lint.Check) bool) bool {
	for _, c := range g.checks {
		if f(c) {
			return true
		}
	}
	return false
}

// resolve resolves the dependencies of the charts that were selected.
func (g *run) resolve(ctx context.Context) error {
	g.remember()
	g.prefetch(ctx)
	if !g.NoLint && !g.Whole && !g.needs(func(c lint.Check) bool { return c.Render != nil }) {
		return nil
	}
	var mirrors []deps.Mirror
	for from, to := range g.Config.Mirrors {
		mirrors = append(mirrors, deps.Mirror{From: from, To: to})
	}
	resolver, err := deps.New(deps.Options{Registry: g.Registry, Store: g.Store, Repo: g.repo, FS: g.fsys, Dir: g.Root, Mirrors: mirrors, PublishTargets: g.Targets, Offline: g.Config.Offline})
	if err != nil {
		return &UsageError{Err: err}
	}
	g.resolver, g.closers = resolver, append(g.closers, resolver)
	return g.each(ctx, "resolving", g.subjects, func(ctx context.Context, s *lint.Subject) {
		g.resolveOne(ctx, resolver, s)
		g.sketch(s)
	})
}

// each runs f over the subjects, as many at once as there are jobs.
func (g *run) each(ctx context.Context, phase string, subjects []*lint.Subject, f func(context.Context, *lint.Subject)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(g.jobs())
	progress := g.progress(phase)
	done := make(chan struct{}, len(subjects))
	for _, s := range subjects {
		group.Go(func() error {
			job, end := trace.Job(ctx, s.Chart.Path, phase+" "+s.Chart.Path)
			f(job, s)
			end()
			done <- struct{}{}
			if progress != nil {
				progress(len(done), len(subjects), s.Chart.Path)
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// judge gives findings the severities of the policy and their fingerprints.
func (g *run) judge(found []finding.Finding) []finding.Finding {
	out := finding.Merge(g.policy.Apply(found))
	finding.Sort(out)
	finding.Fingerprint(out)
	return out
}

// Passed reports whether nothing fails the run.
func (r *Result) Passed() bool {
	for _, o := range r.Outcomes {
		if o.State == lint.Skipped || o.State == lint.Failed {
			return false
		}
	}
	return finding.Worst(r.Findings) < r.FailOn
}

// Broken reports whether a check itself failed: exit code 3.
func (r *Result) Broken() error {
	var errs []error
	for _, o := range r.Outcomes {
		if o.State == lint.Failed {
			errs = append(errs, fmt.Errorf("%s on %s: %s", o.Check, o.Chart, firstLine(o.Reason)))
		}
	}
	return errors.Join(errs...)
}

// Faults lists, by chart path, why a chart did not pass: "2 errors", or a check
// that could not run.
func (r *Result) Faults() map[string]string {
	faults := map[string]string{}
	for _, o := range r.Outcomes {
		if o.State == lint.Skipped || o.State == lint.Failed {
			faults[o.Chart] = fmt.Sprintf("%s %s: %s", o.Check, o.State, firstLine(o.Reason))
		}
	}
	counts := map[string]int{}
	for _, f := range r.Findings {
		if f.Severity >= r.FailOn {
			counts[f.Chart]++
		}
	}
	for path, n := range counts {
		faults[path] = fmt.Sprintf("%d findings fail it", n)
		if n == 1 {
			faults[path] = "1 finding fails it"
		}
	}
	return faults
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Discover loads the charts of the repository and checks nothing.
func Discover(ctx context.Context, opts Options) (*chart.Repo, error) {
	g, err := open(opts)
	if err != nil {
		return nil, err
	}
	defer g.close()
	if err := g.discover(ctx); err != nil {
		return nil, err
	}
	return g.repo, nil
}
