package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/chartgate/chartgate/internal/cache"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/lint"
)

// memoryName names what is known of the files below the root, for the charts that are found there.
func (g *run) memoryName() string {
	root, err := filepath.Abs(g.realRoot())
	if err != nil {
		return ""
	}
	return "files " + cache.Sum(program(), root, fmt.Sprintf("%q %q", g.Config.Charts, g.Config.Exclude)).String()
}

// openMemory finds what is known of the files. It is of use on this machine alone, since
// it goes by what the file system says.
func (g *run) openMemory(ctx context.Context) {
	if data, ok := g.Cache.GetLocal(ctx, g.memoryName()); ok {
		g.memory, _ = chart.DecodeMemory(data)
	}
	if g.memory == nil {
		g.memory = chart.NewMemory()
	}
	g.memory.GitIDs = g.comparesVersions()
}

// saveMemory keeps what this run saw of the files.
func (g *run) saveMemory(ctx context.Context) {
	if g.Cache == nil {
		return
	}
	for _, c := range g.repo.Charts {
		g.memory.Note(c)
	}
	if g.base != nil && g.base.Repo != nil {
		for _, c := range g.base.Repo.Charts {
			g.memory.Note(c)
		}
	}
	if data, ok := g.memory.Encode(); ok {
		g.Cache.PutLocal(ctx, g.memoryName(), data)
	}
}

// resolveOne resolves the dependencies of one chart. Where all that the checks would find is
// remembered, it is enough to know what the dependencies are.
func (g *run) resolveOne(ctx context.Context, resolver *deps.Resolver, s *lint.Subject) {
	if s.Chart.Err() != nil {
		return
	}
	name := g.resolutionName(s.Chart)
	if name != "" {
		var note deps.Note
		if data, ok := g.Cache.Get(ctx, name); ok && json.Unmarshal(data, &note) == nil {
			if res, ok := resolver.Recall(ctx, s.Chart, note); ok {
				if s.Resolved = res; g.results.Complete(ctx, s, g.checks) {
					return
				}
				name = "" // it would be the same again
			}
		}
	}
	s.Resolved, s.ResolveErr = resolver.Resolve(ctx, s.Chart)
	if name == "" || s.ResolveErr != nil || s.Chart.Moved() {
		return
	}
	if note, ok := resolver.Note(ctx, s.Resolved); ok {
		if data, err := json.Marshal(note); err == nil {
			g.Cache.Put(ctx, name, data)
		}
	}
}

// prefetch brings what other runners know of the charts here.
func (g *run) prefetch(ctx context.Context) {
	if g.results == nil {
		return
	}
	var names []string
	for _, s := range g.subjects {
		if s.Chart.Err() == nil {
			names = append(names, g.results.RecordName(s))
			if name := g.resolutionName(s.Chart); name != "" {
				names = append(names, name)
			}
		}
	}
	g.Cache.Prefetch(ctx, names)
}

// resolutionName names what the dependencies of a chart resolved to; "" where that is not to be remembered.
func (g *run) resolutionName(c *chart.Chart) string {
	if g.results == nil || g.Whole {
		return ""
	}
	var parts []string
	for from, to := range g.Config.Mirrors {
		parts = append(parts, "mirror "+from+"="+to)
	}
	for _, t := range g.Targets {
		parts = append(parts, "target "+t)
	}
	slices.Sort(parts)
	return "resolution " + cache.Sum(append(parts, program(), c.Path, string(c.Tree()))...).String()
}
