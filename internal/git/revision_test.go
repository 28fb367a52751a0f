package git_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/git"
)

func TestResolve(t *testing.T) {
	s := newSandbox(t)
	first := s.commit("a", "1")
	second := s.commit("a", "2")
	s.git("tag", "-a", "-m", "x", "v1", first)
	repo, ctx := s.open(), context.Background()
	for rev, want := range map[string]string{"HEAD": second, "HEAD~1": first, "v1": first, "main": second, first[:10]: first, first: first} {
		if got, err := repo.Resolve(ctx, rev); got != want || err != nil {
			t.Errorf("Resolve(%q) = %s, %v, want %s", rev, got, err, want)
		}
	}
	for _, rev := range []string{"", "nothing", "HEAD~2", "--help", "-h", "HEAD\nmain", "a\x00b", "HEAD:a", "HEAD^{tree}",
		strings.Repeat("0", 40), strings.Repeat("1", 40), strings.Repeat("x", 5000)} {
		if got, err := repo.Resolve(ctx, rev); !errors.Is(err, git.ErrUnknownRevision) || got != "" {
			t.Errorf("Resolve(%.50q) = %q, %v", rev, got, err)
		}
	}
}

func TestMergeBaseAndParents(t *testing.T) {
	s := newSandbox(t)
	root := s.commit("a", "1")
	s.git("checkout", "-q", "-b", "side")
	side := s.commit("b", "1")
	s.git("checkout", "-q", "main")
	main := s.commit("a", "2")
	s.git("merge", "-q", "--no-ff", "-m", "merge", "side")
	s.git("checkout", "-q", "--orphan", "other")
	s.commit("c", "1")
	repo, ctx := s.open(), context.Background()
	if got, err := repo.MergeBase(ctx, main, "side"); got != root || err != nil {
		t.Errorf("MergeBase: %s, %v, want %s", got, err, root)
	}
	if got, err := repo.FirstParent(ctx, "main"); got != main || err != nil {
		t.Errorf("FirstParent of a merge: %s, %v, want %s and not %s", got, err, main, side)
	}
	if _, err := repo.FirstParent(ctx, root); !errors.Is(err, git.ErrNoParent) {
		t.Errorf("FirstParent of the first commit: %v", err)
	}
	if _, err := repo.MergeBase(ctx, "main", "other"); !errors.Is(err, git.ErrNoMergeBase) {
		t.Errorf("MergeBase of strangers: %v", err)
	}
	if _, err := repo.MergeBase(ctx, "main", "nobody"); !errors.Is(err, git.ErrUnknownRevision) {
		t.Errorf("MergeBase with nobody: %v", err)
	}
}

func TestShallow(t *testing.T) {
	s := newSandbox(t)
	s.commit("a", "1")
	parent := s.commit("a", "2")
	head := s.commit("a", "3")
	repo, ctx := s.clone("--depth", "1").open(), context.Background()
	if shallow, err := repo.IsShallow(ctx); !shallow || err != nil {
		t.Errorf("IsShallow: %v, %v", shallow, err)
	}
	if shallow, err := s.open().IsShallow(ctx); shallow || err != nil {
		t.Errorf("the original: IsShallow: %v, %v", shallow, err)
	}
	_, err := repo.FirstParent(ctx, head)
	var missing *git.NoBaseError
	if !errors.As(err, &missing) || !strings.Contains(missing.Reason, parent[:12]) || errors.Is(err, git.ErrNoParent) {
		t.Errorf("FirstParent: %v", err)
	}
}

func TestDefaultBranch(t *testing.T) {
	ctx := context.Background()
	check := func(t *testing.T, s *sandbox, name, ref string) {
		t.Helper()
		got, err := s.open().DefaultBranch(ctx)
		if err != nil || got.Name != name || got.Ref != ref {
			t.Errorf("DefaultBranch: %+v, %v, want %s (%s)", got, err, name, ref)
		}
	}
	s := newSandbox(t)
	s.commit("a", "1")
	check(t, s, "main", "refs/heads/main")
	c := s.clone()
	check(t, c, "main", "refs/remotes/origin/main")
	c.git("remote", "set-head", "origin", "--delete")
	check(t, c, "main", "refs/remotes/origin/main")
	c.git("remote", "rename", "origin", "upstream")
	check(t, c, "main", "refs/remotes/upstream/main")

	s.git("branch", "-m", "trunk/new")
	check(t, s, "trunk/new", "refs/heads/trunk/new") // the only one
	check(t, s.clone(), "trunk/new", "refs/remotes/origin/trunk/new")
	s.git("branch", "other")
	if got, err := s.open().DefaultBranch(ctx); !errors.Is(err, git.ErrNoDefaultBranch) {
		t.Errorf("two strangers: %v, %v", got, err)
	}
	s.git("config", "init.defaultBranch", "trunk/new")
	check(t, s, "trunk/new", "refs/heads/trunk/new")
	s.git("branch", "master")
	check(t, s, "trunk/new", "refs/heads/trunk/new")
	s.git("config", "init.defaultBranch", "gone")
	check(t, s, "master", "refs/heads/master")
}
