package git_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/git"
)

// sandbox is a real repository in a temporary folder.
type sandbox struct {
	*testing.T
	dir  string
	tick int
}

// newSandbox makes an empty repository on branch main.
func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skipf("git is needed: %v", err)
	}
	isolate(t)
	s := &sandbox{T: t, dir: realPath(t, t.TempDir())}
	s.git("init", "-q", "-b", "main")
	return s
}

// isolate keeps the machine's own git configuration out of tests.
func isolate(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	config := filepath.Join(home, "gitconfig")
	write(t, config, "[user]\n\tname = Test\n\temail = test@example.com\n[protocol \"file\"]\n\tallow = always\n")
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("HOME", home)
	for _, key := range []string{"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"} {
		t.Setenv(key, "") // so that it is put back afterwards
		os.Unsetenv(key)
	}
}

func realPath(t *testing.T, path string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// git runs a git command in the sandbox. Each takes place a minute later.
func (s *sandbox) git(args ...string) string {
	s.Helper()
	s.tick++
	date := fmt.Sprintf("%d +0200", 1_700_000_000+60*s.tick)
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.Fatalf("git %v: %v\n%s%s", args, err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

func (s *sandbox) write(path, text string) { write(s.T, filepath.Join(s.dir, path), text) }

// commit writes files, path and text in turns, and commits everything.
func (s *sandbox) commit(files ...string) string {
	s.Helper()
	for i := 0; i < len(files); i += 2 {
		s.write(files[i], files[i+1])
	}
	s.git("add", "-A")
	s.git("commit", "-q", "--allow-empty", "-m", "change")
	return s.git("rev-parse", "HEAD")
}

// clone makes another sandbox from this one, through the file protocol, so
// that --depth counts.
func (s *sandbox) clone(args ...string) *sandbox {
	s.Helper()
	c := &sandbox{T: s.T, dir: realPath(s.T, s.TempDir())}
	c.git(append(append([]string{"clone", "-q"}, args...), "file://"+s.dir, ".")...)
	return c
}

func (s *sandbox) open() *git.Repo {
	s.Helper()
	repo, err := git.Open(context.Background(), s.dir)
	if err != nil {
		s.Fatalf("Open: %v", err)
	}
	return repo
}

func TestOpen(t *testing.T) {
	s := newSandbox(t)
	s.commit("charts/ünïcode name/Chart.yaml", "name: a\n")
	for _, dir := range []string{".", "charts", "charts/ünïcode name"} {
		repo, err := git.Open(context.Background(), filepath.Join(s.dir, dir))
		if err != nil || repo.Root() != s.dir || repo.Bare() {
			t.Errorf("Open(%q): %+v, %v; want root %s", dir, repo, err, s.dir)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(s.dir, link); err != nil {
		t.Fatal(err)
	}
	if repo, err := git.Open(context.Background(), link); err != nil || repo.Root() != s.dir {
		t.Errorf("through a link: %v, %v", repo, err)
	}
}

func TestOpenFails(t *testing.T) {
	s := newSandbox(t)
	s.write("file", "")
	if _, err := git.Open(context.Background(), t.TempDir()); !errors.Is(err, git.ErrNotRepository) {
		t.Errorf("no repository: %v", err)
	}
	if _, err := git.Open(context.Background(), filepath.Join(s.dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := git.Open(context.Background(), filepath.Join(s.dir, "file")); err == nil || !strings.Contains(err.Error(), "not a folder") {
		t.Errorf("a file: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := git.Open(ctx, s.dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := git.Open(context.Background(), s.dir); !errors.Is(err, git.ErrNoGit) {
		t.Errorf("no git: %v", err)
	}
}

func TestOpenBareAndWorktree(t *testing.T) {
	s := newSandbox(t)
	id := s.commit("a", "1")
	bare := s.clone("--bare")
	repo := bare.open()
	if !repo.Bare() || repo.Root() != bare.dir {
		t.Errorf("bare: %v at %s", repo.Bare(), repo.Root())
	}
	if got, err := repo.Resolve(context.Background(), "main"); got != id || err != nil {
		t.Errorf("bare: Resolve: %s, %v", got, err)
	}
	if _, err := repo.IndexFS(context.Background()); !errors.Is(err, git.ErrBare) {
		t.Errorf("bare: IndexFS: %v", err)
	}
	if _, err := repo.WorkTreeFiles(context.Background(), "HEAD"); !errors.Is(err, git.ErrBare) {
		t.Errorf("bare: WorkTreeFiles: %v", err)
	}
	linked := &sandbox{T: t, dir: filepath.Join(realPath(t, t.TempDir()), "linked")}
	s.git("worktree", "add", "-q", "-b", "side", linked.dir)
	linked.write("b", "2")
	if got := linked.open().Root(); got != linked.dir {
		t.Errorf("worktree: root %s", got)
	}
	if got, err := linked.open().WorkTreeFiles(context.Background(), "HEAD"); err != nil || strings.Join(got, " ") != "b" {
		t.Errorf("worktree: WorkTreeFiles: %v, %v", got, err)
	}
}

// In CI the clone belongs to another user than the job.
func TestForeignOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	s := newSandbox(t)
	id := s.commit("a", "1")
	for _, path := range []string{s.dir, filepath.Join(s.dir, ".git")} {
		if err := os.Chown(path, 12345, 12345); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("git", "-C", s.dir, "status").CombinedOutput(); err == nil {
		t.Skipf("this git does not mind: %s", out)
	}
	if got, err := s.open().Resolve(context.Background(), "HEAD"); got != id || err != nil {
		t.Errorf("Resolve: %s, %v", got, err)
	}
}

// What the repository's own configuration would run is not run.
func TestConfiguredProgramsDoNotRun(t *testing.T) {
	s := newSandbox(t)
	s.commit("a", "1", ".gitattributes", "* diff=x\n")
	trap := filepath.Join(t.TempDir(), "ran")
	for _, key := range []string{"core.fsmonitor", "core.pager", "diff.external", "diff.x.command", "diff.x.textconv", "core.sshCommand"} {
		s.git("config", key, "touch "+trap+" #")
	}
	hooks := t.TempDir()
	write(t, filepath.Join(hooks, "post-index-change"), "#!/bin/sh\ntouch "+trap+"\n")
	if err := os.Chmod(filepath.Join(hooks, "post-index-change"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.git("config", "core.hooksPath", hooks)
	os.Remove(trap)
	s.write("a", "2")
	ctx, repo := context.Background(), s.open()
	if got, err := repo.WorkTreeFiles(ctx, "HEAD"); err != nil || len(got) != 1 {
		t.Errorf("WorkTreeFiles: %v, %v", got, err)
	}
	tree, err := repo.IndexFS(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if got, err := repo.ChangedFiles(ctx, "", "HEAD"); err != nil || len(got) != 2 {
		t.Errorf("ChangedFiles: %v, %v", got, err)
	}
	if _, err := os.Stat(trap); err == nil {
		t.Error("a program that the repository names was run")
	}
}

func TestCommitTime(t *testing.T) {
	s := newSandbox(t)
	s.commit("a", "1")
	want := time.Unix(int64(1_700_000_000+60*(s.tick-1)), 0).UTC()
	if got, err := s.open().CommitTime(context.Background(), "HEAD"); !got.Equal(want) || err != nil {
		t.Errorf("CommitTime: %v, %v, want %v", got, err, want)
	}
}
