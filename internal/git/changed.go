package git

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// diffFlags make a listing of every path that differs, deleted ones included:
// a rename is both of its names, a submodule counts by its commit alone.
func diffFlags(command string, args ...string) []string {
	return append([]string{command, "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty"}, args...)
}

// ChangedFiles lists the paths that differ between two revisions: relative to
// the root, with slashes, sorted. An empty base means nothing at all, so that
// every file is new.
func (r *Repo) ChangedFiles(ctx context.Context, base, rev string) ([]string, error) {
	from, err := r.tree(ctx, base)
	if err != nil {
		return nil, err
	}
	to, err := r.Resolve(ctx, rev)
	if err != nil {
		return nil, err
	}
	return r.paths(ctx, diffFlags("diff-tree", from, to)...)
}

// StagedFiles lists the paths that differ between a revision and the index,
// as ChangedFiles does: what a commit made now would change.
func (r *Repo) StagedFiles(ctx context.Context, base string) ([]string, error) {
	if r.bare {
		return nil, ErrBare
	}
	from, err := r.tree(ctx, base)
	if err != nil {
		return nil, err
	}
	return r.paths(ctx, diffFlags("diff-index", "--cached", from, "--")...)
}

// WorkTreeFiles lists the paths that differ between a revision and the work
// tree, as ChangedFiles does; files that are neither tracked nor ignored count.
func (r *Repo) WorkTreeFiles(ctx context.Context, base string) ([]string, error) {
	if r.bare {
		return nil, ErrBare
	}
	from, err := r.tree(ctx, base)
	if err != nil {
		return nil, err
	}
	fresh, cleanup, err := r.refreshed(ctx)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	changed, err := fresh.paths(ctx, diffFlags("diff-index", from, "--")...)
	if err != nil {
		return nil, err
	}
	untracked, err := fresh.paths(ctx, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	all := append(changed, untracked...)
	slices.Sort(all)
	return slices.Compact(all), nil
}

// paths runs a command that lists paths.
func (r *Repo) paths(ctx context.Context, args ...string) ([]string, error) {
	var paths []string
	err := r.records(ctx, func(path string) error {
		paths = append(paths, strings.TrimSuffix(path, "/")) // a repository inside this one ends with a slash
		return nil
	}, args...)
	slices.Sort(paths)
	return paths, err
}

// tree resolves a revision; empty stands for the tree without files.
func (r *Repo) tree(ctx context.Context, rev string) (string, error) {
	if rev != "" {
		return r.Resolve(ctx, rev)
	}
	return r.line(ctx, "hash-object", "-t", "tree", "--stdin")
}

// refreshed is the repository with a copy of the index whose notes on
// modification times are up to date: without, a file that was touched or
// copied counts as changed. The repository's own index is left alone.
func (r *Repo) refreshed(ctx context.Context) (*Repo, func(), error) {
	index, err := r.index(ctx)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "chartgate-index-")
	if err != nil {
		return nil, nil, fmt.Errorf("copying the index: %w", err)
	}
	cleanup := func() { os.RemoveAll(dir) }
	fresh := *r
	fresh.indexFile = filepath.Join(dir, "index")
	if err := copyFile(fresh.indexFile, index); err != nil && !os.IsNotExist(err) { // no index, nothing is tracked
		cleanup()
		return nil, nil, fmt.Errorf("copying the index: %w", err)
	}
	// Exit code 1 says that some files do differ.
	if _, err := fresh.output(ctx, "update-index", "-q", "--refresh"); err != nil && exitCode(err) != 1 {
		cleanup()
		return nil, nil, err
	}
	return &fresh, cleanup, nil
}

// index is the path of the index in use.
func (r *Repo) index(ctx context.Context) (string, error) {
	if r.indexFile != "" {
		return r.indexFile, nil
	}
	path, err := r.line(ctx, "rev-parse", "--git-path", "index")
	if err != nil || filepath.IsAbs(path) {
		return path, err
	}
	return filepath.Join(r.root, path), nil
}

func copyFile(to, from string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	return err
}
