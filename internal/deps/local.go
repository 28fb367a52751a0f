package deps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
)

// takeFile finds a file:// dependency: a chart in a folder of the tree, as it stands.
func (r *Resolver) takeFile(ctx context.Context, n *node, s step) result {
	if _, err := parseConstraint(s.version); err != nil {
		return result{err: err}
	}
	dir, err := r.localDir(n, s.url)
	if err != nil {
		return result{err: err}
	}
	c, err := r.localChart(ctx, n, dir)
	if err != nil {
		return result{err: err}
	}
	if c.Name() != s.name {
		return result{err: &fault{kind: KindArchive, field: "name", err: fmt.Errorf("the chart in %s is named %q", dir, c.Name()), hint: "name the dependency like the chart"}}
	}
	switch err := checkConstraint(s.version, c.Version()); {
	case err != nil && s.locked:
		return result{err: &fault{kind: KindLock, field: "version", hint: "run `helm dependency update` and commit the lock",
			err: fmt.Errorf("the chart in %s has version %s, the lock has %s", dir, c.Version(), s.version)}}
	case err != nil:
		return result{err: err}
	}
	return r.takeLocal(ctx, n, s, c, local{fsys: n.fsys, space: n.space, origin: OriginFile, from: n.space + dir})
}

// localDir is the folder in the tree that a file:// URL means.
func (r *Resolver) localDir(n *node, url string) (string, error) {
	rel := strings.TrimPrefix(url, "file://")
	out := &fault{kind: KindLocation, field: "repository", err: fmt.Errorf("%q leads out of the repository", url),
		hint: "move the chart into the repository, or publish it and depend on what is published"}
	dir := path.Join(n.chart.Path, rel)
	if strings.HasPrefix(rel, "/") {
		if r.opt.Dir == "" || n.space != "" {
			return "", out
		}
		root, err := filepath.Abs(r.opt.Dir)
		if err != nil {
			return "", fmt.Errorf("finding the folder of the repository: %w", err)
		}
		inside, err := filepath.Rel(root, filepath.FromSlash(rel))
		if err != nil {
			return "", out
		}
		dir = filepath.ToSlash(inside)
	}
	if !fs.ValidPath(dir) {
		return "", out
	}
	return dir, nil
}

// localChart is the chart in a folder of the node's file system; each is loaded once.
func (r *Resolver) localChart(ctx context.Context, n *node, dir string) (*chart.Chart, error) {
	if n.space == "" {
		if c := r.opt.Repo.At(dir); c != nil {
			return c, loadError(c)
		}
	}
	missing := &fault{kind: KindMissing, field: "repository", err: fmt.Errorf("there is no folder %s in the repository", dir)}
	if n.fsys == nil {
		return nil, missing
	}
	info, err := fs.Stat(n.fsys, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missing
	case err != nil:
		return nil, &fault{kind: KindLocation, field: "repository", err: fmt.Errorf("reading %s: %w", dir, err)}
	case !info.IsDir():
		return nil, &fault{kind: KindLocation, field: "repository", err: fmt.Errorf("%s is a file, not the folder of a chart", dir)}
	}
	return r.locals.do(ctx, n.space+dir, func(context.Context) (*chart.Chart, error) {
		c := chart.Load(n.fsys, chart.Dir{Path: dir, Root: dir}, r.opt.Chart)
		return c, loadError(c)
	})
}

func loadError(c *chart.Chart) error {
	if err := c.Err(); err != nil {
		return &fault{kind: KindArchive, field: "repository", err: &notLoadedError{chart: c, err: err}, hint: err.Hint}
	}
	return nil
}

// notLoadedError says that a chart of the tree does not load, without the hint that the error's own text has.
type notLoadedError struct {
	chart *chart.Chart
	err   *chart.LoadError
}

func (e *notLoadedError) Error() string {
	return fmt.Sprintf("chart %q (%s) does not load: %s: %s", e.chart.Name(), e.chart.Path, e.err.File, e.err.Message)
}

func (e *notLoadedError) Unwrap() error { return e.err }

// takeTree finds a dependency among the charts of the tree, if its repository is one that the tree is published to. ok is false if it is not there.
func (r *Resolver) takeTree(ctx context.Context, n *node, s step) (res result, ok bool) {
	if n.space != "" || !r.isTarget(s.url) {
		return result{}, false
	}
	for _, c := range r.opt.Repo.Named(s.name) {
		if s.locked && !sameVersion(s.version, c.Version()) || checkConstraint(s.version, c.Version()) != nil {
			continue
		}
		if err := loadError(c); err != nil {
			return result{err: err}, true
		}
		return r.takeLocal(ctx, n, s, c, local{fsys: r.opt.FS, origin: OriginTree, from: c.Path}), true
	}
	return result{}, false
}

// isTarget reports whether charts of the tree are published to the repository.
func (r *Resolver) isTarget(url string) bool {
	for _, t := range r.targets {
		if normalize(url) == t {
			return true
		}
	}
	return false
}

// normalize makes two ways to write a repository equal.
func normalize(url string) string { return strings.TrimRight(url, "/") }

// local says where a chart that is a folder was found.
type local struct {
	fsys    fs.FS
	space   string
	origin  Origin
	from    string
	standIn bool
}

// takeLocal makes a dependency of a chart that is a folder, its own dependencies resolved.
func (r *Resolver) takeLocal(ctx context.Context, n *node, s step, c *chart.Chart, at local) result {
	child, err := n.child(c, at.fsys, at.space)
	if err != nil {
		return result{err: err}
	}
	found, err := r.resolve(ctx, child)
	if err != nil {
		return result{err: err}
	}
	d := s.dependency(c.Version(), at.from, at.origin, found.graph)
	d.Digest, d.Deps = digestOf(found.graph), found.Deps
	d.StandIn = at.standIn || len(found.StandIns()) > 0
	if at.space == "" {
		d.Local = c
	}
	return result{dep: d, entry: fmt.Sprintf("%s-%s.tgz", c.Name(), c.Version()), found: found}
}

// dependency describes what a step found.
func (s step) dependency(version, from string, origin Origin, g *graph) Dependency {
	d := Dependency{Name: s.name, Version: version, Constraint: s.constraint(), Repository: s.repository, From: from, Origin: origin, Index: s.index, graph: g}
	if s.declared != nil {
		d.Alias = s.declared.Alias
	}
	return d
}
