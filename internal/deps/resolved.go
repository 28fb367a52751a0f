package deps

import (
	"slices"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/opencontainers/go-digest"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// LockState says how far the versions of the dependencies are settled.
type LockState string

// The lock states. A lock out of step is an error of Resolve.
const (
	LockInStep    LockState = "inStep"    // there is a lock, and it fits Chart.yaml
	LockMissing   LockState = "missing"   // there is none, and at least one version is a range: another day may give another chart
	LockExact     LockState = "exact"     // there is none, but every version of a fetched dependency is exact
	LockNotNeeded LockState = "notNeeded" // nothing is fetched: the commit settles everything
)

// Origin is the kind of place that a dependency came from.
type Origin string

// The origins. A stand-in says so apart from its origin.
const (
	OriginTree     Origin = "tree"     // a chart of this tree that is published to where the dependency names
	OriginVendored Origin = "vendored" // the chart's own charts/ folder
	OriginFile     Origin = "file"     // a folder named by file://, or by a mirror
	OriginOCI      Origin = "oci"
	OriginHTTP     Origin = "http"
)

// Dependency is one dependency of a chart, resolved.
type Dependency struct {
	Name       string
	Alias      string
	Version    string // of the chart that was found
	Constraint string // as written in Chart.yaml
	Repository string // as written in Chart.yaml
	// From is what was really asked: a URL, or a path.
	From   string
	Origin Origin
	// Digest is over the paths and bytes of the chart's files as they are packaged.
	Digest digest.Digest
	// StandIn says that the chart is not what its repository would give but something in its place. Those of its own dependencies count too.
	StandIn bool
	// Index is the place in the dependencies of Chart.yaml, -1 if it is not named there but lies in charts/.
	Index int
	// Local is the chart of the tree for the origins tree and file, nil for others.
	Local *chart.Chart
	// Deps are the dependency's own, where they were resolved rather than found inside of it.
	Deps []Dependency

	graph *graph
}

// Helm is the dependency's chart, a fresh graph each time.
func (d Dependency) Helm() *helmchart.Chart { return d.graph.build() }

// Resolved is a chart with its dependencies. It is immutable.
type Resolved struct {
	Chart *chart.Chart
	// Deps are the dependencies in the order of Chart.yaml, then what else lies in charts/.
	Deps []Dependency
	// Lock is the lock's state, that of local dependencies counted in.
	Lock LockState
	// Unlocked names the dependencies that are fetched by a range of versions without a lock: "redis (^1.0.0)", for those of a dependency "redis (^1.0.0) of charts/web".
	Unlocked []string

	graph *graph
}

// Helm is the chart with its dependencies in place, as `helm dependency build` leaves it. It is a fresh graph each time, since Helm mutates what it is given; only bytes
// of files are shared. The order of the dependencies is fixed: by name, then version.
func (r *Resolved) Helm() *helmchart.Chart { return r.graph.build() }

// Files are the files that would be published: what `helm package` writes after `helm dependency build`.
func (r *Resolved) Files() ([]archive.File, error) { return archive.FromChart(r.Helm()) }

// Sketch is what was resolved without the charts themselves: Helm and Files of it are not to be called.
func (r *Resolved) Sketch() *Resolved {
	out := *r
	out.Deps, out.graph = sketches(r.Deps), nil
	return &out
}

func sketches(list []Dependency) []Dependency {
	out := slices.Clone(list)
	for i := range out {
		out[i].Deps, out[i].graph = sketches(out[i].Deps), nil
	}
	return out
}

// Sketched reports whether the charts themselves are not there.
func (r *Resolved) Sketched() bool { return r.graph == nil }

// StandIns are the names of the dependencies that are, or contain, stand-ins.
func (r *Resolved) StandIns() []string {
	var names []string
	for _, d := range r.Deps {
		if d.StandIn {
			names = append(names, d.Name)
		}
	}
	return names
}

// graph is a chart with dependencies that are put in place for every caller anew. The chart itself, with what dependencies it has, is never changed.
type graph struct {
	chart *helmchart.Chart
	subs  []*graph
}

func (g *graph) build() *helmchart.Chart {
	c := chart.CloneHelm(g.chart)
	for _, s := range g.subs {
		c.AddDependency(s.build())
	}
	return c
}
