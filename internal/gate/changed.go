package gate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/git"
	"github.com/chartgate/chartgate/internal/lint"
)

// Selection says which charts of the repository a change concerns, and why.
type Selection struct {
	Base     string     // the commit that is compared with; "" if there is no earlier one, so that everything is new
	How      string     // where Base comes from, for people
	Files    []string   // that differ, relative to the root, sorted; those beside the root begin with ../
	Total    int        // charts in the repository
	Affected []Affected // sorted by path
	Deleted  []Deleted  // sorted by path
}

// Affected is a chart that the change concerns.
type Affected struct {
	Chart   *chart.Chart
	Reasons []Reason // at least one
}

// Deleted is a chart that the base has and the tree has not. That is no fault.
type Deleted struct{ Name, Path, Version string }

// narrow leaves those of the charts that a change concerns.
func (g *run) narrow(ctx context.Context) error {
	if !g.Changed && g.Since == "" {
		return nil
	}
	s, err := g.selection(ctx)
	if err != nil {
		return err
	}
	g.selected = s
	affected := map[*chart.Chart]bool{}
	for _, a := range s.Affected {
		affected[a.Chart] = true
	}
	g.subjects = slices.DeleteFunc(g.subjects, func(s *lint.Subject) bool { return !affected[s.Chart] })
	return nil
}

// selection compares the tree with its base.
func (g *run) selection(ctx context.Context) (*Selection, error) {
	repo, err := git.Open(ctx, g.Root)
	if errors.Is(err, git.ErrNotRepository) {
		return nil, &UsageError{Err: fmt.Errorf("%s is not in a git repository, so it cannot be told what changed", g.Root), Hint: "leave --changed out"}
	} else if err != nil {
		return nil, err
	}
	s := &Selection{Total: len(g.repo.Charts)}
	err = g.changeBase(ctx, repo, s)
	switch {
	case errors.Is(err, git.ErrNoParent):
		s.How = "there is no earlier commit"
		for _, c := range g.repo.Charts {
			s.Affected = append(s.Affected, Affected{c, []Reason{{Kind: ReasonNew}}})
		}
		return s, nil
	case err != nil:
		return nil, err
	}
	below, err := filepath.Rel(repo.Root(), g.realRoot())
	if err != nil {
		return nil, fmt.Errorf("finding %q in its git repository: %w", g.Root, err)
	}
	if s.Files, err = g.changedFiles(ctx, repo, s.Base, below); err != nil || len(s.Files) == 0 {
		return s, err
	}
	whole, err := repo.FS(ctx, s.Base, ".")
	if err != nil {
		return nil, err
	}
	defer whole.Close()
	was, err := g.formerly(whole, filepath.ToSlash(below))
	if err != nil {
		return nil, err
	}
	s.Affected, s.Deleted, err = g.impact(ctx, s.Files, was)
	return s, err
}

// changeBase finds the commit to compare with: that of --changed-since, of
// --base, or the one that CI or git gives. A base that this clone lacks is a *UsageError.
func (g *run) changeBase(ctx context.Context, repo *git.Repo, s *Selection) (err error) {
	switch {
	case g.Since != "":
		s.How = "--changed-since " + g.Since
		s.Base, err = sinceBase(ctx, repo, g.Since)
	case g.Base != "":
		s.How = "--base"
		s.Base, err = repo.Resolve(ctx, g.Base)
	default:
		s.Base, s.How, err = git.Base(ctx, repo, g.Env)
	}
	if err == nil || errors.Is(err, git.ErrNoParent) || ctx.Err() != nil {
		return err
	}
	usage := &UsageError{Err: fmt.Errorf("finding what changed: %w", err)}
	var none *git.NoBaseError
	shallow, _ := repo.IsShallow(ctx)
	switch {
	case errors.As(err, &none):
		usage.Hint = none.Hint
	case !errors.Is(err, git.ErrUnknownRevision) && !errors.Is(err, git.ErrNoMergeBase):
		return err
	case shallow && g.Env("GITLAB_CI") != "":
		usage.Err, usage.Hint = fmt.Errorf("%w: this clone is shallow", usage.Err), "set `GIT_DEPTH: \"0\"` in the variables of the job, so that the whole history is cloned"
	case shallow:
		usage.Err, usage.Hint = fmt.Errorf("%w: this clone is shallow", usage.Err), "run `git fetch --unshallow`, so that the whole history is here"
	case errors.Is(err, git.ErrUnknownRevision):
		usage.Hint = "name a commit, a branch or a tag of this clone, or fetch it first"
	}
	return usage
}

// sinceBase is where HEAD left a revision behind: what else has happened
// there since is none of this tree's changes.
func sinceBase(ctx context.Context, repo *git.Repo, since string) (string, error) {
	if _, err := repo.Resolve(ctx, since); err != nil {
		return "", err
	}
	return repo.MergeBase(ctx, "HEAD", since)
}

// changedFiles lists what differs from the base: in a pipeline the commits, since
// earlier jobs may leave files behind; elsewhere the work tree, untracked files included.
func (g *run) changedFiles(ctx context.Context, repo *git.Repo, base, below string) ([]string, error) {
	var files []string
	var err error
	if repo.Bare() || g.Env("GITLAB_CI") != "" {
		files, err = repo.ChangedFiles(ctx, base, "HEAD")
	} else {
		files, err = repo.WorkTreeFiles(ctx, base)
	}
	if err != nil {
		return nil, fmt.Errorf("finding what changed: %w", err)
	}
	for i, f := range files {
		rel, err := filepath.Rel(below, filepath.FromSlash(f))
		if err != nil {
			return nil, fmt.Errorf("finding %q in the repository: %w", f, err)
		}
		files[i] = filepath.ToSlash(rel)
	}
	slices.Sort(files)
	return files, nil
}

// Changes discovers the charts of the repository and says which of them a
// change concerns; nil if opts do not ask what changed. Nothing is checked.
func Changes(ctx context.Context, opts Options) (*chart.Repo, *Selection, error) {
	g, err := open(opts)
	if err != nil {
		return nil, nil, err
	}
	defer g.close()
	if err := g.discover(ctx); err != nil {
		return nil, nil, err
	}
	if err := g.narrow(ctx); err != nil {
		return nil, nil, err
	}
	g.saveMemory(ctx)
	return g.repo, g.selected, nil
}
