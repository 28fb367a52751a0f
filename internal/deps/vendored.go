package deps

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/chart"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// vendored is a chart in the charts/ folder of another.
type vendored struct {
	entry  string // the name of its folder or archive
	packed bool   // an archive
	chart  *helmchart.Chart
}

// vendoredCharts loads the charts in charts/, sorted by the names of their folders and archives. Helm passes over what starts with "_" or ".".
func vendoredCharts(c *chart.Chart, lim archive.Limits) ([]vendored, error) {
	inside := map[string][]archive.File{}
	for _, f := range c.Files() {
		rest, ok := strings.CutPrefix(f.Name, "charts/")
		if !ok || path.Ext(f.Name) == ".prov" {
			continue
		}
		entry, name, _ := strings.Cut(rest, "/")
		if !strings.HasPrefix(entry, "_") && !strings.HasPrefix(entry, ".") {
			inside[entry] = append(inside[entry], archive.File{Name: name, Data: f.Data})
		}
	}
	var all []vendored
	for entry, files := range inside {
		v := vendored{entry: entry, packed: path.Ext(entry) == ".tgz"}
		if v.packed {
			_, unpacked, err := archive.Read(bytes.NewReader(files[0].Data), lim)
			if err != nil {
				return nil, fmt.Errorf("reading charts/%s: %w", entry, err)
			}
			files = unpacked
		}
		helm, err := archive.Load(files, lim)
		if err != nil {
			return nil, fmt.Errorf("loading charts/%s: %w", entry, err)
		}
		v.chart = helm
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b vendored) int { return strings.Compare(a.entry, b.entry) })
	return all, nil
}

// dependency describes the chart in charts/ as a dependency; declared is nil if Chart.yaml does not name it.
func (v vendored) dependency(index int, declared *helmchart.Dependency) Dependency {
	d := Dependency{Name: v.chart.Name(), Version: v.chart.Metadata.Version, From: "charts/" + v.entry, Origin: OriginVendored, Index: index,
		graph: &graph{chart: v.chart}}
	if declared != nil {
		d.Alias, d.Constraint, d.Repository = declared.Alias, declared.Version, declared.Repository
	}
	d.Digest = digestOf(d.graph)
	return d
}

// satisfying finds the chart in charts/ that Helm would take for a dependency: of its name, with a version that its constraint allows.
func (p *plan) satisfying(name, constraint string) *vendored {
	c, err := semver.NewConstraint(constraint)
	if err != nil {
		return nil
	}
	for i, v := range p.vendored {
		version, err := semver.NewVersion(v.chart.Metadata.Version)
		if v.chart.Name() == name && err == nil && c.Check(version) {
			return &p.vendored[i]
		}
	}
	return nil
}

// takeVendored finds a dependency without a repository: Helm wants an unpacked folder of its name.
func (p *plan) takeVendored(s step) result {
	at := slices.IndexFunc(p.vendored, func(v vendored) bool { return v.entry == s.name && !v.packed })
	if at < 0 {
		return result{err: p.missingVendored(s)}
	}
	v := p.vendored[at]
	if v.chart.Name() != s.name {
		return result{err: &fault{kind: KindArchive, field: "name", err: fmt.Errorf("the chart in charts/%s is named %q", v.entry, v.chart.Name()),
			hint: "name the folder, the chart and the dependency alike"}}
	}
	if err := checkConstraint(s.version, v.chart.Metadata.Version); err != nil {
		return result{err: err}
	}
	return result{dep: v.dependency(s.index, s.declared), entry: v.entry}
}

func (p *plan) missingVendored(s step) error {
	f := &fault{kind: KindMissing, field: "repository", err: fmt.Errorf("it has no repository, and there is no folder charts/%s", s.name),
		hint: fmt.Sprintf("unpack the chart into charts/%s, or give the dependency a repository", s.name)}
	for _, v := range p.vendored {
		if v.packed && v.chart.Name() == s.name {
			f.err = fmt.Errorf("it has no repository, and charts/ has it as the archive %s only: without a repository, Helm wants a folder charts/%s", v.entry, s.name)
			f.hint = fmt.Sprintf("unpack the archive into charts/%s, or give the dependency a repository", s.name)
		}
	}
	if strings.ContainsAny(s.name, "/\\") {
		f.kind, f.field, f.err = KindLocation, "name", errors.New("its name has a slash")
		f.hint = ""
	}
	return f
}
