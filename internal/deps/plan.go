package deps

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// plan is what is to be done for one chart.
type plan struct {
	base     *helmchart.Chart // without its dependencies
	vendored []vendored
	steps    []step
	lock     LockState
	unlocked []string
	// builds says that charts/ is made anew as `helm dependency build` makes it, rather than completed.
	builds bool
}

// step is one dependency to be found.
type step struct {
	index      int                   // in Chart.yaml, -1 if only the lock has it
	declared   *helmchart.Dependency // nil if only the lock has it
	file       string                // that declares it
	name       string
	repository string // as written
	url        string // with a name of a repository replaced by its URL
	version    string // the lock's if there is one, else the constraint
	locked     bool
	present    *vendored // set if it is there already
	err        error     // why it cannot even be tried
}

// constraint is what the chart asks for.
func (s step) constraint() string {
	if s.declared != nil {
		return s.declared.Version
	}
	return s.version
}

// fetched reports whether the dependency comes from a repository, so that its version matters.
func (s step) fetched() bool {
	return s.url != "" && !strings.HasPrefix(s.url, "file://") && s.present == nil
}

// plan decides what has to be found for a chart, and where. The error is Errors.
func (r *Resolver) plan(n *node) (*plan, error) {
	helm := n.chart.Helm()
	p := &plan{base: helm, lock: LockNotNeeded}
	helm.SetDependencies()
	var err error
	if p.vendored, err = vendoredCharts(n.chart, r.opt.Limits); err != nil {
		return nil, Errors{{Kind: KindArchive, File: "charts", Index: -1, Err: err}}
	}
	md, lock := helm.Metadata, helm.Lock
	if md.Dependencies == nil && lock == nil {
		return p, nil // Helm does not touch charts/ then
	}
	p.builds = len(n.above) == 0
	if n := max(len(md.Dependencies), lockLength(lock)); n > maxCharts {
		return nil, Errors{{Kind: KindVersion, File: "Chart.yaml", Index: -1, Err: fmt.Errorf("it has %d dependencies, and %d are allowed", n, maxCharts)}}
	}
	urls, missing := r.withURLs(md.Dependencies)
	lockErr := error(nil)
	if lock != nil && len(missing) == 0 {
		lockErr = checkLock(md, urls, lock)
	}
	if p.builds && lockErr != nil {
		return nil, Errors{lockError(md, lockErr)}
	}
	_, from := lockFiles(md)
	p.steps = declaredSteps(md.Dependencies, urls, missing, from)
	switch {
	case p.builds && lock != nil && len(missing) == 0:
		p.steps = r.lockedSteps(p.steps, lock.Dependencies, from)
		p.lock = LockInStep
	case !p.builds:
		p.complete(md, lock, lockErr)
	}
	if p.lock != LockInStep {
		p.settle()
	}
	return p, nil
}

func lockLength(lock *helmchart.Lock) int {
	if lock == nil {
		return 0
	}
	return len(lock.Dependencies)
}

func lockError(md *helmchart.Metadata, err error) *Error {
	file, from := lockFiles(md)
	return &Error{Kind: KindLock, File: file, Index: -1, Err: err,
		Hint: fmt.Sprintf("run `helm dependency update` and commit %s, or undo the change to %s", file, from)}
}

// declaredSteps are the steps of a chart without a lock.
func declaredSteps(req, urls []*helmchart.Dependency, missing map[int]error, file string) []step {
	var steps []step
	for i, d := range req {
		if d == nil {
			continue
		}
		steps = append(steps, step{index: i, declared: d, file: file, name: d.Name, repository: d.Repository, url: urls[i].Repository,
			version: d.Version, err: missing[i]})
	}
	return steps
}

// lockedSteps are the steps of a chart with a lock: it is the lock that Helm goes by, Chart.yaml gives the places to point at.
func (r *Resolver) lockedSteps(declared []step, locked []*helmchart.Dependency, file string) []step {
	urls, missing := r.withURLs(locked)
	free := slices.Clone(declared)
	var steps []step
	for i, d := range locked {
		s := step{index: -1, file: file, name: d.Name, repository: d.Repository}
		// As a rule, the two lists go side by side.
		at := slices.IndexFunc(free, func(f step) bool { return f.name == d.Name && f.url == urls[i].Repository })
		if at < 0 {
			at = slices.IndexFunc(free, func(f step) bool { return f.name == d.Name })
		}
		if at >= 0 {
			s = free[at]
			free = slices.Delete(free, at, at+1)
		}
		s.url, s.version, s.locked, s.err = urls[i].Repository, d.Version, true, missing[i]
		steps = append(steps, s)
	}
	return steps
}

