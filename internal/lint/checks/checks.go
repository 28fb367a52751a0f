// Package checks lists the checks. To add one, write a package beside the
// others and add its line to List.
package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/lint/checks/chartschema"
	"github.com/chartgate/chartgate/internal/lint/checks/kubeseccheck"
	"github.com/chartgate/chartgate/internal/lint/checks/lintandtest"
	"github.com/chartgate/chartgate/internal/lint/checks/versioncheck"
	"github.com/chartgate/chartgate/internal/lint/checks/yamlcheck"
	"github.com/chartgate/chartgate/internal/yamllint"
)

// Options configure the checks.
type Options struct {
	PublishTargets []string                                    // registry prefixes that this repository publishes to
	YAMLLint       func(path string) (*yamllint.Config, error) // the configuration for a file; ForCharts when nil
	MinScore       int                                         // kubesec score below which a pod is an error
}

// List is all checks in the order in which reports name them.
func List(opts Options) []lint.Check {
	if opts.YAMLLint == nil {
		defaults := yamllint.ForCharts()
		opts.YAMLLint = func(string) (*yamllint.Config, error) { return defaults, nil }
	}
	return []lint.Check{
		lintandtest.New(),
		versioncheck.New(opts.PublishTargets),
		yamlcheck.New(opts.YAMLLint),
		chartschema.New(),
		kubeseccheck.New(opts.MinScore),
	}
}

// Select returns the checks with these names in the order of all; every one
// when there are no names.
func Select(all []lint.Check, names []string) ([]lint.Check, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, c := range all {
		known = append(known, c.Name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("unknown check %q: use one of %s", n, strings.Join(known, ", "))
		}
	}
	var out []lint.Check
	for _, c := range all {
		if slices.Contains(names, c.Name) {
			out = append(out, c)
		}
	}
	return out, nil
}

// Rule finds a rule by its full name, "check/rule".
func Rule(all []lint.Check, name string) (lint.Check, lint.Rule, bool) {
	check, id, _ := strings.Cut(name, "/")
	for _, c := range all {
		for _, r := range c.Rules {
			if c.Name == check && r.ID == id {
				return c, r, true
			}
		}
	}
	return lint.Check{}, lint.Rule{}, false
}
