package kubesec

import (
	"cmp"
	"maps"
	"slices"

	"github.com/controlplaneio/kubesec/v2/pkg/ruler"
)

// Scope says what a rule counts.
type Scope int

const (
	// ScopeObject is a rule about the pod, its volumes or the object.
	ScopeObject Scope = iota
	// ScopeContainers counts containers, init containers left out.
	ScopeContainers
	// ScopeAllContainers counts containers and init containers, sidecars
	// among them. kubesec never looks at ephemeral containers.
	ScopeAllContainers
)

// Doc is what a person wants to know of a rule.
type Doc struct {
	Title   string // a few words
	Scope   Scope
	Does    string // what the rule looks at, and what satisfies it
	Why     string // what goes wrong otherwise
	Fix     string // what to change
	Example string // YAML of a pod template that is in order
}

// Rule is one of kubesec's rules with its explanation.
type Rule struct {
	ID       string
	Points   int    // below zero: critical when it matches; above: earned when it matches
	Selector string // kubesec's notation
	Reason   string // kubesec's sentence
	Kinds    []string
	Doc
}

// Critical says whether a match takes points away.
func (r Rule) Critical() bool { return r.Points < 0 }

// Rules lists kubesec's rules by id.
func Rules() []Rule {
	docs := documentation()
	var rules []Rule
	for _, r := range ruler.NewRuleset(nil).Rules {
		rules = append(rules, Rule{ID: r.ID, Points: r.Points, Selector: r.Selector, Reason: r.Reason, Kinds: r.Kinds, Doc: docs[r.ID]})
	}
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}

// Find looks a rule up by its id.
func Find(id string) (Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// documentation explains every rule, by id.
func documentation() map[string]Doc {
	docs := podDocs()
	maps.Copy(docs, privilegeDocs())
	maps.Copy(docs, resourceDocs())
	maps.Copy(docs, profileDocs())
	return docs
}
