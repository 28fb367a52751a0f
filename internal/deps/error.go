package deps

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/registry"
)

// Kind is what is wrong with a dependency.
type Kind string

// The kinds of errors.
const (
	KindLock     Kind = "lock"     // the lock is out of step with Chart.yaml, or no lock
	KindVersion  Kind = "version"  // nothing satisfies the constraint, or it is none
	KindMissing  Kind = "missing"  // neither in charts/, nor at the file:// path, nor in its repository
	KindFetch    Kind = "fetch"    // the repository cannot be asked
	KindArchive  Kind = "archive"  // what was found is not the chart that was asked for, or no chart
	KindCycle    Kind = "cycle"    // the chart depends on itself
	KindLocation Kind = "location" // the repository is none, or a path that leads out of the tree
	KindNested   Kind = "nested"   // a dependency of the dependency fails
)

// Error is one dependency that cannot be had.
type Error struct {
	Kind Kind
	// Name, Constraint and Repository are those of Chart.yaml (of the lock, if Chart.yaml has no such dependency); "" if the error is not one of a dependency.
	Name, Constraint, Repository string
	// File is the file of the chart at fault, "Chart.yaml", "Chart.lock" or their forerunners, relative to the chart.
	File string
	// Index is the dependency's place in the list of Chart.yaml, -1 if it is not there. Field is the key of the dependency that is at fault, "" if it is the whole.
	Index int
	Field string
	// Tried is every place that was asked, with its answer.
	Tried []string
	// Hint is what the reader can do about it, "" if there is nothing to say.
	Hint string
	Err  error
}

// Error names the dependency, what was asked for and the cause, in one line.
func (e *Error) Error() string {
	if e.Name == "" {
		return e.Err.Error()
	}
	var of []string
	if e.Constraint != "" {
		of = append(of, e.Constraint)
	}
	if e.Repository != "" {
		of = append(of, "from "+show(e.Repository))
	}
	about := ""
	if len(of) > 0 {
		about = " (" + strings.Join(of, " ") + ")"
	}
	return fmt.Sprintf("dependency %q%s: %v", e.Name, about, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Path is where in File the error points, in the form that source.YAML takes.
func (e *Error) Path() []any {
	if e.Index < 0 {
		if e.Kind == KindLock {
			return []any{"digest"}
		}
		return nil
	}
	path := []any{"dependencies", e.Index}
	if e.Field != "" {
		path = append(path, e.Field)
	}
	return path
}

// Errors are all dependencies of one chart that cannot be had, in the order of Chart.yaml.
type Errors []*Error

// maxText bounds the text of many errors, in bytes: each may hold others.
const maxText = 4000

func (e Errors) Error() string {
	var b strings.Builder
	for i, err := range e {
		text := err.Error()
		if b.Len()+len(text) > maxText && i > 0 {
			fmt.Fprintf(&b, "; and %d more", len(e)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(text)
	}
	return b.String()
}

// Unwrap gives all errors.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

func (e Errors) sort() {
	slices.SortStableFunc(e, func(a, b *Error) int { return cmp.Compare(a.Index, b.Index) })
}

// fault is a cause on its way up: what is wrong, at which key, and what to do.
type fault struct {
	kind  Kind
	field string
	tried []string
	hint  string
	err   error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// maxTried bounds what is listed of the places that dependencies of dependencies were looked for at.
const maxTried = 100

// fail makes the error of the step out of its cause.
func (s step) fail(cause error) *Error {
	e := &Error{Kind: KindFetch, Name: s.name, Constraint: s.constraint(), Repository: s.repository, File: s.file, Index: s.index, Err: cause}
	var f *fault
	var cycle *cycleError
	var nested Errors
	switch {
	case errors.As(cause, &cycle) && !(errors.As(cause, &nested) && len(nested) > 1):
		e.Kind, e.Field, e.Err, e.Hint = KindCycle, "repository", cycle, "remove one of these dependencies"
	case errors.As(cause, &f):
		e.Kind, e.Field, e.Tried, e.Hint, e.Err = f.kind, f.field, f.tried, f.hint, f.err
	case errors.As(cause, &nested):
		e.Kind, e.Err = KindNested, fmt.Errorf("its own dependencies: %w", nested)
		e.Hint = nested[0].Hint
		for _, n := range nested {
			e.Tried = append(e.Tried, n.Tried[:min(len(n.Tried), maxTried-len(e.Tried))]...)
		}
	}
	return e
}

// asked makes a fault of an answer of a registry or repository.
func asked(where string, err error) error {
	f := &fault{kind: KindFetch, tried: []string{show(where) + ": " + err.Error()}, hint: registry.HintOf(err), err: err}
	var said *registry.Error
	switch {
	case errors.As(err, &said):
		if len(said.Tried) > 0 {
			f.tried = said.Tried
		}
	case errors.Is(err, registry.ErrCorrupt), errors.Is(err, registry.ErrNotChart), errors.Is(err, registry.ErrTooLarge):
	default:
		f.kind, f.field = KindLocation, "repository" // it was not sent at all
	}
	switch {
	case errors.Is(err, registry.ErrNotFound):
		f.kind = KindMissing
		f.hint = cmp.Or(f.hint, "is the version published, and is the name spelled right?")
	case errors.Is(err, registry.ErrCorrupt), errors.Is(err, registry.ErrNotChart), errors.Is(err, registry.ErrTooLarge):
		f.kind = KindArchive
	}
	return f
}

// show is a repository without the user, password and query that its URL may have.
func show(repository string) string {
	if !strings.ContainsAny(repository, "@?") || !strings.Contains(repository, "://") {
		return repository
	}
	u, err := url.Parse(repository)
	if err != nil {
		return "a URL that cannot be read"
	}
	u.User, u.RawQuery, u.ForceQuery = nil, "", false
	return u.String()
}
