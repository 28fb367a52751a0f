package chart

import (
	"path"
	"slices"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
)

// Repo is all charts of one repository, sorted by Root. Read-only.
type Repo struct {
	Charts []*Chart
	byName map[string][]*Chart
	byPath map[string]*Chart
}

// NewRepo makes the graph of the charts.
func NewRepo(charts []*Chart) *Repo {
	r := &Repo{Charts: slices.Clone(charts), byName: map[string][]*Chart{}, byPath: map[string]*Chart{}}
	slices.SortFunc(r.Charts, func(a, b *Chart) int { return strings.Compare(a.Path, b.Path) })
	for _, c := range r.Charts {
		r.byName[c.Name()] = append(r.byName[c.Name()], c)
		r.byPath[c.Path] = c
	}
	return r
}

// Named returns the charts with that name; more than one only when two folders claim it.
func (r *Repo) Named(name string) []*Chart { return r.byName[name] }

// At returns the chart whose Chart.yaml lies in that folder, nil if none.
func (r *Repo) At(dir string) *Chart { return r.byPath[path.Clean(dir)] }

// Local returns the chart of this repository that a file:// dependency of c
// names, nil if it names none. ok says that the dependency is a file:// one.
func (r *Repo) Local(c *Chart, d *helmchart.Dependency) (local *Chart, ok bool) {
	rel, ok := strings.CutPrefix(d.Repository, "file://")
	if !ok {
		return nil, false
	}
	return r.At(path.Join(c.Path, rel)), true
}

// LocalDependencies are the charts of this repository that c refers to with
// file://, in the order of Chart.yaml, those of theirs included; each once. A cycle ends
// where it closes.
func (r *Repo) LocalDependencies(c *Chart) []*Chart {
	var out []*Chart
	var visit func(*Chart)
	visit = func(at *Chart) {
		m := at.Metadata()
		if m == nil {
			return
		}
		for _, d := range m.Dependencies {
			if d == nil {
				continue
			}
			if local, _ := r.Local(at, d); local != nil && local != c && !slices.Contains(out, local) {
				out = append(out, local)
				visit(local)
			}
		}
	}
	visit(c)
	return out
}
