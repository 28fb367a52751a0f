package gate

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/config"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// maxFolders bounds how many folders beside the repository's charts file:// may lead to.
const maxFolders = 1000

// node is a chart of the repository, or a folder that one of them depends on.
type node struct {
	chart   *chart.Chart // nil where there is none (any more)
	name    string
	path    string // what is published
	root    string // what belongs to it
	edges   []edge
	reasons []Reason
	// spreads says that what depends on the node is concerned as well.
	spreads bool
}

// edge leads from a chart to one that it depends on.
type edge struct {
	to      *node
	through string
}

// impact is the graph along which a change spreads.
type impact struct {
	*run
	files   fileSet
	was     *formerly // nil where only names of files are known
	nodes   []*node   // the repository's charts first
	charts  int       // how many of nodes those are
	byPath  map[string]*node
	byName  map[string][]named
	mirrors map[string]string // mirrors whose target is a folder of the repository
	config  []keyChange
}

// named is a chart under one of the names and versions that it has or had.
type named struct {
	*node
	version string // "" if it is not known
}

// impact finds the charts that changed files concern.
func (g *run) impact(ctx context.Context, files []string, was *formerly) ([]Affected, []Deleted, error) {
	im := &impact{run: g, files: newFileSet(files), was: was, byPath: map[string]*node{}, byName: map[string][]named{}, mirrors: map[string]string{}}
	if err := im.readConfig(); err != nil {
		return nil, nil, err
	}
	for _, c := range g.repo.Charts {
		im.add(&node{chart: c, name: c.Name(), path: c.Path, root: c.Root})
	}
	im.charts = len(im.nodes)
	deleted := im.former()
	im.nameNodes()
	for i := 0; i < len(im.nodes); i++ { // more are added on the way
		im.connect(im.nodes[i])
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	}
	for _, n := range im.nodes {
		im.own(n)
	}
	if err := im.configured(); err != nil {
		return nil, nil, err
	}
	im.spread()
	return im.affected(), deleted, ctx.Err()
}

func (im *impact) add(n *node) *node {
	if old := im.byPath[n.path]; old != nil {
		return old
	}
	im.byPath[n.path] = n
	im.nodes = append(im.nodes, n)
	return n
}

// nameNodes lists the charts by name, and by the one that they had before.
func (im *impact) nameNodes() {
	for _, n := range im.nodes {
		if n.chart == nil {
			continue
		}
		im.byName[n.name] = append(im.byName[n.name], named{n, n.chart.Version()})
		if !im.files.has(path.Join(n.path, "Chart.yaml")) {
			continue
		}
		name, version := n.name, ""
		if im.was != nil {
			if name, version = im.was.identity(n.path); name == "" {
				continue
			}
		}
		im.byName[name] = append(im.byName[name], named{n, version})
	}
}

// connect finds what a chart depends on: where file:// leads, charts that are
// taken from this repository since it publishes them, folders that stand in for a repository.
func (im *impact) connect(n *node) {
	if n.chart == nil || n.chart.Metadata() == nil {
		return
	}
	for _, d := range n.chart.Metadata().Dependencies {
		if d == nil {
			continue
		}
		if strings.HasPrefix(d.Repository, "file://") {
			if dir, ok := im.folder(n, strings.TrimPrefix(d.Repository, "file://")); ok {
				im.connectFolder(n, d.Name, dir, d.Repository)
			}
			continue
		}
		im.connectPublished(n, d)
		im.connectStandIn(n, d)
	}
}

// folder is the folder of the repository that the path of a file:// URL means.
func (im *impact) folder(n *node, name string) (string, bool) {
	dir := path.Join(n.path, name)
	if strings.HasPrefix(name, "/") {
		rel, err := filepath.Rel(im.Root, filepath.FromSlash(name))
		if err != nil {
			return "", false
		}
		dir = filepath.ToSlash(rel)
	}
	return dir, filepath.IsLocal(filepath.FromSlash(dir))
}

func (im *impact) connectFolder(n *node, name, dir, through string) {
	to := im.byPath[dir]
	if to == nil {
		if len(im.nodes)-im.charts >= maxFolders {
			return // far more than a chart may depend on: resolving says so
		}
		to = &node{name: name, path: dir, root: dir}
		if d, ok := chart.Identify(im.fsys, dir); ok {
			if c := im.memory.Load(im.fsys, chart.Dir{Path: dir, Root: dir, Layout: d.Layout}, chart.Limits{}); c.Metadata() != nil {
				to.chart = c
				im.keepOrRelease(c)
			}
		}
		im.add(to)
	}
	n.edges = append(n.edges, edge{to, through})
}

