package kubesec

import (
	"cmp"
	"slices"
)

// Result is the score of one object.
type Result struct {
	APIVersion string
	Kind       string
	// Name is metadata.name, or else metadata.generateName; it may be empty.
	Name string
	// Namespace is empty where the manifest names none.
	Namespace string
	// PodTemplate says that kubesec itself does not know this kind, and a
	// Pod made from the object's template was scored in its stead.
	PodTemplate bool
	// Score is the sum of the points of Critical and Passed.
	Score int
	// Critical holds the rules that take points away and matched, Advise
	// those that would give points and did not match, Passed those that did.
	// Each is in the order of kubesec's reports.
	Critical, Advise, Passed []RuleHit
}

// Object is the object's name in the form of kubesec's reports:
// Kind/name.namespace.
func (r Result) Object() string {
	return identity{kind: r.Kind, name: r.Name, namespace: r.Namespace}.String()
}

// RuleHit is what one rule said of an object.
type RuleHit struct {
	ID       string
	Selector string // what the rule looks at, in kubesec's notation
	Reason   string // kubesec's sentence
	Points   int
	// Containers names the containers that match (Critical, Passed) or that
	// lack what the rule wants (Advise), in the order of the manifest, init
	// containers first. It is empty for a rule about the pod or the object. A
	// container without a name is called by its place: containers[0].
	Containers []string
	// Lacking names, under Passed, the containers that the rule counts and
	// that do not match: one that does is enough for kubesec.
	Lacking []string
}

func (r *Result) sort() {
	sortHits(r.Critical)
	sortHits(r.Advise)
	sortHits(r.Passed)
}

// sortHits puts hits in the order of kubesec's reports: the most points (or
// the most points lost) first, then by selector. The id breaks ties.
func sortHits(hits []RuleHit) {
	slices.SortFunc(hits, func(a, b RuleHit) int {
		return cmp.Or(comparePoints(a.Points, b.Points), cmp.Compare(a.Selector, b.Selector), cmp.Compare(a.ID, b.ID))
	})
}

func comparePoints(a, b int) int {
	if a > 0 || b > 0 {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}
