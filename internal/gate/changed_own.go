package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/git"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// own finds the reasons that a node's own files are.
func (im *impact) own(n *node) {
	hits := im.files.in(n.root)
	sets := map[string]string{}
	if len(hits) > 0 {
		sets = valuesFiles(im.run, n)
	}
	plain := Reason{Kind: ReasonFile}
	for _, f := range hits {
		if within(f, n.path) || within(n.path, f) {
			n.spreads = true
		}
		if set, ok := sets[f]; ok {
			n.reasons = append(n.reasons, Reason{Kind: ReasonValues, File: f, Values: set})
			continue
		}
		if plain.File == "" {
			plain.File = f
		} else {
			plain.More++
		}
	}
	if plain.File != "" {
		n.reasons = append(n.reasons, plain)
	}
	for _, p := range links(im.Root, n.root) {
		if hits := im.files.in(p.path); len(hits) > 0 && !within(p.path, n.root) {
			n.reasons = append(n.reasons, Reason{Kind: ReasonLink, File: hits[0], More: len(hits) - 1, Link: p.link})
			n.spreads = true
		}
	}
}

// valuesFiles are the files that the values sets of a chart are made of, with
// the name of the first set.
func valuesFiles(g *run, n *node) map[string]string {
	out := map[string]string{}
	if n.chart == nil {
		return out
	}
	for _, s := range g.subject(n.chart).Sets {
		for _, f := range s.Files {
			if _, ok := out[f.Path]; !ok {
				out[f.Path] = s.Name
			}
		}
	}
	return out
}

// formerly is the repository as it was.
type formerly struct {
	fsys  fs.FS
	cfg   *config.Config // nil if it could not be read
	paths []chart.Dir
}

// formerly reads the base: below is the root's place in the git repository. Nothing
// is there where the root is newer.
func (g *run) formerly(whole *git.Tree, below string) (*formerly, error) {
	tree, err := whole.Sub(below)
	if err != nil {
		return &formerly{cfg: config.Default()}, nil
	}
	was := &formerly{fsys: tree}
	if was.cfg, err = fileConfig(tree, g.configFile()); err != nil {
		was.cfg = nil
	}
	now, err := fileConfig(g.fsys, g.configFile())
	if err != nil {
		return nil, err
	}
	globs, exclude := g.Config.Charts, g.Config.Exclude // flags and variables count for the base too
	if was.cfg != nil && !slices.Equal(was.cfg.Charts, now.Charts) {
		globs = was.cfg.Charts
	}
	if was.cfg != nil && !slices.Equal(was.cfg.Exclude, now.Exclude) {
		exclude = was.cfg.Exclude
	}
	was.paths, err = chart.Discover(tree, globs, exclude)
	if err != nil && !errors.Is(err, chart.ErrNoMatch) {
		return nil, fmt.Errorf("finding the charts of the base: %w", err)
	}
	return was, nil
}

// fileConfig is what the configuration's file says, without flags and variables.
func fileConfig(fsys fs.FS, name string) (*config.Config, error) {
	data, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return config.Default(), nil
	} else if err != nil {
		return nil, fmt.Errorf("reading configuration %q: %w", name, err)
	}
	return config.Parse(data, name)
}

func (g *run) configFile() string {
	if g.ConfigFile != "" {
		return path.Clean(g.ConfigFile)
	}
	return config.FileName
}

// maxMetadata bounds a Chart.yaml of the base, in bytes.
const maxMetadata = 1 << 20

// identity is the name and the version that the chart in a folder had; "" if
// there was none.
func (w *formerly) identity(dir string) (name, version string) {
	if w.fsys == nil {
		return "", ""
	}
	file := path.Join(dir, "Chart.yaml")
	if info, err := fs.Stat(w.fsys, file); err != nil || info.Size() > maxMetadata {
		return "", ""
	}
	data, err := fs.ReadFile(w.fsys, file)
	var m helmchart.Metadata
	if err != nil || yaml.Unmarshal(data, &m) != nil {
		return "", ""
	}
	return m.Name, m.Version
}

// former adds the charts that the repository had and has not: deleted ones, and
// those that the configuration no longer counts in. What depends on them is concerned.
func (im *impact) former() []Deleted {
	if im.was == nil {
		return nil
	}
	var deleted []Deleted
	for _, d := range im.was.paths {
		if im.repo.At(d.Path) != nil {
			continue
		}
		name, version := im.was.identity(d.Path)
		n := im.add(&node{name: name, path: d.Path, root: d.Root, spreads: true})
		if name != "" {
			im.byName[name] = append(im.byName[name], named{n, version})
		}
		moved := slices.ContainsFunc(im.repo.Charts, func(c *chart.Chart) bool { return c.Root == d.Root }) // to the other layout
		if _, err := fs.Stat(im.fsys, path.Join(d.Path, "Chart.yaml")); err != nil && !moved {
			if name == "" {
				name = path.Base(d.Root)
			}
			deleted = append(deleted, Deleted{name, d.Path, version})
		}
	}
	slices.SortFunc(deleted, func(a, b Deleted) int { return strings.Compare(a.Path, b.Path) })
	return deleted
}
