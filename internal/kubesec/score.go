package kubesec

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// score runs every rule that knows the subject's kind.
func (s *Scanner) score(ctx context.Context, sub subject) (Result, error) {
	res := Result{APIVersion: sub.apiVersion, Kind: sub.kind, Name: sub.name, Namespace: sub.namespace, PodTemplate: sub.synthetic}
	p, err := s.newProbe(sub)
	if err != nil {
		return res, err
	}
	for _, rule := range s.rules {
		if !slices.Contains(rule.Kinds, sub.seenAs) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return res, err
		}
		matched, count, err := p.run(ctx, rule)
		if err != nil {
			return res, err
		}
		res.add(rule, p, matched, count)
	}
	res.sort()
	return res, nil
}

// add files what a rule said as kubesec's report does.
func (res *Result) add(rule scoredRule, p *probe, matched []bool, count int) {
	hit := RuleHit{ID: rule.ID, Selector: rule.Selector, Reason: rule.Reason, Points: rule.Points}
	switch {
	case count > 0 && rule.Points < 0:
		hit.Containers = p.names(rule.scope, matched, true)
		res.Score += rule.Points
		res.Critical = append(res.Critical, hit)
	case count > 0:
		hit.Containers = p.names(rule.scope, matched, true)
		hit.Lacking = p.names(rule.scope, matched, false)
		res.Score += rule.Points
		res.Passed = append(res.Passed, hit)
	case rule.Points >= 0:
		hit.Containers = p.names(rule.scope, matched, false)
		res.Advise = append(res.Advise, hit)
	}
}

// probe is one object prepared for the rules.
type probe struct {
	seenAs      string
	annotations map[string]any
	claims      []any
	claimsGiven bool
	pod         prunedPod
	whole       []byte
	alone       [][]byte // the object with one container only, made when first needed; init containers first
}

func (s *Scanner) newProbe(sub subject) (*probe, error) {
	r := &reader{}
	p := &probe{
		seenAs:      sub.seenAs,
		annotations: pruneAnnotations(r, sub.annotations),
		claims:      pruneClaims(r, sub.claims),
		claimsGiven: sub.claimsGiven,
		pod:         prunePod(r, sub.pod, s.maxContainers),
	}
	if r.err != nil {
		return nil, r.err
	}
	p.alone = make([][]byte, len(p.pod.init)+len(p.pod.containers))
	var err error
	p.whole, err = p.document(p.pod.init, p.pod.containers)
	return p, err
}

// document writes the object with the given containers, as the rules read it.
func (p *probe) document(init, containers []prunedContainer) ([]byte, error) {
	pod := make(map[string]any, len(p.pod.spec)+2)
	for k, v := range p.pod.spec {
		pod[k] = v
	}
	pod["initContainers"] = fieldsOf(init)
	pod["containers"] = fieldsOf(containers)
	spec := pod
	if p.seenAs != "Pod" {
		spec = map[string]any{"template": map[string]any{"spec": pod}}
		if p.claimsGiven {
			spec["volumeClaimTemplates"] = p.claims
		}
	}
	doc := map[string]any{"kind": p.seenAs, "spec": spec}
	if p.annotations != nil {
		doc["metadata"] = map[string]any{"annotations": p.annotations}
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encoding the object: %w", err)
	}
	return data, nil
}

func fieldsOf(containers []prunedContainer) []any {
	list := make([]any, len(containers))
	for i, c := range containers {
		list[i] = c.fields
	}
	return list
}

// run evaluates a rule: how much it matched, and which of the containers that
// it counts did. kubesec tells a number only, so where some match and some do
// not, each container is shown to the rule alone.
func (p *probe) run(ctx context.Context, rule scoredRule) (matched []bool, count int, err error) {
	count, err = evaluate(rule, p.whole)
	if err != nil || rule.scope == ScopeObject {
		return nil, count, err
	}
	first := p.first(rule.scope)
	matched = make([]bool, len(p.alone)-first)
	if count == 0 {
		return matched, 0, nil
	}
	for i := range matched {
		if count >= len(matched) {
			matched[i] = true
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		doc, err := p.only(first + i)
		if err != nil {
			return nil, 0, err
		}
		n, err := evaluate(rule, doc)
		if err != nil {
			return nil, 0, err
		}
		matched[i] = n > 0
	}
	return matched, count, nil
}

// first is the place, init containers first, of the first container that a
// rule counts.
func (p *probe) first(scope Scope) int {
	if scope == ScopeContainers {
		return len(p.pod.init)
	}
	return 0
}

// only gives the object with the i-th container alone.
func (p *probe) only(i int) ([]byte, error) {
	if p.alone[i] != nil {
		return p.alone[i], nil
	}
	var err error
	if n := len(p.pod.init); i < n {
		p.alone[i], err = p.document(p.pod.init[i:i+1], nil)
	} else {
		p.alone[i], err = p.document(nil, p.pod.containers[i-n:i-n+1])
	}
	return p.alone[i], err
}

// names lists the containers that did (or did not) match.
func (p *probe) names(scope Scope, matched []bool, want bool) []string {
	if scope == ScopeObject {
		return nil
	}
	var names []string
	first := p.first(scope)
	for i, m := range matched {
		if m != want {
			continue
		}
		at := first + i
		if n := len(p.pod.init); at < n {
			names = append(names, p.pod.init[at].name)
		} else {
			names = append(names, p.pod.containers[at-n].name)
		}
	}
	return names
}

// evaluate asks a rule. Rules assert types without checking; what gets past
// our own reading must not end the process.
func evaluate(rule scoredRule, doc []byte) (count int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("rule %s does not understand the object: %v", rule.ID, cause)
		}
	}()
	return rule.Predicate(doc), nil
}
