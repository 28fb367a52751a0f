package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

const (
	hintCI      = "set `GIT_DEPTH: 0` in the variables of the job, so that the whole history is cloned"
	hintShallow = "run `git fetch --unshallow`, so that the whole history is here"
)

// NoBaseError says that there is something to compare with, but not here.
type NoBaseError struct {
	Reason string // what is missing
	Hint   string // what mends it
	Err    error  // why, if an error was the reason
}

func (e *NoBaseError) Error() string { return "no base to compare with: " + e.Reason }

// Unwrap gives the reason as an error, if there was one.
func (e *NoBaseError) Unwrap() error { return e.Err }

// Base finds the commit that the tree at hand is compared with, and says how
// it was found. env is the process environment's lookup.
//
// In GitLab CI it is CI_MERGE_REQUEST_DIFF_BASE_SHA where that is set; on the
// default branch CI_COMMIT_BEFORE_SHA, or, where that is all zeros (a
// schedule, a manual run), the first parent of HEAD; for a tag the first
// parent of HEAD; on other branches the merge base with the default branch as
// the remote has it.
//
// Elsewhere it is the merge base of HEAD with the default branch. On the
// default branch itself, unpushed commits are compared with the remote's. If
// that is HEAD, so that there are none, uncommitted changes are compared with
// HEAD, and a clean tree with the first parent of HEAD: what was done last.
//
// Errors: *NoBaseError if the base is not in this clone or cannot be told,
// ErrNoParent if there is no earlier commit and never was.
func Base(ctx context.Context, repo *Repo, env func(string) string) (rev, how string, err error) {
	b := baseFinder{repo: repo, env: env, ci: inGitLab(env)}
	if b.ci {
		rev, how, err = b.pipeline(ctx)
	} else {
		rev, how, err = b.local(ctx)
	}
	if err != nil {
		return "", "", b.explain(ctx, err)
	}
	return rev, how, nil
}

func inGitLab(env func(string) string) bool {
	for _, key := range []string{"GITLAB_CI", "CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_COMMIT_BRANCH", "CI_COMMIT_TAG"} {
		if env(key) != "" {
			return true
		}
	}
	return false
}

type baseFinder struct {
	repo *Repo
	env  func(string) string
	ci   bool
}

func (b *baseFinder) pipeline(ctx context.Context) (rev, how string, err error) {
	branch, main := b.env("CI_COMMIT_BRANCH"), b.env("CI_DEFAULT_BRANCH")
	before := b.env("CI_COMMIT_BEFORE_SHA")
	switch {
	case b.env("CI_MERGE_REQUEST_DIFF_BASE_SHA") != "":
		return b.variable(ctx, "CI_MERGE_REQUEST_DIFF_BASE_SHA")
	case main == "":
		return "", "", &NoBaseError{
			Reason: "CI_DEFAULT_BRANCH is not set in this pipeline",
			Hint:   "set CI_DEFAULT_BRANCH to the branch that work is merged into",
		}
	case branch == main && strings.Trim(before, "0") != "":
		return b.variable(ctx, "CI_COMMIT_BEFORE_SHA")
	case branch == main || branch == "":
		return b.firstParent(ctx)
	}
	remote, err := b.repo.remote(ctx)
	if err != nil {
		return "", "", err
	}
	return b.mergeBase(ctx, Branch{Name: main, Ref: "refs/remotes/" + remote + "/" + main})
}

// variable takes the commit that a variable of the pipeline names.
func (b *baseFinder) variable(ctx context.Context, name string) (rev, how string, err error) {
	rev, err = b.repo.Resolve(ctx, b.env(name))
	if errors.Is(err, ErrUnknownRevision) {
		return "", "", &NoBaseError{
			Reason: fmt.Sprintf("%s is %.64q, a commit that is not in this clone", name, b.env(name)),
			Hint:   "fetch that commit before this job's script: git fetch origin \"$" + name + "\"",
			Err:    err,
		}
	}
	return rev, name, err
}

