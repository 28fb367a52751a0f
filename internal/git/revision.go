package git

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxRevision bounds the length of a revision's name.
const maxRevision = 1024

// Resolve turns a revision (a branch, a tag, HEAD~2, an abbreviated id) into
// the full id of its commit. ErrUnknownRevision if there is none here.
func (r *Repo) Resolve(ctx context.Context, rev string) (string, error) {
	if rev == "" || len(rev) > maxRevision || strings.HasPrefix(rev, "-") || strings.ContainsAny(rev, "\x00\n") {
		return "", fmt.Errorf("resolving %.80q: %w", rev, ErrUnknownRevision)
	}
	id, err := r.line(ctx, "rev-parse", "--verify", "--quiet", rev+"^{commit}")
	if exitCode(err) > 0 {
		return "", fmt.Errorf("resolving %q: %w", rev, ErrUnknownRevision)
	}
	return id, err
}

// MergeBase is the best common ancestor of two revisions. ErrNoMergeBase if
// none is known, which in a shallow clone may mean no more than that.
func (r *Repo) MergeBase(ctx context.Context, a, b string) (string, error) {
	first, err := r.Resolve(ctx, a)
	if err != nil {
		return "", err
	}
	second, err := r.Resolve(ctx, b)
	if err != nil {
		return "", err
	}
	out, err := r.line(ctx, "merge-base", first, second)
	if exitCode(err) == 1 {
		return "", fmt.Errorf("comparing %q and %q: %w", a, b, ErrNoMergeBase)
	}
	id, _, _ := strings.Cut(out, "\n")
	return id, err
}

// IsShallow says whether history was cut off when the repository was cloned.
func (r *Repo) IsShallow(ctx context.Context) (bool, error) {
	out, err := r.line(ctx, "rev-parse", "--is-shallow-repository")
	return out == "true", err
}

// FirstParent is the commit before rev on its branch. ErrNoParent if rev is a
// first commit; a *NoBaseError if there is a parent, but not in this clone.
func (r *Repo) FirstParent(ctx context.Context, rev string) (string, error) {
	commit, err := r.commit(ctx, rev)
	if err != nil {
		return "", err
	}
	if commit.parent == "" {
		return "", fmt.Errorf("looking for the parent of %q: %w", rev, ErrNoParent)
	}
	id, err := r.Resolve(ctx, commit.parent)
	if errors.Is(err, ErrUnknownRevision) {
		return "", &NoBaseError{Reason: fmt.Sprintf("the parent of %s, %s, is not in this clone", rev, short(commit.parent)), Err: err}
	}
	return id, err
}

// CommitTime is when rev was committed, in UTC.
func (r *Repo) CommitTime(ctx context.Context, rev string) (time.Time, error) {
	_, when, err := r.Commit(ctx, rev)
	return when, err
}

// Commit is the full id of rev and when it was committed, in UTC. ErrUnknownRevision
// if there is no such commit.
func (r *Repo) Commit(ctx context.Context, rev string) (id string, when time.Time, err error) {
	commit, err := r.commit(ctx, rev)
	return commit.id, commit.time, err
}

// commit is what a commit object says of itself, whatever a shallow clone
// makes of its parents.
type commit struct {
	id     string
	parent string // the first, or empty
	time   time.Time
}

func (r *Repo) commit(ctx context.Context, rev string) (commit, error) {
	id, err := r.Resolve(ctx, rev)
	if err != nil {
		return commit{}, err
	}
	out, err := r.output(ctx, "cat-file", "commit", id)
	if err != nil {
		return commit{}, err
	}
	c := commit{id: id}
	header, _, _ := strings.Cut(string(out), "\n\n")
	for line := range strings.Lines(header) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch {
		case key == "parent" && c.parent == "":
			c.parent = value
		case key == "committer" && c.time.IsZero():
			if c.time, err = parseTime(value); err != nil {
				return commit{}, fmt.Errorf("reading commit %s: %w", short(id), err)
			}
		}
	}
	return c, nil
}

// parseTime reads `Name <mail> 1700000000 +0100`.
func parseTime(committer string) (time.Time, error) {
	_, when, ok := strings.Cut(committer[strings.LastIndexByte(committer, '>')+1:], " ")
	seconds, _, _ := strings.Cut(when, " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if !ok || err != nil {
		return time.Time{}, fmt.Errorf("no time in committer line %q", committer)
	}
	return time.Unix(n, 0).UTC(), nil
}

// short abbreviates an id for messages.
func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}