// connectPublished connects a chart with those of the repository that its
// dependency means, or meant before the change.
func (im *impact) connectPublished(n *node, d *helmchart.Dependency) {
	if !slices.ContainsFunc(im.Targets, func(t string) bool { return sameRepository(t, d.Repository) }) {
		return
	}
	for _, to := range im.byName[d.Name] {
		if to.node != n && allows(d.Version, to.version) && !slices.ContainsFunc(n.edges, func(e edge) bool { return e.to == to.node }) {
			n.edges = append(n.edges, edge{to.node, d.Repository})
		}
	}
}

func sameRepository(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// allows reports whether a constraint may choose a version. What cannot be read
// may: a chart too many is looked at rather than one too few.
func allows(constraint, version string) bool {
	c, err := semver.NewConstraint(constraint)
	if err != nil {
		return true
	}
	v, err := semver.NewVersion(version)
	return err != nil || c.Check(v)
}

// connectStandIn connects a chart with the folder that a mirror puts in the
// place of its dependency's repository: any of it that is named like the dependency.
func (im *impact) connectStandIn(n *node, d *helmchart.Dependency) {
	from := longestPrefix(im.mirrors, d.Repository)
	if from == "" {
		return
	}
	rest := strings.TrimPrefix(strings.TrimRight(d.Repository, "/"), strings.TrimRight(from, "/"))
	dir := path.Join(im.mirrors[from], rest)
	if !filepath.IsLocal(filepath.FromSlash(dir)) {
		return
	}
	im.connectFolder(n, d.Name, path.Join(dir, d.Name), d.Repository)
	for _, f := range im.files.in(dir) {
		below, _, _ := strings.Cut(strings.TrimPrefix(f, dir+"/"), "/")
		version, ok := strings.CutPrefix(below, d.Name+"-")
		if _, err := semver.NewVersion(strings.TrimSuffix(version, ".tgz")); ok && err == nil {
			im.connectFolder(n, d.Name, path.Join(dir, below), d.Repository)
		}
	}
}

// longestPrefix finds the longest key that a repository is or lies below.
func longestPrefix(mirrors map[string]string, repository string) string {
	best := ""
	for from := range mirrors {
		if under(repository, from) && len(from) > len(best) {
			best = from
		}
	}
	return best
}

// under reports whether a repository is the prefix or lies below it.
func under(repository, prefix string) bool {
	prefix = strings.TrimRight(prefix, "/")
	return sameRepository(repository, prefix) || strings.HasPrefix(repository, prefix+"/")
}

// folderMirrors are the mirrors to folders of the repository.
func (im *impact) folderMirrors(cfg *config.Config) {
	for from, to := range cfg.Mirrors {
		dir := strings.TrimPrefix(to, "file://")
		if strings.Contains(dir, "://") {
			continue
		}
		if dir, ok := im.folder(&node{path: "."}, dir); ok {
			im.mirrors[from] = dir
		}
	}
}

// spread follows the dependencies backwards from all that changed.
func (im *impact) spread() {
	dependents := map[*node][]*node{}
	for _, n := range im.nodes {
		for _, e := range n.edges {
			dependents[e.to] = append(dependents[e.to], n)
		}
	}
	var queue []*node
	for _, n := range im.nodes {
		if n.spreads {
			queue = append(queue, n)
		}
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, d := range dependents[n] {
			if !d.spreads {
				d.spreads = true
				queue = append(queue, d)
			}
		}
	}
}

// affected are the repository's charts with a reason.
func (im *impact) affected() []Affected {
	var out []Affected
	for _, n := range im.nodes[:im.charts] {
		reasons := n.reasons
		for _, e := range n.edges {
			if !e.to.spreads || e.to == n {
				continue
			}
			r := Reason{Kind: ReasonDependency, Name: e.to.name, Chart: e.to.path, Through: e.through}
			if im.repo.At(e.to.path) == nil {
				r.File, r.More = firstOf(e.to.reasons)
			}
			reasons = append(reasons, r)
		}
		if len(reasons) > 0 {
			out = append(out, Affected{n.chart, sortReasons(reasons)})
		}
	}
	return out
}

func firstOf(reasons []Reason) (string, int) {
	if len(reasons) == 0 {
		return "", 0
	}
	return reasons[0].File, reasons[0].More
}