func (b *baseFinder) firstParent(ctx context.Context) (rev, how string, err error) {
	rev, err = b.repo.FirstParent(ctx, "HEAD")
	return rev, "first parent of HEAD", err
}

func (b *baseFinder) mergeBase(ctx context.Context, with Branch) (rev, how string, err error) {
	rev, err = b.repo.MergeBase(ctx, "HEAD", with.Ref)
	switch {
	case errors.Is(err, ErrUnknownRevision):
		return "", "", &NoBaseError{
			Reason: fmt.Sprintf("the branch %s is not in this clone", with.Short()),
			Hint:   fmt.Sprintf("run `git fetch origin %s:%s`", with.Name, with.Ref),
			Err:    err,
		}
	case errors.Is(err, ErrNoMergeBase):
		return "", "", &NoBaseError{
			Reason: fmt.Sprintf("HEAD and %s have no commit in common", with.Short()),
			Hint:   fmt.Sprintf("rebase this branch onto %s", with.Short()),
			Err:    err,
		}
	}
	return rev, "merge base with " + with.Short(), err
}

func (b *baseFinder) local(ctx context.Context) (rev, how string, err error) {
	head, err := b.repo.Resolve(ctx, "HEAD")
	if errors.Is(err, ErrUnknownRevision) {
		return "", "", b.unborn(ctx, err)
	} else if err != nil {
		return "", "", err
	}
	branch, err := b.repo.CurrentBranch(ctx)
	if err != nil {
		return "", "", err
	}
	main, err := b.repo.DefaultBranch(ctx)
	if errors.Is(err, ErrNoDefaultBranch) {
		return "", "", &NoBaseError{
			Reason: "it cannot be told which branch work is merged into",
			Hint:   "run `git remote set-head origin --auto`, or name it: `git config init.defaultBranch NAME`",
			Err:    err,
		}
	} else if err != nil {
		return "", "", err
	}
	if branch != main.Name || main.Remote() {
		rev, how, err = b.mergeBase(ctx, main)
		if err != nil || rev != head || branch != "" && branch != main.Name {
			return rev, how, err
		}
	}
	return b.latest(ctx, head)
}

// latest is the base when HEAD has nothing that the default branch has not.
func (b *baseFinder) latest(ctx context.Context, head string) (rev, how string, err error) {
	if !b.repo.Bare() {
		changed, err := b.repo.WorkTreeFiles(ctx, head)
		if err != nil {
			return "", "", err
		}
		if len(changed) > 0 {
			return head, "HEAD, as there are uncommitted changes", nil
		}
	}
	return b.firstParent(ctx)
}

// unborn tells a repository without commits from a HEAD that is broken.
func (b *baseFinder) unborn(ctx context.Context, cause error) error {
	refs, err := b.repo.refs(ctx)
	if err != nil {
		return err
	}
	if branch, err := b.repo.CurrentBranch(ctx); err != nil {
		return err
	} else if branch != "" && len(refs) == 0 {
		return fmt.Errorf("looking for HEAD: %w", ErrNoParent)
	}
	return &NoBaseError{Reason: "HEAD names no commit", Hint: "check out a branch that has commits", Err: cause}
}

// explain adds to an error what a shallow clone has to do with it.
func (b *baseFinder) explain(ctx context.Context, err error) error {
	var missing *NoBaseError
	if !errors.As(err, &missing) {
		return err
	}
	shallow, cause := b.repo.IsShallow(ctx)
	if cause != nil {
		return cause
	}
	found := *missing
	switch {
	case b.ci && (shallow || !errors.Is(err, ErrNoMergeBase) && found.Err != nil):
		found.Hint = hintCI
	case shallow:
		found.Hint = hintShallow
	}
	if shallow {
		found.Reason += ", which is shallow"
		if errors.Is(err, ErrNoMergeBase) {
			found.Reason = missing.Reason + " as far as this shallow clone reaches"
		}
	}
	return &found
}
