package gate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/chartgate/chartgate/internal/lint"
	"github.com/opencontainers/go-digest"
)

// Shard is one of several runs that share the work.
type Shard struct {
	Index, Total int // from 1 to Total; both 0 for a run that does it all
}

// maxShards bounds how many runs may share the work.
const maxShards = 10_000

// ParseShard reads I/N.
func ParseShard(s string) (Shard, error) {
	index, total, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(total)
	switch {
	case !ok || err1 != nil || err2 != nil:
		return Shard{}, fmt.Errorf("%q is not I/N, such as 2/5", s)
	case n < 1 || n > maxShards:
		return Shard{}, fmt.Errorf("%q: from 1 to %d runs may share the work", s, maxShards)
	case i < 1 || i > n:
		return Shard{}, fmt.Errorf("%q: there is no run %d of %d", s, i, n)
	}
	return Shard{i, n}, nil
}

// Plan is how the charts were cut into shards. All runs of one pipeline make the
// same, or their results do not belong together.
type Plan struct {
	Shard
	Checks    []string
	Settings  string // digest of the configuration and of the base
	Durations string // digest of the durations that the cut is balanced by, "" if it is not
	Charts    []Planned
}

// Planned is one chart of a Plan, in the order of their paths.
type Planned struct {
	Path  string
	Tree  string // digest of the chart's files
	Shard int    // from 1
}

// cut leaves the charts of this run's shard.
func (g *run) cut(context.Context) error {
	if g.Shard.Total == 0 {
		return nil
	}
	settings, err := g.settings()
	if err != nil {
		return err
	}
	g.plan = &Plan{Shard: g.Shard, Settings: settings}
	for _, c := range g.checks {
		g.plan.Checks = append(g.plan.Checks, c.Name)
	}
	paths := make([]string, len(g.subjects))
	for i, s := range g.subjects {
		paths[i] = s.Chart.Path
	}
	shards, balanced := cutCharts(paths, g.Durations, g.Shard.Total)
	if balanced {
		g.plan.Durations = g.Durations.Digest()
	}
	for _, s := range g.subjects {
		g.plan.Charts = append(g.plan.Charts, Planned{s.Chart.Path, s.Chart.Tree().String(), shards[s.Chart.Path]})
	}
	g.subjects = slices.DeleteFunc(g.subjects, func(s *lint.Subject) bool { return shards[s.Chart.Path] != g.Shard.Index })
	return nil
}

// settings is a digest of what the verdict depends on besides charts and checks.
func (g *run) settings() (string, error) {
	cfg := *g.Config
	cfg.Jobs, cfg.Images, cfg.Checks = 0, nil, nil
	s := struct {
		Config  any
		Targets []string
		Base    string
	}{cfg, g.Targets, g.Options.Base}
	if g.base != nil {
		s.Base = g.base.Revision
	}
	data, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("planning shards: %w", err)
	}
	return digest.FromBytes(data).String(), nil
}

// cutCharts gives each chart the number of its shard, from 1: by how long they
// took, the longest first, each to the shard with the least to do; or by a hash of their
// paths where nothing is known of any of them. It does not depend on the order of the paths.
func cutCharts(paths []string, known Durations, total int) (shards map[string]int, balanced bool) {
	shards = make(map[string]int, len(paths))
	usual, ok := known.usual(paths)
	if !ok {
		for _, p := range paths {
			sum := sha256.Sum256([]byte(p))
			shards[p] = 1 + int(binary.BigEndian.Uint64(sum[:])%uint64(total))
		}
		return shards, false
	}
	sorted := slices.Clone(paths)
	time := func(p string) float64 {
		if d, ok := known[p]; ok {
			return d
		}
		return usual
	}
	slices.SortFunc(sorted, func(a, b string) int { return cmp.Or(cmp.Compare(time(b), time(a)), strings.Compare(a, b)) })
	load := make([]float64, total)
	count := make([]int, total)
	for _, p := range sorted {
		least := 0
		for i := range load {
			if cmp.Or(cmp.Compare(load[i], load[least]), cmp.Compare(count[i], count[least])) < 0 {
				least = i
			}
		}
		load[least] += time(p)
		count[least]++
		shards[p] = least + 1
	}
	return shards, true
}
