package git_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/git"
)

func (s *sandbox) shell(command string) string {
	s.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = s.dir
	out, err := cmd.Output()
	if err != nil {
		s.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSpace(string(out))
}

func (s *sandbox) index() *git.Tree {
	s.Helper()
	tree, err := s.open().IndexFS(context.Background())
	if err != nil {
		s.Fatalf("IndexFS: %v", err)
	}
	s.Cleanup(func() { tree.Close() })
	return tree
}

func TestIndexFS(t *testing.T) {
	s := newSandbox(t)
	if entries, err := s.index().ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("before the first commit: %v, %v", entries, err)
	}
	s.commit("a", "committed", "b", "b", "gone", "x")
	s.write("a", "staged")
	s.write("new/ü", "new")
	s.write("run.sh", "#!/bin/sh\n")
	if err := os.Chmod(filepath.Join(s.dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.git("add", "a", "new", "run.sh")
	s.git("rm", "-q", "gone")
	s.write("a", "only in the work tree")
	s.write("announced", "later")
	s.git("add", "--intent-to-add", "announced")
	s.write("untracked", "x")
	tree := s.index()
	s.read(tree, "a", "staged")
	s.read(tree, "b", "b")
	s.read(tree, "new/ü", "new")
	for _, name := range []string{"gone", "announced", "untracked"} {
		if _, err := tree.Stat(name); err == nil {
			t.Errorf("%s is in the index", name)
		}
	}
	stat, err := fs.Stat(tree, "run.sh")
	if err != nil || stat.Mode() != 0o755 || stat.Size() != 10 {
		t.Errorf("Stat: %v, %v", stat, err)
	}
}

func TestIndexConflict(t *testing.T) {
	s := newSandbox(t)
	s.commit("a", "1")
	s.git("checkout", "-q", "-b", "side")
	s.commit("a", "2")
	s.git("checkout", "-q", "main")
	s.commit("a", "3")
	if err := exec.Command("git", "-C", s.dir, "merge", "-q", "side").Run(); err == nil {
		t.Fatal("the merge has no conflict")
	}
	if _, err := s.open().IndexFS(context.Background()); err == nil || !strings.Contains(err.Error(), `"a" has conflicts`) {
		t.Errorf("IndexFS: %v", err)
	}
}

// `git commit PATH` hands its hook an index of its own.
func TestIndexOfHook(t *testing.T) {
	s := newSandbox(t)
	s.commit("a", "1", "b", "1")
	s.write("a", "2")
	s.write("b", "2")
	s.git("add", "b")
	write(t, filepath.Join(s.dir, ".git/hooks/pre-commit"), "#!/bin/sh\necho \"$GIT_INDEX_FILE\" > seen\ncp \"$GIT_INDEX_FILE\" .git/kept\n")
	if err := os.Chmod(filepath.Join(s.dir, ".git/hooks/pre-commit"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.git("commit", "-q", "-m", "a alone", "a")
	if seen := s.shell("cat seen"); !strings.Contains(seen, "next-index") {
		t.Fatalf("git gave its hook the index %q", seen)
	}
	s.read(s.index(), "b", "2")
	t.Setenv("GIT_INDEX_FILE", filepath.Join(s.dir, ".git/kept"))
	s.read(s.index(), "a", "2")
	s.read(s.index(), "b", "1")
	if got, err := s.open().StagedFiles(context.Background(), "HEAD~1"); err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("StagedFiles: %v, %v", got, err)
	}
	other := newSandbox(t) // unsets it
	other.commit("c", "1")
	t.Setenv("GIT_INDEX_FILE", filepath.Join(s.dir, ".git/kept"))
	t.Setenv("GIT_DIR", filepath.Join(s.dir, ".git"))
	other.read(other.index(), "c", "1")
}

func TestChangedFiles(t *testing.T) {
	s := newSandbox(t)
	first := s.commit("a", "1", "b", "1", "old name", strings.Repeat("same\n", 50), "mode", "x", "touched", "1", ".gitignore", "ignored\n")
	s.git("config", "diff.renames", "copies")
	s.git("config", "diff.relative", "true")
	s.git("mv", "old name", "new \"ñ\" name")
	second := s.commit("a", "2", "charts/x/Chart.yaml", "name: x\n")
	ctx, repo := context.Background(), s.open()
	check := func(what string, got []string, err error, want ...string) {
		t.Helper()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", what, got, err, want)
		}
	}
	got, err := repo.ChangedFiles(ctx, first, second)
	check("revisions", got, err, "a", "charts/x/Chart.yaml", "new \"ñ\" name", "old name")
	got, err = repo.ChangedFiles(ctx, "", first)
	check("from nothing", got, err, ".gitignore", "a", "b", "mode", "old name", "touched")
	got, err = repo.ChangedFiles(ctx, "HEAD", "HEAD")
	check("nothing", got, err)

	s.write("a", "staged")
	s.git("add", "a")
	s.write("b", "not staged")
	s.write("untracked/ü", "x")
	s.write("ignored", "x")
	if err := os.Chmod(filepath.Join(s.dir, "mode"), 0o755); err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(s.dir, "touched"), future, future); err != nil {
		t.Fatal(err)
	}
	before := s.shell("sha256sum .git/index; ls .git")
	got, err = repo.StagedFiles(ctx, "HEAD")
	check("index", got, err, "a")
	got, err = repo.WorkTreeFiles(ctx, "HEAD")
	check("work tree", got, err, "a", "b", "mode", "untracked/ü")
	got, err = repo.WorkTreeFiles(ctx, first)
	check("work tree since the first commit", got, err, "a", "b", "charts/x/Chart.yaml", "mode", "new \"ñ\" name", "old name", "untracked/ü")
	if after := s.shell("sha256sum .git/index; ls .git"); after != before {
		t.Errorf("the repository was written to:\n%s\n%s", before, after)
	}
	if _, err := repo.ChangedFiles(ctx, "gone", "HEAD"); err == nil {
		t.Error("no error for a revision that does not exist")
	}
}

func TestChangedFilesBeforeFirstCommit(t *testing.T) {
	s := newSandbox(t)
	s.write("a", "1")
	ctx, repo := context.Background(), s.open()
	if got, err := repo.WorkTreeFiles(ctx, ""); err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("WorkTreeFiles: %v, %v", got, err)
	}
	s.git("add", "a")
	if got, err := repo.StagedFiles(ctx, ""); err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("StagedFiles: %v, %v", got, err)
	}
}
