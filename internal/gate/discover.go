package gate

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/source"
	"golang.org/x/sync/errgroup"
)

// discover loads every chart of the repository and selects those to look at.
func (g *run) discover(ctx context.Context) error {
	globs := g.Config.Charts
	for _, only := range g.Only { // a chart's own path, wherever it lies
		if d, ok := chart.Identify(g.fsys, only); ok && !g.Touched && isDir(g, only) {
			globs = append(slices.Clone(globs), d.Path)
		}
	}
	dirs, err := chart.Discover(g.fsys, globs, g.Config.Exclude)
	if errors.Is(err, chart.ErrNoMatch) {
		return &UsageError{Err: err, Hint: "see charts: in chartgate.yaml"}
	}
	if err != nil {
		return &UsageError{Err: err}
	}
	charts := make([]*chart.Chart, len(dirs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(g.jobs())
	for i, d := range dirs {
		group.Go(func() error {
			charts[i] = chart.Load(g.fsys, d, chart.Limits{})
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	g.repo = chart.NewRepo(charts)
	return g.choose()
}

func isDir(g *run, name string) bool {
	info, err := g.root.Stat(name)
	return err == nil && info.IsDir()
}

// choose makes the subjects: all charts, or those that Only names.
func (g *run) choose() error {
	selected := map[*chart.Chart]bool{}
	for _, only := range g.Only {
		hits := g.match(only)
		if len(hits) == 0 && !g.Touched {
			return &UsageError{Err: fmt.Errorf("there is no chart %q", only), Hint: "give a chart's name, its folder or a file in it; chartgate list prints them"}
		}
		for _, c := range hits {
			selected[c] = true
		}
	}
	for name := range g.Config.ValuesSets {
		if len(g.repo.Named(name)) == 0 {
			return &UsageError{Err: fmt.Errorf("values-sets: there is no chart named %q", name)}
		}
	}
	for _, c := range g.repo.Charts {
		if len(g.Only) == 0 && !g.Touched || selected[c] {
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
		inside := clean == c.Root || strings.HasPrefix(clean, c.Root+"/") || c.Root == "."
		above := !g.Touched && (clean == "." || strings.HasPrefix(c.Root, clean+"/"))
		if inside || above {
			hits = append(hits, c)
		}
	}
	if len(hits) == 0 && !g.Touched {
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

// lineIndex finds the text of lines of charts' files.
type lineIndex map[string][]byte

func (x lineIndex) add(c *chart.Chart) {
	for _, e := range c.Entries() {
		x[path.Join(c.Root, e.Path)] = e.Data
	}
}

func (x lineIndex) text(file string, line int) string {
	if line == 0 {
		return ""
	}
	return source.Line(x[file], line)
}
