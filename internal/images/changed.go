package images

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/chartgate/chartgate/internal/git"
)

// ChangedSince lists the files that differ between the work tree and its merge base
// with a revision, relative to root, with slashes.
func ChangedSince(ctx context.Context, root, revision string) ([]string, error) {
	repo, err := git.Open(ctx, root)
	if err != nil {
		return nil, err
	}
	base, err := repo.MergeBase(ctx, revision, "HEAD")
	if err != nil {
		return nil, err
	}
	files, err := repo.WorkTreeFiles(ctx, base)
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	below, err := filepath.Rel(repo.Root(), real)
	if err != nil || below == "." {
		return files, err
	}
	var out []string
	for _, f := range files {
		if rest, ok := strings.CutPrefix(f, filepath.ToSlash(below)+"/"); ok {
			out = append(out, rest)
		}
	}
	return out, nil
}
