package gate

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/chartgate/chartgate/internal/trace"
	"golang.org/x/sync/errgroup"
)

// discover loads every chart of the repository and selects those to look at.
func (g *run) discover(ctx context.Context) error {
	dirs, err := chart.Discover(g.fsys, g.Config.Charts, g.Config.Exclude)
	if err != nil {
		return &UsageError{Err: err, Hint: "see charts: in chartgate.yaml"}
	}
	dirs = g.addNamed(dirs)
	g.openMemory(ctx)
	charts := make([]*chart.Chart, len(dirs))
	group, loading := errgroup.WithContext(ctx)
	group.SetLimit(g.jobs())
	for i, d := range dirs {
		group.Go(func() error {
			_, end := trace.Job(loading, d.Path, "loading "+d.Path)
			charts[i] = g.memory.Load(g.fsys, d, chart.Limits{})
			charts[i].Err() // parses what is not remembered
			g.keepOrRelease(charts[i])
			end()
			return loading.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	g.repo = chart.NewRepo(charts)
	if g.Touched {
		return g.chooseTouched(ctx)
	}
	return g.choose()
}

// addNamed adds the charts that an argument gives by their own path, wherever
// they lie.
func (g *run) addNamed(dirs []chart.Dir) []chart.Dir {
	for _, only := range g.Only {
		if info, err := g.root.Stat(only); err != nil || !info.IsDir() || g.Touched {
			continue
		}
		d, ok := chart.Identify(g.fsys, only)
		if ok && !slices.ContainsFunc(dirs, func(o chart.Dir) bool { return within(d.Root, o.Root) || within(o.Root, d.Root) }) {
			dirs = append(dirs, d)
		}
	}
	return dirs
}

// within reports whether a folder is dir or lies below it.
func within(folder, dir string) bool {
	return folder == dir || dir == "." || strings.HasPrefix(folder, dir+"/")
}

// choose makes the subjects: all charts, or those that Only names.
func (g *run) choose() error {
	selected := map[*chart.Chart]bool{}
	for _, only := range g.Only {
		hits := g.match(only)
		if len(hits) == 0 {
			return &UsageError{Err: fmt.Errorf("there is no chart %q", only), Hint: "give a chart's name, its folder or a file in it; chartgate list prints them"}
		}
		for _, c := range hits {
			selected[c] = true
		}
	}
	return g.subjectsOf(func(c *chart.Chart) bool { return len(g.Only) == 0 || selected[c] })
}

// chooseTouched makes the subjects of the charts that files concern.
func (g *run) chooseTouched(ctx context.Context) error {
	affected, _, err := g.impact(ctx, g.Only, nil)
	if err != nil {
		return err
	}
	selected := map[*chart.Chart]bool{}
	for _, a := range affected {
		selected[a.Chart] = true
	}
	return g.subjectsOf(func(c *chart.Chart) bool { return selected[c] })
}

func (g *run) subjectsOf(selected func(*chart.Chart) bool) error {
	for name := range g.Config.ValuesSets {
		if len(g.repo.Named(name)) == 0 {
			return &UsageError{Err: fmt.Errorf("values-sets: there is no chart named %q", name)}
		}
	}
	for _, c := range g.repo.Charts {
		if selected(c) {
			g.subjects = append(g.subjects, g.subject(c))
		}
	}
	return nil
}

// match finds the charts that an argument means: a name, a folder, a folder
// above charts, or a file of a chart.
func (g *run) match(arg string) []*chart.Chart {
	clean := path.Clean(arg)
	var hits []*chart.Chart
	for _, c := range g.repo.Charts {
		if within(clean, c.Root) || within(c.Root, clean) {
			hits = append(hits, c)
		}
	}
	if len(hits) == 0 {
		hits = g.repo.Named(arg)
	}
	return hits
}

func (g *run) subject(c *chart.Chart) *lint.Subject {
	s := &lint.Subject{Chart: c, Repo: g.repo, Conventional: true}
	sets, ok := g.Config.ValuesSets[c.Name()]
	if !ok {
		s.Sets = c.ValuesSets()
	}
	s.Conventional = !ok
	for _, set := range sets {
		v := chart.ValuesSet{Name: set.Name, Release: chart.ReleaseOptions{
			Name: set.Release, Namespace: set.Namespace, KubeVersion: set.KubeVersion, APIVersions: set.APIVersions}}
		for _, name := range set.Files {
			e, ok := c.Entry(path.Clean(name))
			if !ok {
				s.SetsErr = append(s.SetsErr, finding.Finding{Rule: "values", Severity: finding.Error, File: path.Join(c.Root, name), Values: []string{set.Name},
					Message: fmt.Sprintf("values set %q of %s names a file that is not there", set.Name, config.FileName), Hint: "files are relative to " + c.Root})
				continue
			}
			v.Files = append(v.Files, source.File{Path: path.Join(c.Root, e.Path), Data: e.Data})
		}
		s.Sets = append(s.Sets, v)
	}
	for i := range s.Sets {
		if s.Sets[i].Release.KubeVersion == "" {
			s.Sets[i].Release.KubeVersion = g.Config.KubeVersion
		}
	}
	return s
}
