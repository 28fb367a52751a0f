// Package kubesec scores the pods of Kubernetes manifests by the rules of
// github.com/controlplaneio/kubesec, as a library and offline.
//
// Scores equal kubesec's for the kinds that it knows. Three things are added
// to it: the pod templates of other workloads (Jobs, CronJobs, …) are scored
// as Pods, each hit names the containers that it is about, and a malformed
// object is an error that names it instead of a crash. Whether a manifest is
// valid Kubernetes is not this package's question.
package kubesec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/controlplaneio/kubesec/v2/pkg/ruler"
)

const (
	// defaultMaxContainers bounds the work that one pod can cause: every
	// rule looks at every container.
	defaultMaxContainers = 1000
	// maxListDepth bounds Lists within Lists. kubectl writes one level.
	maxListDepth = 4
)

// Options of a Scanner; the zero value means the defaults of `validate`.
type Options struct {
	// AsKubesec keeps to what the kubesec program looks at: kinds alone,
	// whatever their API group; no pod templates but of the kinds that it
	// knows; Lists are not unrolled; a document without a kind gets every
	// advice.
	AsKubesec bool
	// MaxContainers is how many containers, init containers included, one pod
	// may have before its object is an error; 0 means 1000.
	MaxContainers int
}

// Scanner scores objects. It is immutable and safe for concurrent use.
type Scanner struct {
	rules         []scoredRule
	native        []string // kinds that a rule names
	asKubesec     bool
	maxContainers int
}

// scoredRule is one of kubesec's rules and which containers it counts.
type scoredRule struct {
	ruler.Rule
	scope Scope
}

// New makes a Scanner with all of kubesec's rules, in an order that does not
// change between runs.
func New(opts Options) *Scanner {
	s := &Scanner{asKubesec: opts.AsKubesec, maxContainers: opts.MaxContainers}
	if s.maxContainers <= 0 {
		s.maxContainers = defaultMaxContainers
	}
	docs := documentation()
	for _, r := range ruler.NewRuleset(nil).Rules {
		s.rules = append(s.rules, scoredRule{Rule: r, scope: docs[r.ID].Scope})
		for _, k := range r.Kinds {
			if !slices.Contains(s.native, k) {
				s.native = append(s.native, k)
			}
		}
	}
	return s
}

// ObjectError says that an object could not be scored.
type ObjectError struct {
	Object string // Kind/name.namespace, as far as it could be read
	Err    error
}

func (e *ObjectError) Error() string { return fmt.Sprintf("scoring %s: %v", e.Object, e.Err) }

// Unwrap gives the reason.
func (e *ObjectError) Unwrap() error { return e.Err }

// ScanJSON is Scan over one JSON document.
func (s *Scanner) ScanJSON(ctx context.Context, data []byte) ([]Result, error) {
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("parsing manifest: %w", err)
	}
	obj, ok := doc.(map[string]any)
	switch {
	case ok:
		return s.Scan(ctx, obj)
	case s.asKubesec:
		return []Result{s.unknown()}, nil
	case doc == nil:
		return nil, nil
	}
	return nil, fmt.Errorf("parsing manifest: it is %s, want a mapping", typeName(doc))
}

// Scan scores one object, decoded as encoding/json or sigs.k8s.io/yaml do
// (map[string]any, []any, scalars), which it leaves as it is. A List gives a
// result for each item that has pods; an object without pods (a Service, a
// custom resource) gives none. Errors are *ObjectError, joined when several
// items of a List have one; the results of the other items come with them.
func (s *Scanner) Scan(ctx context.Context, obj map[string]any) ([]Result, error) {
	return s.scan(ctx, obj, 0)
}

func (s *Scanner) scan(ctx context.Context, obj map[string]any, depth int) ([]Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, given := obj["kind"]; !given && s.asKubesec {
		return []Result{s.unknown()}, nil
	}
	id, err := identify(obj)
	if err != nil {
		return nil, &ObjectError{Object: id.String(), Err: err}
	}
	if isList(obj, id) && !s.asKubesec {
		return s.scanList(ctx, obj, id, depth)
	}
	subject, ok, err := s.subject(obj, id)
	if err != nil {
		return nil, &ObjectError{Object: id.String(), Err: err}
	}
	if !ok {
		return nil, nil
	}
	res, err := s.score(ctx, subject)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &ObjectError{Object: id.String(), Err: err}
	}
	return []Result{res}, nil
}

// unknown is what kubesec makes of a document without a kind, such as one that
// is all comments: a rule that cannot read the kind counts as not matched.
func (s *Scanner) unknown() Result {
	var res Result
	for _, rule := range s.rules {
		res.add(rule, &probe{}, nil, 0)
	}
	res.sort()
	return res
}

func (s *Scanner) scanList(ctx context.Context, list map[string]any, id identity, depth int) ([]Result, error) {
	if depth >= maxListDepth {
		return nil, &ObjectError{Object: id.String(), Err: fmt.Errorf("lists are nested more than %d deep", maxListDepth)}
	}
	r := &reader{}
	items := r.list(list, "items", "items")
	if r.err != nil {
		return nil, &ObjectError{Object: id.String(), Err: r.err}
	}
	var results []Result
	var errs []error
	for i, item := range items {
		obj, ok := item.(map[string]any)
		if !ok {
			errs = append(errs, &ObjectError{Object: id.String(), Err: fmt.Errorf("items[%d] is %s, want a mapping", i, typeName(item))})
			continue
		}
		res, err := s.scan(ctx, obj, depth+1)
		results = append(results, res...)
		if err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
	}
	return results, errors.Join(errs...)
}
