package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// FS is a folder of a revision as a file system; "." is all of it. The
// listing is read at once, files when they are asked for. Close it when done.
// Errors: ErrUnknownRevision, or fs.ErrNotExist if there is no such folder.
func (r *Repo) FS(ctx context.Context, rev, dir string) (*Tree, error) {
	commit, err := r.commit(ctx, rev)
	if err != nil {
		return nil, err
	}
	entries, err := r.committed(ctx, commit.id)
	if err != nil {
		return nil, fmt.Errorf("listing %q: %w", rev, err)
	}
	tree, err := newTree(entries, &contents{ctx: ctx, repo: r, time: commit.time})
	if err != nil {
		return nil, err
	}
	return tree.sub(path.Clean(dir))
}

// newTree puts a listing in order.
func newTree(entries []entry, c *contents) (*Tree, error) {
	root := newFolder(".", nil)
	for _, e := range entries {
		if err := root.add(e); err != nil {
			return nil, err
		}
	}
	root.sort()
	return &Tree{shared: c, dir: root}, nil
}

// committed lists a commit.
func (r *Repo) committed(ctx context.Context, commit string) ([]entry, error) {
	var entries []entry
	err := r.records(ctx, func(record string) error {
		attributes, name, ok := strings.Cut(record, "\t") // mode type id
		fields := strings.Fields(attributes)
		if !ok || len(fields) != 3 {
			return fmt.Errorf("git listed %.200q where a file was expected", record)
		}
		entries = append(entries, entry{mode: fields[0], id: fields[2], path: name})
		return nil
	}, "ls-tree", "-r", "-z", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	err = r.sizes(ctx, entries, nil)
	var failed *commandError
	if errors.As(err, &failed) && strings.Contains(failed.stderr, "promisor remote") {
		missing, err := r.missing(ctx, commit)
		if err != nil {
			return nil, err
		}
		return entries, r.sizes(ctx, entries, missing)
	}
	return entries, err
}

// missing lists the objects of a commit that a partial clone left behind. git
// ends at the first of them when it may not fetch it, so they are not asked for.
func (r *Repo) missing(ctx context.Context, commit string) (map[string]bool, error) {
	missing := map[string]bool{}
	err := r.stream(ctx, bufio.ScanLines, func(line string) error {
		if id, ok := strings.CutPrefix(line, "?"); ok {
			missing[id] = true
		}
		return nil
	}, "rev-list", "--objects", "--missing=print", "--no-object-names", "--no-walk", commit)
	return missing, err
}

// IndexFS is the staged tree as a file system: what a commit made now would
// hold. Inside a hook it is the index that git hands to the hook. Files that
// are only announced (git add --intent-to-add) are not in it. Modification
// times are zero. ErrBare if there is no index; an error if a merge is going on.
func (r *Repo) IndexFS(ctx context.Context) (*Tree, error) {
	if r.bare {
		return nil, ErrBare
	}
	entries, err := r.staged(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the index: %w", err)
	}
	if err := r.sizes(ctx, entries, nil); err != nil {
		return nil, fmt.Errorf("listing the index: %w", err)
	}
	return newTree(entries, &contents{ctx: ctx, repo: r})
}

// staged lists the index, without sizes.
func (r *Repo) staged(ctx context.Context) ([]entry, error) {
	announced, err := r.paths(ctx, diffFlags("diff-files", "--diff-filter=A")...)
	if err != nil {
		return nil, err
	}
	var entries []entry
	err = r.records(ctx, func(record string) error {
		attributes, name, ok := strings.Cut(record, "\t")
		fields := strings.Fields(attributes)
		if !ok || len(fields) != 3 {
			return fmt.Errorf("git listed %.200q where a file was expected", record)
		}
		if fields[2] != "0" {
			return fmt.Errorf("%q has conflicts that are not resolved", name)
		}
		if _, found := slices.BinarySearch(announced, name); !found {
			entries = append(entries, entry{mode: fields[0], id: fields[1], path: name})
		}
		return nil
	}, "ls-files", "--stage", "-z", "--full-name")
	return entries, err
}

// sizes asks git for the size of each entry's blob but those that are missing.
func (r *Repo) sizes(ctx context.Context, entries []entry, missing map[string]bool) error {
	var ask bytes.Buffer
	asked := make([]*entry, 0, len(entries))
	for i := range entries {
		switch e := &entries[i]; {
		case e.mode == "160000": // a submodule: a commit of another repository
		case missing[e.id]:
			e.size = sizeUnknown
		default:
			ask.WriteString(e.id + "\n")
			asked = append(asked, e)
		}
	}
	args := []string{"cat-file", "--batch-check=%(objectsize)", "--buffer"}
	var out bytes.Buffer // a line for each that is asked
	cmd := r.command(ctx, args...)
	stderr := &bounded{max: maxStderr}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &ask, &out, stderr
	if err := cmd.Run(); err != nil {
		return failure(ctx, args, err, stderr)
	}
	answers := bufio.NewScanner(&out)
	for _, e := range asked {
		if !answers.Scan() {
			return errors.New("git left out the sizes of some files")
		}
		size, err := strconv.ParseInt(answers.Text(), 10, 64)
		if err != nil { // `ID missing`: the repository is damaged
			size = sizeUnknown
		}
		e.size = size
	}
	return nil
}
