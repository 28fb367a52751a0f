package git_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/git"
)

const zeros = "0000000000000000000000000000000000000000"

// pipeline makes an environment from names and values in turns.
func pipeline(pairs ...string) func(string) string {
	env := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	return func(key string) string { return env[key] }
}

func (s *sandbox) base(want, wantHow string, env ...string) {
	s.Helper()
	rev, how, err := git.Base(context.Background(), s.open(), pipeline(env...))
	if rev != want || how != wantHow || err != nil {
		s.Errorf("Base(%v) = %.12s, %q, %v, want %.12s, %q", env, rev, how, err, want, wantHow)
	}
}

func (s *sandbox) noBase(reason, hint string, env ...string) {
	s.Helper()
	rev, _, err := git.Base(context.Background(), s.open(), pipeline(env...))
	var missing *git.NoBaseError
	if !errors.As(err, &missing) {
		s.Errorf("Base(%v) = %q, %v, want a NoBaseError", env, rev, err)
		return
	}
	if !strings.Contains(missing.Reason, reason) || !strings.Contains(missing.Hint, hint) || missing.Hint == "" {
		s.Errorf("Base(%v): reason %q, hint %q, want %q, %q", env, missing.Reason, missing.Hint, reason, hint)
	}
	if errors.Is(err, git.ErrNoParent) {
		s.Errorf("Base(%v): %v passes for ErrNoParent", env, err)
	}
}

func (s *sandbox) noParent(env ...string) {
	s.Helper()
	rev, _, err := git.Base(context.Background(), s.open(), pipeline(env...))
	var missing *git.NoBaseError
	if !errors.Is(err, git.ErrNoParent) || errors.As(err, &missing) {
		s.Errorf("Base(%v) = %q, %v, want ErrNoParent", env, rev, err)
	}
}

func TestBaseInPipeline(t *testing.T) {
	s := newSandbox(t)
	first := s.commit("a", "1")
	second := s.commit("a", "2")
	s.git("checkout", "-q", "-b", "feature")
	s.commit("b", "1")
	s.commit("b", "2")
	s.git("checkout", "-q", "main")
	third := s.commit("a", "3")
	c := s.clone()
	c.base(first, "CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_MERGE_REQUEST_DIFF_BASE_SHA", first, "CI_COMMIT_BEFORE_SHA", zeros, "CI_DEFAULT_BRANCH", "main")
	onMain := []string{"GITLAB_CI", "true", "CI_COMMIT_BRANCH", "main", "CI_DEFAULT_BRANCH", "main", "CI_COMMIT_BEFORE_SHA"}
	c.base(first, "CI_COMMIT_BEFORE_SHA", append(onMain, first)...)
	c.base(second, "first parent of HEAD", append(onMain, zeros)...)
	c.base(second, "first parent of HEAD", append(onMain, "")...)
	c.noBase("is not in this clone", "GIT_DEPTH: 0", append(onMain, strings.Repeat("1", 40))...)
	c.noBase("is not in this clone", "GIT_DEPTH: 0", append(onMain, "--help")...)

	c.git("checkout", "-q", "--detach", "origin/feature") // as a runner does
	onFeature := []string{"CI_COMMIT_BRANCH", "feature", "CI_COMMIT_BEFORE_SHA", third, "CI_DEFAULT_BRANCH"}
	c.base(second, "merge base with origin/main", append(onFeature, "main")...)
	c.noBase("the branch origin/gone is not in this clone", "GIT_DEPTH: 0", append(onFeature, "gone")...)
	c.noBase("CI_DEFAULT_BRANCH is not set", "CI_DEFAULT_BRANCH", append(onFeature, "")...)
	c.git("checkout", "-q", "--detach", "origin/main")
	c.base(second, "first parent of HEAD", "CI_COMMIT_TAG", "v1", "CI_DEFAULT_BRANCH", "main", "CI_COMMIT_BEFORE_SHA", zeros)
}

func TestBaseOfStrangers(t *testing.T) {
	s := newSandbox(t)
	s.commit("a", "1")
	s.git("checkout", "-q", "--orphan", "other")
	s.commit("b", "1")
	s.noBase("no commit in common", "rebase")
	s.clone().noBase("HEAD and origin/main have no commit in common", "rebase", "CI_COMMIT_BRANCH", "other", "CI_DEFAULT_BRANCH", "main")
}