// complete plans for a chart that another depends on: it is packaged as it stands, what its charts/ has is taken from there, and only the rest is found.
func (p *plan) complete(md *helmchart.Metadata, lock *helmchart.Lock, lockErr error) {
	for i := range p.steps {
		s := &p.steps[i]
		if s.present = p.satisfying(s.name, s.version); s.present != nil {
			s.err = nil
			continue
		}
		switch {
		case lock == nil || s.err != nil:
		case lockErr != nil:
			_, from := lockFiles(md)
			s.err = &fault{kind: KindLock, err: lockErr, hint: "run `helm dependency update` for that chart and commit its lock, or undo the change to its " + from}
		case s.index < len(lock.Dependencies) && lock.Dependencies[s.index].Name == s.name:
			s.version, s.locked = lock.Dependencies[s.index].Version, true
		}
	}
}

// settle finds the lock's state where there is no lock, or where only a part of it was needed.
func (p *plan) settle() {
	for _, s := range p.steps {
		switch {
		case !s.fetched():
		case s.locked:
			p.lock = worse(p.lock, LockInStep)
		case isExact(s.version):
			p.lock = worse(p.lock, LockExact)
		default:
			p.lock = LockMissing
			p.unlocked = append(p.unlocked, fmt.Sprintf("%s (%s)", s.name, s.version))
		}
	}
}

// worse is the state of two charts together.
func worse(a, b LockState) LockState {
	order := []LockState{LockNotNeeded, LockInStep, LockExact, LockMissing}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// isExact reports whether a constraint names one version.
func isExact(version string) bool {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v"))
	return err == nil
}

// result is what a step found.
type result struct {
	dep   Dependency
	entry string // what it is called in charts/: two dependencies with the same entry are the same chart
	found *Resolved
	err   error
}

// assemble puts the chart and what was found together. Where charts/ is made anew, archives that lie there go, except for those of dependencies
// without a repository, and folders stay; what was fetched goes before a folder with a chart of the same name.
func (p *plan) assemble(n *node, results []result) *Resolved {
	out := &Resolved{Chart: n.chart, Lock: p.lock, Unlocked: p.unlocked, graph: &graph{chart: p.base}}
	entries := map[string]*graph{}
	taken := map[string]bool{} // names of charts that were found elsewhere
	used := map[string]bool{}  // folders and archives in charts/ that a dependency names
	for _, res := range results {
		d := res.dep
		out.Deps = append(out.Deps, d)
		entries[res.entry] = d.graph
		if d.Origin == OriginVendored {
			used[res.entry] = true
			continue
		}
		taken[d.Name] = true
		if res.found != nil {
			out.Lock = worse(out.Lock, res.found.Lock)
			for _, u := range res.found.Unlocked {
				out.Unlocked = append(out.Unlocked, u+" of "+res.found.Chart.Path)
			}
		}
	}
	for _, v := range p.vendored {
		if used[v.entry] || p.builds && (v.packed && !p.isLocal(v.chart.Name()) || taken[v.chart.Name()]) {
			continue
		}
		d := v.dependency(-1, nil)
		out.Deps = append(out.Deps, d)
		entries[v.entry] = d.graph
	}
	out.graph.subs = inOrder(entries)
	sortDeps(out.Deps)
	return out
}

// isLocal reports whether a dependency without a repository has that name.
func (p *plan) isLocal(name string) bool {
	return slices.ContainsFunc(p.steps, func(s step) bool { return s.url == "" && s.name == name })
}

func inOrder(entries map[string]*graph) []*graph {
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, y := entries[a].chart.Metadata, entries[b].chart.Metadata
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Version, y.Version), cmp.Compare(a, b))
	})
	var gs []*graph
	for _, name := range names {
		gs = append(gs, entries[name])
	}
	return gs
}

// sortDeps puts dependencies in the order of Chart.yaml, what it does not name last.
func sortDeps(deps []Dependency) {
	slices.SortStableFunc(deps, func(a, b Dependency) int {
		if (a.Index < 0) != (b.Index < 0) {
			return cmp.Compare(b.Index, a.Index)
		}
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Name, b.Name), cmp.Compare(a.From, b.From))
	})
}
