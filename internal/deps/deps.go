// Package deps resolves the dependencies of charts: from the tree itself, from folders and archives in charts/, from file:// paths, OCI registries and
// HTTP repositories, through mirrors where there are any. It writes nothing into the tree: archives live in the store, charts in memory.
//
// The verdict is that of `helm dependency build` where there is a lock, and of `helm dependency update` where there is none. It differs on
// purpose where Helm's depends on the machine, or goes on with less than Chart.yaml says:
//
//   - An HTTP repository need not have been added with `helm repo add`.
//   - The dependencies of a file:// dependency are resolved too, where it does not carry them in its own charts/ folder; Helm packages it without.
//   - An archive that has another name or version than was asked for is an error, and so is one that differs from the digest in the index of its repository.
//   - A folder in charts/ gives way to the fetched dependency of the same name; Helm keeps both and renders either.
package deps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/store"
)

// Options say where dependencies may come from. A zero field means its default.
type Options struct {
	// Registry speaks to registries and chart repositories. Required unless nothing is fetched.
	Registry *registry.Client
	// Store keeps what was fetched; in memory if nil.
	Store *store.Store
	// Repo is the charts of this tree.
	Repo *chart.Repo
	// FS is the tree that the charts of Repo were loaded from: file:// leads into it. Without it, file:// finds the charts of Repo only.
	FS fs.FS
	// Dir is the folder on this machine that FS shows, where it shows one: relative folders of mirrors start there, and absolute file://
	// paths into it are understood.
	Dir string
	// Mirrors redirect repositories.
	Mirrors []Mirror
	// PublishTargets are where the charts of this tree are published to: a dependency on one of them that this tree has, comes from the tree.
	PublishTargets []string
	// Offline takes fetched charts from the store only, as they were when they were fetched.
	Offline bool
	// Parallel is how many requests go on at a time: 8.
	Parallel int
	// MaxParsed is how many bytes of parsed archives are kept for charts to come: 256 MiB.
	MaxParsed int64
	// MaxTotal is how large the files of all that one chart fetches may be together: 512 MiB.
	MaxTotal int64
	// Limits bound each archive, Chart each chart that file:// leads to.
	Limits archive.Limits
	Chart  chart.Limits
}

// Resolver resolves the dependencies of many charts and asks for each thing once. It is safe for use by several goroutines.
type Resolver struct {
	opt     Options
	targets []string
	slots   chan struct{} // one for each request that may go on

	fetches flight[fetched]
	tags    flight[[]string]
	locals  flight[*chart.Chart]
	parsed  parsedCharts

	mu      sync.Mutex
	folders map[string]*folder
}

// New makes a resolver. It fails for mirrors that cannot be.
func New(opt Options) (*Resolver, error) {
	if opt.Parallel <= 0 {
		opt.Parallel = 8
	}
	if opt.MaxParsed <= 0 {
		opt.MaxParsed = 256 << 20
	}
	if opt.MaxTotal <= 0 {
		opt.MaxTotal = 512 << 20
	}
	if opt.Store == nil {
		opt.Store = store.InMemory(store.Options{})
	}
	if opt.Repo == nil {
		opt.Repo = chart.NewRepo(nil)
	}
	for _, m := range opt.Mirrors {
		if err := m.check(); err != nil {
			return nil, err
		}
	}
	r := &Resolver{opt: opt, slots: make(chan struct{}, opt.Parallel), folders: map[string]*folder{}}
	r.parsed.max = opt.MaxParsed
	for _, t := range opt.PublishTargets {
		r.targets = append(r.targets, normalize(t))
	}
	return r, nil
}

// Close lets go of the folders of mirrors. The store and the registry client are the caller's.
func (r *Resolver) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, f := range r.folders {
		errs = append(errs, f.close())
	}
	clear(r.folders)
	return errors.Join(errs...)
}

const (
	// maxDepth bounds how far charts of the tree depend on one another, maxCharts how many of them one chart takes in and how many dependencies a chart
	// may name.
	maxDepth  = 32
	maxCharts = 1000
)

// node is a chart whose dependencies are being resolved.
type node struct {
	chart *chart.Chart
	fsys  fs.FS  // what file:// leads into, nil if nothing
	space string // tells the charts of a mirror's folder from those of the tree: "" or "FOLDER: "
	// above are the charts that led here, outermost first.
	above []*node
	// left is how much may still be taken in, shared by all nodes of a resolution.
	left *budget
}

// budget bounds one resolution: a small Chart.yaml can ask for very much.
type budget struct {
	charts, bytes atomic.Int64
	total         int64 // what bytes began with
}

func newBudget(total int64) *budget {
	b := &budget{total: total}
	b.charts.Store(maxCharts)
	b.bytes.Store(total)
	return b
}

// root is the chart that the resolution is for.
func (n *node) root() *node {
	if len(n.above) > 0 {
		return n.above[0]
	}
	return n
}

// admit counts fetched archives of that many bytes.
func (n *node) admit(size int64) error {
	if n.left.bytes.Add(-size) < 0 {
		return &fault{kind: KindArchive, err: fmt.Errorf("the dependencies of %s have more than %d bytes together", n.root().id(), n.left.total)}
	}
	return nil
}

func (n *node) id() string { return n.space + n.chart.Path }

// child is the node of a chart that n depends on. It fails if the chart leads back to itself, or too deep.
func (n *node) child(c *chart.Chart, fsys fs.FS, space string) (*node, error) {
	child := &node{chart: c, fsys: fsys, space: space, above: append(slices.Clone(n.above), n), left: n.left}
	for i, a := range child.above {
		if a.id() == child.id() {
			return nil, &cycleError{path: append(ids(child.above[i:]), child.id())}
		}
	}
	if len(child.above) > maxDepth {
		return nil, fmt.Errorf("more than %d charts depend on one another: %s", maxDepth, strings.Join(ids(child.above), " → "))
	}
	if n.left.charts.Add(-1) < 0 {
		return nil, fmt.Errorf("more than %d charts are taken in by %s", maxCharts, n.root().id())
	}
	return child, nil
}

func ids(nodes []*node) []string {
	var s []string
	for _, n := range nodes {
		s = append(s, n.id())
	}
	return s
}

// cycleError says that a chart depends on itself.
type cycleError struct{ path []string }

func (e *cycleError) Error() string {
	return "the chart depends on itself: " + strings.Join(e.path, " → ")
}

// Resolve resolves the dependencies of a chart of the tree. The error is Errors, with one *Error for each dependency that failed, unless ctx
// ended or the chart itself does not load.
func (r *Resolver) Resolve(ctx context.Context, c *chart.Chart) (*Resolved, error) {
	return r.resolve(ctx, &node{chart: c, fsys: r.opt.FS, left: newBudget(r.opt.MaxTotal)})
}

func (r *Resolver) resolve(ctx context.Context, n *node) (*Resolved, error) {
	if err := n.chart.Err(); err != nil {
		return nil, err
	}
	p, err := r.plan(n)
	if err != nil {
		return nil, err
	}
	results := make([]result, len(p.steps))
	var wg sync.WaitGroup
	for i, s := range p.steps {
		wg.Go(func() { results[i] = r.take(ctx, n, p, s) })
	}
	wg.Wait()
	var errs Errors
	for i, res := range results {
		if res.err != nil {
			errs = append(errs, p.steps[i].fail(res.err))
		}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("resolving the dependencies of %q: %w", n.id(), context.Cause(ctx))
	}
	if len(errs) > 0 {
		errs.sort()
		return nil, errs
	}
	return p.assemble(n, results), nil
}
