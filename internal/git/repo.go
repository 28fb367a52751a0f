// Package git reads a repository with the git program: revisions and the
// index as file systems, the base that a change is compared with, the files
// that it touches.
//
// Only plumbing commands are used, and they only read: no hook, pager, file
// monitor or external diff that the repository configures is run, nothing is
// fetched, and the index is never written.
package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

var (
	// ErrNoGit says that there is no git program on the PATH.
	ErrNoGit = errors.New("git is not installed, or not on the PATH")
	// ErrNotRepository says that a folder is not inside a git repository.
	ErrNotRepository = errors.New("not a git repository")
	// ErrBare says that a repository has no work tree or index.
	ErrBare = errors.New("the repository has no work tree")
	// ErrUnknownRevision says that a revision names no commit that is here.
	ErrUnknownRevision = errors.New("unknown revision")
	// ErrNoParent says that there is nothing to compare with, and cannot be:
	// no commit yet, or a first commit. Every chart is new then.
	ErrNoParent = errors.New("nothing to compare with: there is no earlier commit")
	// ErrNoMergeBase says that two revisions have no commit in common, as
	// far as history reaches here.
	ErrNoMergeBase = errors.New("no common ancestor")
	// ErrNoDefaultBranch says that no branch could be taken for the default one.
	ErrNoDefaultBranch = errors.New("no default branch found")
)

// Repo is a repository on disk. It holds nothing open and is safe for
// concurrent use.
type Repo struct {
	root      string // top of the work tree; the git directory if bare
	gitDir    string
	indexFile string // an index other than the usual one, from the hook that started us
	env       []string
	bare      bool
}

// Open finds the repository that dir lies in. It fails with ErrNoGit,
// ErrNotRepository, or what reading dir failed with.
func Open(ctx context.Context, dir string) (*Repo, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening repository %q: %w", dir, err)
	}
	if info, err := os.Stat(abs); err != nil {
		return nil, fmt.Errorf("opening repository: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("opening repository %q: not a folder", dir)
	}
	// Whose repository it is has been decided by whoever named it: in CI, the
	// clone belongs to another user than the job.
	r := &Repo{root: abs, gitDir: "*", env: environment(os.Environ())}
	both, err := r.line(ctx, "rev-parse", "--is-inside-work-tree", "--absolute-git-dir")
	if err != nil {
		var failed *commandError
		if errors.As(err, &failed) && strings.Contains(failed.stderr, "not a git repository") {
			return nil, fmt.Errorf("opening %q: %w", dir, ErrNotRepository)
		}
		return nil, fmt.Errorf("opening repository %q: %w", dir, err)
	}
	inside, gitDir, _ := strings.Cut(both, "\n")
	root := gitDir
	if inside == "true" {
		if root, err = r.line(ctx, "rev-parse", "--show-toplevel"); err != nil {
			return nil, fmt.Errorf("opening repository %q: %w", dir, err)
		}
	}
	r.root, r.gitDir, r.bare = filepath.FromSlash(root), filepath.FromSlash(gitDir), inside != "true"
	r.indexFile = hookIndex(r.gitDir, os.Getenv("GIT_INDEX_FILE"))
	return r, nil
}

// Root is the absolute path of the work tree's top, links resolved; that of
// the git directory where there is no work tree.
func (r *Repo) Root() string { return r.root }

// Bare says that there is no work tree, and so no index.
func (r *Repo) Bare() bool { return r.bare }

// hookIndex honours the index that `git commit` hands to a hook, which for
// `git commit -a` and `git commit PATH` is not the usual one. An index of
// another repository is not ours.
func hookIndex(gitDir, file string) string {
	if file == "" {
		return ""
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return ""
	}
	own, err := filepath.EvalSymlinks(gitDir)
	if err != nil || folder != own {
		return ""
	}
	return abs
}
