// Package kubeseccheck is the kubesec check: kubesec's rules over the manifests
// that a chart renders to.
package kubeseccheck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/kubesec"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/render"
	"sigs.k8s.io/yaml"
)

// Name is the check's name.
const Name = "kubesec"

const (
	scoreRule  = "score"
	objectRule = "object"
)

// New makes the check. A pod that scores less than minScore is an error.
func New(minScore int) lint.Check {
	scanner := kubesec.New(kubesec.Options{})
	return lint.Check{
		Name:  Name,
		Doc:   "Pods are not privileged, and give away as little as they can, by kubesec's rules.",
		Rules: rules(),
		Needs: lint.Needs{Loaded: true, Resolved: true, Rendered: true},
		Render: func(ctx context.Context, s *lint.Subject, r *lint.Rendered) ([]finding.Finding, error) {
			return check(ctx, scanner, minScore, s, r.Result)
		},
	}
}

func rules() []lint.Rule {
	rules := []lint.Rule{
		{ID: scoreRule, Severity: finding.Error, What: "A pod whose score is below the minimum.",
			Why: "The score sums up what a pod gives away and what it guards.", Fix: "Mend the critical rules, then follow the advice; or set kubesec.min-score."},
		{ID: objectRule, Severity: finding.Error, What: "A workload whose pod cannot be read.",
			Why: "The cluster would refuse it, and nobody can say whether it is safe.", Fix: "Mend the field that the message names."},
	}
	for _, r := range kubesec.Rules() {
		severity := finding.Info
		if r.Critical() {
			severity = finding.Error
		}
		rules = append(rules, lint.Rule{ID: r.ID, Severity: severity, What: r.Does, Why: r.Why, Fix: r.Fix + "\n\n" + r.Example})
	}
	return rules
}

func check(ctx context.Context, scanner *kubesec.Scanner, minScore int, s *lint.Subject, result *render.Result) ([]finding.Finding, error) {
	var out []finding.Finding
	for _, m := range result.Manifests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !mayHavePods(m) {
			continue
		}
		var obj map[string]any
		if yaml.Unmarshal([]byte(m.Data), &obj) != nil || obj == nil {
			continue // lint-and-test says so
		}
		where := &places{text: m.Data, obj: obj}
		results, err := scanner.Scan(ctx, obj)
		place := func(f finding.Finding) {
			at := m.Pos(where.line(f.Container))
			out = append(out, s.Place(f, at.File, at.Line, 0))
		}
		for _, r := range results {
			for _, f := range findings(r, minScore) {
				place(f)
			}
		}
		for _, e := range objectErrors(err) {
			place(finding.Finding{Rule: objectRule, Severity: finding.Error, Object: m.Kind + "/" + m.Name, Message: e.Err.Error()})
		}
	}
	return out, nil
}

// mayHavePods spares objects without pods the parsing: most manifests of most
// charts. A workload that has lost its containers is still looked at.
func mayHavePods(m *render.Manifest) bool {
	switch m.Kind {
	case "Pod", "PodTemplate", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob":
		return true
	}
	return strings.Contains(m.Data, "ontainers")
}

func objectErrors(err error) []*kubesec.ObjectError {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*kubesec.ObjectError
		for _, e := range joined.Unwrap() {
			out = append(out, objectErrors(e)...)
		}
		return out
	}
	var oe *kubesec.ObjectError
	if errors.As(err, &oe) {
		return []*kubesec.ObjectError{oe}
	}
	return []*kubesec.ObjectError{{Err: err}}
}

func findings(r kubesec.Result, minScore int) []finding.Finding {
	object := r.Kind + "/" + r.Name
	var out []finding.Finding
	hit := func(h kubesec.RuleHit, severity finding.Severity) {
		containers := h.Containers
		if len(containers) == 0 {
			containers = []string{""}
		}
		for _, c := range containers {
			f := finding.Finding{Rule: h.ID, Severity: severity, Object: object, Container: c, Message: h.Reason}
			if c != "" {
				f.Message = fmt.Sprintf("container %q: %s", c, h.Reason)
			}
			if rule, ok := kubesec.Find(h.ID); ok {
				f.Hint = rule.Fix
			}
			out = append(out, f)
		}
	}
	for _, h := range r.Critical {
		hit(h, finding.Error)
	}
	for _, h := range r.Advise {
		hit(h, finding.Info)
	}
	if r.Score < minScore {
		out = append(out, finding.Finding{Rule: scoreRule, Severity: finding.Error, Object: object,
			Message: fmt.Sprintf("kubesec scores it %d, below the minimum of %d%s", r.Score, minScore, because(r))})
	}
	return out
}

// because names the rules that took points away, dearest first.
func because(r kubesec.Result) string {
	if len(r.Critical) == 0 {
		return ""
	}
	hits := slices.Clone(r.Critical)
	slices.SortStableFunc(hits, func(a, b kubesec.RuleHit) int { return a.Points - b.Points })
	var parts []string
	for _, h := range hits {
		parts = append(parts, fmt.Sprintf("%s %d", h.ID, h.Points))
	}
	return ": " + strings.Join(parts, ", ")
}
