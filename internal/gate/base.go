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

// baseTree is what git says of the base.
type baseTree struct {
	revision, how string
	whole         *git.Tree // closed by whoever asked for it; nil beside an error
	tree          *git.Tree // the part of it that the root is; nil where the base has no such folder
	err           error
}

// askGit finds the base and lists it. That waits for git, and so goes on while files are read.
func (g *run) askGit(ctx context.Context) <-chan baseTree {
	if !g.comparesVersions() {
		return nil
	}
	answer := make(chan baseTree, 1)
	go func() {
		var b baseTree
		b.err = g.openBase(ctx, &b)
		answer <- b
	}()
	return answer
}

func (g *run) openBase(ctx context.Context, b *baseTree) error {
	repo, err := git.Open(ctx, g.Root)
	if err != nil {
		return err
	}
	if g.Base != "" {
		b.revision, err = repo.Resolve(ctx, g.Base)
		b.how = "--base"
	} else {
		b.revision, b.how, err = git.Base(ctx, repo, g.Env)
	}
	if err != nil {
		return hinted(err)
	}
	below, err := filepath.Rel(repo.Root(), g.realRoot())
	if err != nil {
		return fmt.Errorf("finding %q in its git repository: %w", g.Root, err)
	}
	if b.whole, err = repo.FS(ctx, b.revision, "."); err != nil {
		return err
	}
	if sub, err := b.whole.Sub(filepath.ToSlash(below)); err == nil {
		b.tree, _ = sub.(*git.Tree)
	}
	return nil
}

func (g *run) loadBase(ctx context.Context) error {
	b := <-g.asked
	g.asked = nil
	g.base.Revision, g.base.How = b.revision, b.how
	if b.whole != nil {
		g.closers = append(g.closers, b.whole) // charts are read from it when they are asked for
	}
	if b.err != nil || b.tree == nil { // a folder that is newer than the base: so are its charts
		return b.err
	}
	l := baseLoader{run: g, tree: b.tree, seen: map[string]bool{}}
	if !l.suffices(ctx) {
		if err := l.all(ctx); err != nil {
			return err
		}
	}
	g.base.Repo = chart.NewRepo(l.charts)
	return ctx.Err()
}

// baseLoader loads charts of the base.
type baseLoader struct {
	*run
	tree   *git.Tree
	seen   map[string]bool
	charts []*chart.Chart
}

func (l *baseLoader) load(ctx context.Context, d chart.Dir) *chart.Chart {
	if l.seen[d.Path] || ctx.Err() != nil {
		return nil
	}
	l.seen[d.Path] = true
	c := l.unchanged(l.memory.Load(l.tree, d, chart.Limits{}))
	if l.charts = append(l.charts, c); l.repo.At(c.Path) != c {
		c.Err()
		l.keepOrRelease(c)
	}
	return c
}

// suffices loads what the subjects are compared with, where each is at the base what and where it is now. Else
// a chart may have had another name or folder, and all of the base is looked at.
func (l *baseLoader) suffices(ctx context.Context) bool {
	for _, s := range l.subjects {
		for _, c := range append(l.repo.LocalDependencies(s.Chart), s.Chart) {
			d, ok := chart.Identify(l.tree, c.Root)
			if !ok || d != c.Dir {
				return false
			}
			if was := l.load(ctx, d); was != nil && (was.Err() != nil || was.Name() != c.Name()) {
				return false
			}
		}
	}
	return true
}

func (l *baseLoader) all(ctx context.Context) error {
	dirs, err := chart.Discover(l.tree, l.Config.Charts, l.Config.Exclude)
	if err != nil && !errors.Is(err, chart.ErrNoMatch) {
		return err
	}
	for _, d := range dirs {
		l.load(ctx, d)
	}
	for _, c := range l.repo.Charts { // those that no glob finds, but an argument did
		if d, ok := chart.Identify(l.tree, c.Root); ok {
			l.load(ctx, d)
		}
	}
	return nil
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
