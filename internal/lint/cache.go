package lint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/chartgate/chartgate/internal/cache"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/finding"
)

// Cache remembers the findings of checks, before any policy, from run to run. What is
// remembered is keyed by all that a check can see: the chart's files and their modes, its
// dependencies, the values set, the check's configuration and the program.
//
// Only checks that ran are remembered, and only on charts that load and whose
// dependencies resolve: what failed or was skipped may have had reasons outside of them.
// A nil Cache remembers nothing.
type Cache struct {
	entries *cache.Cache
	salt    string
	config  map[string]string

	mu    sync.Mutex
	known map[string]record // by the chart's key
}

// NewCache makes a Cache over entries. Salt tells programs apart that may find
// differently, config is what each check's verdict depends on beside the chart.
func NewCache(entries *cache.Cache, salt string, config map[string]string) *Cache {
	if entries == nil {
		return nil
	}
	return &Cache{entries: entries, salt: salt, config: config, known: map[string]record{}}
}

// Complete reports whether all that the checks would find on the subject is remembered, those
// left out that look neither at dependencies nor at manifests.
func (c *Cache) Complete(ctx context.Context, s *Subject, checks []Check) bool {
	r := c.recall(ctx, s, checks)
	for k, check := range checks {
		if (check.Render != nil || check.Needs.Resolved) && !r.covers(k) {
			return false
		}
	}
	return r != nil
}

// schema changes whenever what is kept, or what it is keyed by, does.
const schema = "1"

// recalled is what is remembered of one subject.
type recalled struct {
	chart *chart.Chart
	name  string     // of the chart's record among the entries
	keys  [][]string // check, then part: the key of its findings; nil for a check that is not cached
	known record
}

// recall finds what is remembered of a subject; nil if nothing can be.
func (c *Cache) recall(ctx context.Context, s *Subject, checks []Check) *recalled {
	if c == nil || s.Chart.Err() != nil || s.ResolveErr != nil || s.Resolved != nil && !identified(s.Resolved.Deps) {
		return nil
	}
	r := &recalled{chart: s.Chart, name: c.RecordName(s), keys: make([][]string, len(checks))}
	subject := subjectKey(s)
	for k, check := range checks {
		config, cached := c.config[check.Name]
		if !cached || missing(check.Needs, s) != "" || check.Needs.Base {
			continue
		}
		part := func(of string) string {
			return string(cache.Sum(schema, c.salt, check.Name, config, subject, of))
		}
		r.keys[k] = []string{part("chart")}
		for _, set := range s.rendered() {
			r.keys[k] = append(r.keys[k], part(setKey(set)))
		}
	}
	r.known = c.load(ctx, r.name)
	return r
}

// load reads the record of a chart once.
func (c *Cache) load(ctx context.Context, name string) record {
	c.mu.Lock()
	r, ok := c.known[name]
	c.mu.Unlock()
	if ok {
		return r
	}
	if data, ok := c.entries.Get(ctx, name); ok {
		if decoded, err := decodeRecord(data); err == nil {
			r = decoded
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[name] = r
	return r
}

// RecordName names what is remembered of a subject among the entries.
func (c *Cache) RecordName(s *Subject) string {
	return "findings " + cache.Sum(schema, c.salt, s.Chart.Path, string(s.Chart.Tree())).String()
}

// covers reports whether all parts of a check are remembered.
func (r *recalled) covers(check int) bool {
	if r == nil || r.keys[check] == nil {
		return false
	}
	for _, key := range r.keys[check] {
		if _, ok := r.known[key]; !ok {
			return false
		}
	}
	return true
}

// part returns what is remembered of one part of a check.
func (r *recalled) part(check, part int) ([]finding.Finding, bool) {
	if r == nil || r.keys[check] == nil {
		return nil, false
	}
	found, ok := r.known[r.keys[check][part]]
	return found, ok
}

// keep remembers the parts of a subject that ran in this run, together with those that
// were remembered before.
func (c *Cache) keep(ctx context.Context, r *recalled, slots [][]slot) {
	if c == nil || r == nil || r.chart.Moved() {
		return
	}
	now := record{}
	fresh := false
	for k, keys := range r.keys {
		for i, key := range keys {
			switch s := &slots[k][i]; {
			case s.outcome.State == Ran && !s.passing:
				now[key], fresh = s.findings, true
			case s.outcome.State == Cached:
				now[key] = s.findings
			}
		}
	}
	if !fresh {
		return
	}
	used := slices.Sorted(maps.Keys(now))
	for _, key := range slices.Sorted(maps.Keys(r.known)) {
		if _, ok := now[key]; !ok && len(used) < maxParts {
			now[key] = r.known[key]
			used = append(used, key)
		}
	}
	c.entries.Put(ctx, r.name, now.encode(used))
}

// subjectKey is a digest of what every check can see of a subject.
func subjectKey(s *Subject) string {
	parts := []string{s.Chart.Path, s.Chart.Root, s.Chart.Layout.String(), string(s.Chart.Tree()), strconv.FormatBool(s.Conventional)}
	for _, other := range s.Repo.Named(s.Chart.Name()) {
		parts = append(parts, "namesake", other.Path, strconv.FormatBool(other.Metadata() != nil))
	}
	for _, f := range s.SetsErr {
		parts = append(parts, "fault", string(appendFinding(nil, f)))
	}
	for _, set := range s.Sets {
		parts = append(parts, "set", setKey(set))
	}
	parts = append(parts, "unresolved")
	if r := s.Resolved; r != nil {
		parts = append(parts, "resolved", string(r.Lock), fmt.Sprintf("%q", r.Unlocked), dependenciesKey(r.Deps))
	}
	return string(cache.Sum(parts...))
}

// identified reports whether the content of all dependencies is known by a digest.
func identified(list []deps.Dependency) bool {
	return !slices.ContainsFunc(list, func(d deps.Dependency) bool {
		return d.Digest == "" && d.Local == nil || !identified(d.Deps)
	})
}

// dependenciesKey is a digest of dependencies and all that they depend on.
func dependenciesKey(list []deps.Dependency) string {
	var parts []string
	for _, d := range list {
		parts = append(parts, d.Name, d.Alias, d.Version, d.Constraint, d.Repository, d.From, string(d.Origin), string(d.Digest),
			strconv.FormatBool(d.StandIn), strconv.Itoa(d.Index), dependenciesKey(d.Deps))
		if d.Local != nil {
			parts = append(parts, "local", d.Local.Path, string(d.Local.Tree()))
		}
	}
	return string(cache.Sum(parts...))
}

// setKey is a digest of a values set and the cluster that it is rendered for.
func setKey(set chart.ValuesSet) string {
	r := set.Release
	parts := []string{set.Name, r.Name, r.Namespace, r.KubeVersion, fmt.Sprintf("%q", r.APIVersions), strconv.FormatBool(r.IsUpgrade)}
	for _, f := range set.Files {
		parts = append(parts, f.Path, string(f.Data))
	}
	return string(cache.Sum(parts...))
}
