package git

import (
	"context"
	"slices"
	"strings"
)

// Branch is a branch that others are compared with.
type Branch struct {
	Name string // main
	Ref  string // refs/remotes/origin/main, or refs/heads/main where there is no remote
}

// Remote says whether it is the remote's branch, as last fetched.
func (b Branch) Remote() bool { return strings.HasPrefix(b.Ref, "refs/remotes/") }

// Short is how people write the ref: origin/main.
func (b Branch) Short() string {
	return strings.TrimPrefix(strings.TrimPrefix(b.Ref, "refs/remotes/"), "refs/heads/")
}

// DefaultBranch finds the branch that work is merged into: what the remote's
// HEAD points at, else the first of init.defaultBranch, main and master that
// exists, the remote's before the local one, else the only local branch there
// is. ErrNoDefaultBranch if none of these.
func (r *Repo) DefaultBranch(ctx context.Context) (Branch, error) {
	refs, err := r.refs(ctx)
	if err != nil {
		return Branch{}, err
	}
	remote, err := r.remote(ctx)
	if err != nil {
		return Branch{}, err
	}
	prefix := "refs/remotes/" + remote + "/"
	head, err := r.symbolic(ctx, prefix+"HEAD")
	if err != nil {
		return Branch{}, err
	}
	if name, ok := strings.CutPrefix(head, prefix); ok && slices.Contains(refs, head) {
		return Branch{Name: name, Ref: head}, nil
	}
	candidates := []string{"main", "master"}
	if name, err := r.config(ctx, "init.defaultBranch"); err != nil {
		return Branch{}, err
	} else if name != "" {
		candidates = slices.Insert(candidates, 0, name)
	}
	for _, place := range []string{prefix, "refs/heads/"} {
		for _, name := range candidates {
			if slices.Contains(refs, place+name) {
				return Branch{Name: name, Ref: place + name}, nil
			}
		}
	}
	refs = slices.DeleteFunc(refs, func(ref string) bool { return !strings.HasPrefix(ref, "refs/heads/") })
	if len(refs) == 1 {
		return Branch{Name: strings.TrimPrefix(refs[0], "refs/heads/"), Ref: refs[0]}, nil
	}
	return Branch{}, ErrNoDefaultBranch
}

// CurrentBranch is the name of the branch that HEAD is on; empty if detached.
func (r *Repo) CurrentBranch(ctx context.Context) (string, error) {
	head, err := r.symbolic(ctx, "HEAD")
	return strings.TrimPrefix(head, "refs/heads/"), err
}

// refs lists branches, the remotes' included.
func (r *Repo) refs(ctx context.Context) ([]string, error) {
	out, err := r.output(ctx, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
	return strings.Fields(string(out)), err
}

// remote is the remote that work is merged at: origin, or the only one.
func (r *Repo) remote(ctx context.Context) (string, error) {
	out, err := r.output(ctx, "config", "--name-only", "--get-regexp", `^remote\..*\.url$`)
	if err != nil && exitCode(err) != 1 {
		return "", err
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "remote."), ".url")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 1 {
		return names[0], nil
	}
	return "origin", nil
}

// symbolic is the ref that another points at; empty if it points at none.
func (r *Repo) symbolic(ctx context.Context, ref string) (string, error) {
	target, err := r.line(ctx, "symbolic-ref", "--quiet", ref)
	if exitCode(err) > 0 {
		return "", nil
	}
	return target, err
}

// config is a configuration value; empty if it is not set.
func (r *Repo) config(ctx context.Context, key string) (string, error) {
	value, err := r.line(ctx, "config", "--get", key)
	if exitCode(err) == 1 {
		return "", nil
	}
	return value, err
}

// TagsAtHead lists the names of the tags that point at HEAD, sorted by name.
func (r *Repo) TagsAtHead(ctx context.Context) ([]string, error) {
	out, err := r.line(ctx, "for-each-ref", "--points-at=HEAD", "--format=%(refname:lstrip=2)", "refs/tags")
	if err != nil || out == "" {
		return nil, err
	}
	return strings.Split(out, "\n"), nil
}
