package git_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chartgate/chartgate/internal/git"
)

func (s *sandbox) link(name, target string) {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		s.Fatal(err)
	}
}

func (s *sandbox) tree(rev, dir string) *git.Tree {
	s.Helper()
	tree, err := s.open().FS(context.Background(), rev, dir)
	if err != nil {
		s.Fatalf("FS(%q, %q): %v", rev, dir, err)
	}
	s.Cleanup(func() { tree.Close() })
	return tree
}

func (s *sandbox) read(tree fs.FS, name, want string) {
	s.Helper()
	if got, err := fs.ReadFile(tree, name); string(got) != want || err != nil {
		s.Errorf("ReadFile(%q) = %.60q, %v, want %q", name, got, err, want)
	}
}

func TestFS(t *testing.T) {
	s := newSandbox(t)
	s.write("deploy.sh", "#!/bin/sh\n")
	if err := os.Chmod(filepath.Join(s.dir, "deploy.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.link("charts/link.yaml", "../common/shared.yaml")
	s.link("charts/folder", "../common")
	s.commit("charts/a/values.yaml", "a: 1\n", "common/shared.yaml", "shared\n", "common/empty", "",
		"grüße/ключ \t\"x\".yaml", "ü\n", "big", strings.Repeat("0123456789abcdef", 1<<16))
	s.commit("charts/a/values.yaml", "a: 2\n")
	old := s.tree("HEAD~1", ".")
	if err := fstest.TestFS(old, "charts/a/values.yaml", "common/shared.yaml", "common/empty", "deploy.sh", "grüße/ключ \t\"x\".yaml"); err != nil {
		t.Error(err)
	}
	s.read(old, "charts/a/values.yaml", "a: 1\n")
	s.read(s.tree("HEAD", "."), "charts/a/values.yaml", "a: 2\n")
	s.read(old, "charts/link.yaml", "shared\n")
	s.read(old, "charts/folder/shared.yaml", "shared\n")
	s.read(old, "big", strings.Repeat("0123456789abcdef", 1<<16))
	s.read(s.tree("HEAD", "charts"), "folder/shared.yaml", "shared\n")
	s.read(s.tree("HEAD", "charts/folder/"), "shared.yaml", "shared\n")
	stat, err := old.Stat("deploy.sh")
	if err != nil || stat.Mode() != 0o755 || stat.Size() != 10 || !stat.ModTime().Equal(time.Unix(1_700_000_000+60*3, 0)) {
		t.Errorf("Stat: %v, %v", stat, err)
	}
	if stat, err := old.Stat("charts/link.yaml"); err != nil || stat.Mode() != 0o644 || stat.Name() != "link.yaml" {
		t.Errorf("Stat of a link: %v, %v", stat, err)
	}
	if target, err := old.ReadLink("charts/link.yaml"); target != "../common/shared.yaml" || err != nil {
		t.Errorf("ReadLink: %q, %v", target, err)
	}
	entries, err := old.ReadDir("charts")
	var names []string
	for _, e := range entries {
		names = append(names, e.Name()+" "+e.Type().String())
	}
	if want := []string{"a d---------", "folder L---------", "link.yaml L---------"}; !slices.Equal(names, want) || err != nil {
		t.Errorf("ReadDir: %v, %v, want %v", names, err, want)
	}
}

// The same tree looks the same from disk, through os.Root, and from git.
func TestFSLikeDisk(t *testing.T) {
	s := newSandbox(t)
	s.link("x/up", "../y/file")
	s.link("x/dir", "../y")
	s.link("x/chain", "dir/back/up")
	s.link("y/back", "../x")
	s.link("dangling", "nowhere")
	s.link("loop", "loop")
	s.link("loop-a", "loop-b")
	s.link("loop-b", "loop-a")
	s.link("outside", "../../etc/passwd")
	s.link("x/outside", "dir/../../out")
	s.link("absolute", "/etc/passwd")
	s.link("through", "y/file/more")
	s.commit("y/file", "text")
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	disk, tree := root.FS(), s.tree("HEAD", ".")
	for _, name := range []string{".", "x", "x/up", "x/dir", "x/dir/file", "x/chain", "x/dir/back/dir/file", "dangling", "loop",
		"loop-a", "outside", "x/outside", "absolute", "through", "y/file", "y/file/more", "none", "../x", "/x", "x/", ""} {
		want, wantErr := fs.Stat(disk, name)
		got, gotErr := fs.Stat(tree, name)
		if (wantErr == nil) != (gotErr == nil) {
			t.Errorf("Stat(%q): %v on disk, %v in git", name, wantErr, gotErr)
		} else if gotErr == nil && got.IsDir() != want.IsDir() {
			t.Errorf("Stat(%q): %v on disk, %v in git", name, want, got)
		}
	}
	for name, want := range map[string]error{"outside": git.ErrOutside, "x/outside": git.ErrOutside, "absolute": git.ErrOutside,
		"loop": git.ErrLinkLoop, "loop-a": git.ErrLinkLoop, "dangling": fs.ErrNotExist, "../x": fs.ErrInvalid} {
		if _, err := tree.ReadFile(name); !errors.Is(err, want) {
			t.Errorf("ReadFile(%q): %v, want %v", name, err, want)
		}
	}
	if _, err := tree.ReadFile("x"); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("ReadFile of a folder: %v", err)
	}
	if _, err := tree.ReadDir("y/file"); err == nil {
		t.Error("ReadDir of a file gave no error")
	}
}

func TestFSUnknown(t *testing.T) {
	s := newSandbox(t)
	s.commit("a/b", "1")
	repo, ctx := s.open(), context.Background()
	if _, err := repo.FS(ctx, "nothing", "."); !errors.Is(err, git.ErrUnknownRevision) {
		t.Errorf("revision: %v", err)
	}
	for _, dir := range []string{"none", "a/b/c"} {
		if _, err := repo.FS(ctx, "HEAD", dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("FS of %q: %v", dir, err)
		}
	}
	for _, dir := range []string{"a/b", "../a", "/a"} {
		if _, err := repo.FS(ctx, "HEAD", dir); err == nil {
			t.Errorf("FS of %q: no error", dir)
		}
	}
}

func TestSubmodule(t *testing.T) {
	other := newSandbox(t)
	other.commit("inside", "1")
	s := newSandbox(t)
	s.git("submodule", "--quiet", "add", "file://"+other.dir, "mod")
	s.commit("a", "1")
	staged, err := s.open().IndexFS(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Close()
	for name, tree := range map[string]*git.Tree{"revision": s.tree("HEAD", "."), "index": staged} {
		if entries, err := tree.ReadDir("mod"); err != nil || len(entries) != 0 {
			t.Errorf("%s: ReadDir: %v, %v", name, entries, err)
		}
		if stat, err := tree.Stat("mod"); err != nil || !stat.IsDir() {
			t.Errorf("%s: Stat: %v, %v", name, stat, err)
		}
	}
	s.write("mod/inside", "changed there")
	if got, err := s.open().WorkTreeFiles(context.Background(), "HEAD"); err != nil || len(got) != 0 {
		t.Errorf("WorkTreeFiles: %v, %v", got, err)
	}
}

// Trees can be written by hand, with paths that no checkout would make.
func TestHostileTree(t *testing.T) {
	s := newSandbox(t)
	blob := s.git("hash-object", "-w", "--stdin")
	for _, line := range []string{"100644 blob " + blob + "\t..", "100644 blob " + blob + "\t."} {
		cmd := "printf '" + line + "\\n' | git mktree"
		id := s.shell(cmd)
		commit := s.git("commit-tree", "-m", "x", id)
		if _, err := s.open().FS(context.Background(), commit, "."); err == nil || !strings.Contains(err.Error(), "not a path inside the repository") {
			t.Errorf("%q: %v", line, err)
		}
	}
	// Ten trees, each of which holds the former ten times: 10^10 files.
	line := "100644 blob " + blob
	for range 10 {
		var listing strings.Builder
		for i := range 10 {
			listing.WriteString(line + "\\tf" + string(rune('0'+i)) + "\\n")
		}
		line = "040000 tree " + s.shell("printf '"+listing.String()+"' | git mktree")
	}
	commit := s.git("commit-tree", "-m", "bomb", strings.Fields(line)[2])
	if _, err := s.open().FS(context.Background(), commit, "."); err == nil || !strings.Contains(err.Error(), "more than 1000000") {
		t.Errorf("a tree of 10^10 files: %v", err)
	}
}

func TestFSClosedAndCancelled(t *testing.T) {
	s := newSandbox(t)
	s.commit("a", "1")
	tree := s.tree("HEAD", ".")
	s.read(tree, "a", "1")
	tree.Close()
	if _, err := tree.ReadFile("a"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := tree.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancelled, err := s.open().FS(ctx, "HEAD", ".")
	if err != nil {
		t.Fatal(err)
	}
	defer cancelled.Close()
	s.read(cancelled, "a", "1")
	cancel()
	if _, err := cancelled.ReadFile("a"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
	if _, err := s.open().FS(ctx, "HEAD", "."); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
}

func TestFSConcurrently(t *testing.T) {
	s := newSandbox(t)
	var files []string
	for _, name := range []string{"a", "b", "c", "d"} {
		files = append(files, name, strings.Repeat(name, 10_000))
	}
	s.commit(files...)
	tree := s.tree("HEAD", ".")
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { s.read(tree, files[i%4*2], files[i%4*2+1]) })
	}
	wg.Wait()
}

// A clone with --filter=blob:none has commits and trees, but not all files.
func TestPartialClone(t *testing.T) {
	s := newSandbox(t)
	s.git("config", "uploadpack.allowFilter", "true")
	s.commit("a", "old", "b", "same")
	s.commit("a", "new")
	c := s.clone("--filter=blob:none")
	tree := c.tree("HEAD~1", ".")
	if _, err := tree.ReadFile("a"); !errors.Is(err, git.ErrMissingObject) {
		t.Errorf("a file that was left behind: %v", err)
	}
	s.read(tree, "b", "same")
}

func TestPointersAreKept(t *testing.T) {
	s := newSandbox(t)
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"
	s.git("config", "filter.lfs.smudge", "false")
	s.commit("logo.png", pointer)
	s.commit(".gitattributes", "*.png filter=lfs\n*.txt text eol=crlf\n", "a.txt", "1\n2\n")
	s.read(s.tree("HEAD", "."), "logo.png", pointer)
	s.read(s.tree("HEAD", "."), "a.txt", "1\n2\n")
}
