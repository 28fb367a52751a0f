package deps

import (
	"context"
	"strconv"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/opencontainers/go-digest"
)

// Note is what it takes to tell what a chart's dependencies resolve to without loading any of
// them: what they resolved to once, and on what that depended. It says nothing about the
// chart's own files, nor about the mirrors and targets of the resolver.
type Note struct {
	Lock     LockState
	Unlocked []string
	Deps     []NotedDependency
}

// NotedDependency is a Dependency, and how to tell whether it would be the same again.
type NotedDependency struct {
	Name, Alias, Version, Constraint, Repository, From string
	Origin                                             Origin
	Digest                                             digest.Digest
	StandIn                                            bool
	Index                                              int

	Path string        // of a chart of the tree
	Tree digest.Digest // of its files
	Blob digest.Digest // of the archive that a repository gave for a range of versions, which is asked again
	Tied string        // the charts of the tree that would be taken instead
	Deps []NotedDependency
}

// Note makes the note of what Resolve returned. It is not ok for charts with dependencies that
// cannot be told without loading them.
func (r *Resolver) Note(ctx context.Context, res *Resolved) (n Note, ok bool) {
	n = Note{Lock: res.Lock, Unlocked: res.Unlocked}
	n.Deps, ok = r.note(ctx, res.Deps, res.Lock == LockMissing)
	return n, ok
}

func (r *Resolver) note(ctx context.Context, list []Dependency, ask bool) ([]NotedDependency, bool) {
	var out []NotedDependency
	for _, d := range list {
		n := NotedDependency{Name: d.Name, Alias: d.Alias, Version: d.Version, Constraint: d.Constraint, Repository: d.Repository, From: d.From,
			Origin: d.Origin, Digest: d.Digest, StandIn: d.StandIn, Index: d.Index, Tied: r.tied(d.Name, d.Repository)}
		var ok bool
		if n.Deps, ok = r.note(ctx, d.Deps, ask); !ok || d.Digest == "" {
			return nil, false
		}
		if _, alias := registry.TrimAlias(d.Repository); alias {
			return nil, false // what the name means is for the machine to say
		}
		switch {
		case d.Origin == OriginVendored:
		case d.Local != nil:
			n.Path, n.Tree = d.Local.Path, d.Local.Tree()
		case d.Origin != OriginOCI && d.Origin != OriginHTTP:
			return nil, false // the folder of a mirror
		case ask && !isExact(d.Constraint):
			got, err := r.ask(ctx, d.Name, d.Repository, d.Constraint)
			if err != nil {
				return nil, false
			}
			n.Blob = got.blob
		}
		out = append(out, n)
	}
	return out, true
}

// ask asks a repository what it has for a constraint now; equal questions are asked once.
func (r *Resolver) ask(ctx context.Context, name, repository, constraint string) (fetched, error) {
	to, err := r.place(step{name: name, repository: repository, url: repository})
	if err != nil {
		return fetched{}, err
	}
	q := query{repository: to.url, name: name, version: constraint}
	return r.fetches.do(ctx, q.key(), func(ctx context.Context) (fetched, error) { return r.fetch(ctx, q) })
}

// tied tells the charts of the tree by that name, where the tree is published to the repository.
func (r *Resolver) tied(name, repository string) string {
	if !r.isTarget(repository) {
		return ""
	}
	var all []string
	for _, c := range r.opt.Repo.Named(name) {
		all = append(all, c.Path+" "+c.Version()+" "+strconv.FormatBool(c.Err() == nil))
	}
	return "charts: " + strings.Join(all, ", ")
}

// Recall returns what Resolve would for a chart whose files are those that the note was made for,
// except that it has no charts to render: Helm and Files are not to be called. It is not
// ok where something may have changed.
func (r *Resolver) Recall(ctx context.Context, c *chart.Chart, n Note) (res *Resolved, ok bool) {
	res = &Resolved{Chart: c, Lock: n.Lock, Unlocked: n.Unlocked}
	res.Deps, ok = r.recallAll(ctx, &node{chart: c, fsys: r.opt.FS}, n.Deps, 0)
	return res, ok
}

func (r *Resolver) recallAll(ctx context.Context, at *node, list []NotedDependency, depth int) ([]Dependency, bool) {
	if depth > maxDepth {
		return nil, false
	}
	var out []Dependency
	for _, n := range list {
		d, ok := r.recallOne(ctx, at, n)
		if !ok {
			return nil, false
		}
		if d.Deps, ok = r.recallAll(ctx, at, n.Deps, depth+1); !ok {
			return nil, false
		}
		out = append(out, d)
	}
	return out, true
}

func (r *Resolver) recallOne(ctx context.Context, at *node, n NotedDependency) (Dependency, bool) {
	d := Dependency{Name: n.Name, Alias: n.Alias, Version: n.Version, Constraint: n.Constraint, Repository: n.Repository, From: n.From,
		Origin: n.Origin, Digest: n.Digest, StandIn: n.StandIn, Index: n.Index}
	if n.Tied != r.tied(n.Name, n.Repository) {
		return d, false
	}
	if n.Blob != "" {
		got, err := r.ask(ctx, n.Name, n.Repository, n.Constraint)
		return d, err == nil && got.blob == n.Blob
	}
	if n.Path == "" {
		return d, true
	}
	local, err := r.localChart(ctx, at, n.Path)
	if err != nil || local.Tree() != n.Tree {
		return d, false
	}
	d.Local = local
	return d, true
}
