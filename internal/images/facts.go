package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/git"
	"golang.org/x/sync/errgroup"
)

// Facts are what the commit and the pipeline say.
type Facts struct {
	Commit    string          // full id; empty outside of git
	Epoch     *time.Time      // SOURCE_DATE_EPOCH, else when the commit was made; nil outside of git
	Branch    string          // empty for a tag and a detached HEAD
	IsDefault bool            // the branch is the default one
	Default   string          // the default branch, where it is known
	Version   *semver.Version // of the Git tag at the commit; nil without
	Source    string          // the project's page
	Project   string          // GROUP/PROJECT in GitLab, else the name of the repository's folder
	Place     string          // the root's path below the top of its git repository, with slashes
	CI        bool
}

// FactsOf asks git and the pipeline's variables. Outside of git there is no commit and no time.
func FactsOf(ctx context.Context, root string, env func(string) string) (Facts, error) {
	f := Facts{Source: env("CI_PROJECT_URL"), Project: env("CI_PROJECT_PATH"), Branch: env("CI_COMMIT_BRANCH"),
		Default: env("CI_DEFAULT_BRANCH"), CI: env("CI") == "true"}
	if f.Branch == "" { // in a pipeline for a merge request
		f.Branch = env("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
	}
	if f.Project == "" {
		f.Project = filepath.Base(root)
	}
	if err := f.askGit(ctx, root, env); err != nil {
		return Facts{}, err
	}
	if text := env("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds < 0 {
			return Facts{}, &buildkit.DefinitionError{Message: fmt.Sprintf("the variable SOURCE_DATE_EPOCH: %q is no number of seconds", text), Hint: "leave it unset for the time of the commit"}
		}
		t := time.Unix(seconds, 0).UTC()
		f.Epoch = &t
	}
	f.IsDefault = f.Branch != "" && f.Branch == f.Default
	return f, nil
}

func (f *Facts) askGit(ctx context.Context, root string, env func(string) string) error {
	repo, err := git.Open(ctx, root)
	if errors.Is(err, git.ErrNotRepository) || errors.Is(err, git.ErrNoGit) {
		return nil
	}
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(root); err == nil {
		if below, err := filepath.Rel(repo.Root(), real); err == nil && below != "." {
			f.Place = filepath.ToSlash(below)
		}
	}
	var g errgroup.Group // since each of them starts git
	g.Go(func() error {
		id, when, err := repo.Commit(ctx, "HEAD")
		if errors.Is(err, git.ErrUnknownRevision) {
			return nil // a repository without commits
		}
		f.Commit, f.Epoch = id, &when
		return err
	})
	tags, branch := []string{env("CI_COMMIT_TAG")}, f.Branch
	if !f.CI {
		g.Go(func() error {
			tags, _ = repo.TagsAtHead(ctx) // which fails without a commit
			if branch == "" {
				branch, _ = repo.CurrentBranch(ctx)
			}
			return nil
		})
	}
	if f.Default == "" {
		g.Go(func() error {
			if b, err := repo.DefaultBranch(ctx); err == nil {
				f.Default = b.Name
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	f.Branch, f.Version = branch, newest(tags)
	return nil
}

func newest(tags []string) *semver.Version {
	var best *semver.Version
	for _, t := range tags {
		v, err := semver.StrictNewVersion(strings.TrimPrefix(t, "v"))
		if err == nil && (best == nil || v.GreaterThan(best)) {
			best = v
		}
	}
	return best
}

// Key is what a builder is chosen by, and what caches are kept apart by: the
// project, and the repository's place in it.
func (f Facts) Key() string { return path.Join(f.Project, f.Place) }

// variables are those that definitions may use besides the environment's. One whose
// value is not known here is "".
func (f Facts) variables() map[string]string {
	vars := map[string]string{"COMMIT": f.Commit, "COMMIT_SHORT": f.Commit, "BRANCH": slug(f.Branch), "VERSION": "", "VERSION_MAJOR": "", "VERSION_MINOR": "", "LATEST": ""}
	if len(f.Commit) > 8 {
		vars["COMMIT_SHORT"] = f.Commit[:8]
	}
	if v := f.Version; v != nil {
		vars["VERSION"] = strings.ReplaceAll(v.String(), "+", "_") // a tag holds no plus
		if v.Prerelease() == "" {
			vars["VERSION_MINOR"] = fmt.Sprintf("%d.%d", v.Major(), v.Minor())
			if v.Major() > 0 {
				vars["VERSION_MAJOR"] = strconv.FormatUint(v.Major(), 10)
			}
		}
	}
	if f.IsDefault {
		vars["LATEST"] = "latest"
	}
	return vars
}

var notInTag = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a tag's part of a branch's name. One that is not its name gets a part of
// the name's digest, so that no branch writes to the cache of another.
func slug(branch string) string {
	s := strings.Trim(notInTag.ReplaceAllString(strings.ToLower(branch), "-"), "-")
	if s == branch && len(s) <= 63 {
		return s
	}
	sum := sha256.Sum256([]byte(branch))
	return strings.Trim(s[:min(len(s), 54)], "-") + "-" + hex.EncodeToString(sum[:4])
}
