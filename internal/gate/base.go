package gate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/git"
	"github.com/chartgate/chartgate/internal/lint"
)

// findBase loads the charts of the revision that the tree is compared with,
// where a check wants to compare. That there is none is no error here but the
// reason why the check is skipped.
func (g *run) findBase(ctx context.Context) error {
	if !g.comparesVersions() {
		return nil
	}
	g.base = &lint.Base{Repo: chart.NewRepo(nil)}
	for _, s := range g.subjects {
		s.Base = g.base
	}
	err := g.loadBase(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, git.ErrNoParent):
		return nil // every chart is new
	case errors.Is(err, git.ErrNotRepository):
		g.base.Err = fmt.Errorf("%s is not in a git repository, so there is nothing to compare versions with: leave the check out by naming the others with --check", g.Root)
	case err != nil:
		g.base.Err = err
	}
	return nil
}

// comparesVersions reports whether a check wants to compare.
func (g *run) comparesVersions() bool {
	return !g.NoLint && g.needs(func(c lint.Check) bool { return c.Needs.Base })
}

func (g *run) loadBase(ctx context.Context) error {
	repo, err := git.Open(ctx, g.Root)
	if err != nil {
		return err
	}
	if g.Base != "" {
		g.base.Revision, err = repo.Resolve(ctx, g.Base)
		g.base.How = "--base"
	} else {
		g.base.Revision, g.base.How, err = git.Base(ctx, repo, g.Env)
	}
	if err != nil {
		return hinted(err)
	}
	below, err := filepath.Rel(repo.Root(), g.realRoot())
	if err != nil {
		return fmt.Errorf("finding %q in its git repository: %w", g.Root, err)
	}
	whole, err := repo.FS(ctx, g.base.Revision, ".")
	if err != nil {
		return err
	}
	g.closers = append(g.closers, whole) // charts are read from it when they are asked for
	tree, err := whole.Sub(filepath.ToSlash(below))
	if err != nil {
		return nil // the folder is newer than the base: so are its charts
	}
	var charts []*chart.Chart
	seen := map[string]bool{}
	load := func(d chart.Dir) {
		if !seen[d.Path] && ctx.Err() == nil {
			seen[d.Path] = true
			c := g.unchanged(g.memory.Load(tree, d, chart.Limits{}))
			if charts = append(charts, c); g.repo.At(c.Path) != c {
				c.Err()
				g.keepOrRelease(c)
			}
		}
	}
	dirs, err := chart.Discover(tree, g.Config.Charts, g.Config.Exclude)
	if err != nil && !errors.Is(err, chart.ErrNoMatch) {
		return err
	}
	for _, d := range dirs {
		load(d)
	}
	for _, c := range g.repo.Charts { // those that no glob finds, but an argument did
		if d, ok := chart.Identify(tree, c.Root); ok {
			load(d)
		}
	}
	g.base.Repo = chart.NewRepo(charts)
	return ctx.Err()
}

// unchanged gives the tree's own chart for one of the base that is the same.
func (g *run) unchanged(was *chart.Chart) *chart.Chart {
	if now := g.repo.At(was.Path); now != nil && now.Dir == was.Dir && now.Tree() == was.Tree() && now.Err() == nil {
		return now
	}
	return was
}

func (g *run) realRoot() string {
	if real, err := filepath.EvalSymlinks(g.Root); err == nil {
		return real
	}
	return g.Root
}

// hinted adds what mends a missing base to its error.
func hinted(err error) error {
	var none *git.NoBaseError
	if errors.As(err, &none) && none.Hint != "" {
		return fmt.Errorf("%w: %s", err, none.Hint)
	}
	return err
}