func TestBaseInShallowClone(t *testing.T) {
	s := newSandbox(t)
	first := s.commit("a", "1")
	s.git("branch", "feature")
	second := s.commit("a", "2")
	s.commit("a", "3")
	s.git("checkout", "-q", "feature")
	s.commit("b", "1")
	s.commit("b", "2")
	s.git("checkout", "-q", "main")
	c := s.clone("--depth", "1", "--branch", "main", "--no-single-branch")
	c.noBase("the parent of HEAD, "+second[:12], "GIT_DEPTH: 0", "CI_COMMIT_BRANCH", "main", "CI_DEFAULT_BRANCH", "main", "CI_COMMIT_BEFORE_SHA", zeros)
	c.noBase("CI_COMMIT_BEFORE_SHA", "GIT_DEPTH: 0", "CI_COMMIT_BRANCH", "main", "CI_DEFAULT_BRANCH", "main", "CI_COMMIT_BEFORE_SHA", first)
	c.noBase("CI_MERGE_REQUEST_DIFF_BASE_SHA", "GIT_DEPTH: 0", "CI_MERGE_REQUEST_DIFF_BASE_SHA", first)
	c.noBase("which is shallow", "git fetch --unshallow")
	c.git("checkout", "-q", "feature")
	c.noBase("as far as this shallow clone reaches", "GIT_DEPTH: 0", "CI_COMMIT_BRANCH", "feature", "CI_DEFAULT_BRANCH", "main")
	c.noBase("as far as this shallow clone reaches", "git fetch --unshallow")
	single := s.clone("--depth", "1", "--branch", "feature")
	single.noBase("the branch origin/main is not in this clone", "GIT_DEPTH: 0", "CI_COMMIT_BRANCH", "feature", "CI_DEFAULT_BRANCH", "main")

	c.git("fetch", "-q", "--unshallow")
	c.base(first, "merge base with origin/main")
}

func TestBaseOnDefaultBranch(t *testing.T) {
	s := newSandbox(t)
	s.noParent() // no commit at all
	first := s.commit("a", "1")
	s.noParent()
	s.noParent("CI_COMMIT_BRANCH", "main", "CI_DEFAULT_BRANCH", "main", "CI_COMMIT_BEFORE_SHA", zeros)
	s.write("new", "1")
	s.base(first, "HEAD, as there are uncommitted changes")
	second := s.commit()
	s.base(first, "first parent of HEAD")
	s.write("a", "changed")
	s.base(second, "HEAD, as there are uncommitted changes")
	s.git("checkout", "-q", "a")

	c := s.clone()
	c.base(first, "first parent of HEAD")
	c.write("a", "changed")
	c.base(second, "HEAD, as there are uncommitted changes")
	c.commit()
	c.commit("a", "again")
	c.base(second, "merge base with origin/main") // what is not pushed
	c.write("a", "and again")
	c.base(second, "merge base with origin/main")
}

func TestBaseOnOtherBranch(t *testing.T) {
	s := newSandbox(t)
	first := s.commit("a", "1")
	second := s.commit("a", "2")
	s.git("checkout", "-q", "-b", "feature")
	s.base(second, "merge base with main") // nothing done yet
	s.commit("b", "1")
	s.write("b", "2")
	s.base(second, "merge base with main")
	s.git("checkout", "-q", "-f", "main")
	third := s.commit("a", "3")
	s.git("checkout", "-q", "--detach")
	s.base(second, "first parent of HEAD") // detached at the default branch
	s.git("checkout", "-q", "--detach", first)
	s.noParent()
	s.git("checkout", "-q", "feature")
	c := s.clone()
	c.git("remote", "set-head", "origin", "main")
	c.base(second, "merge base with origin/main")
	s.git("merge", "-q", "-m", "merge", "main")
	s.base(third, "merge base with main")

	s.git("branch", "-m", "main", "odd")
	s.noBase("cannot be told", "git remote set-head origin --auto")
}

func TestBaseInBareRepository(t *testing.T) {
	s := newSandbox(t)
	first := s.commit("a", "1")
	s.commit("a", "2")
	s.clone("--bare").base(first, "first parent of HEAD")
}

func TestBaseOfBrokenHead(t *testing.T) {
	s := newSandbox(t)
	s.commit("a", "1")
	s.git("symbolic-ref", "HEAD", "refs/heads/gone")
	s.noBase("HEAD names no commit", "check out a branch")
}
