package main

import (
	"context"
	"fmt"
	"io"

	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/lint/checks"
	"github.com/spf13/pflag"
)

func explainVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	markdown := f.Bool("markdown", false, "print the reference of all checks and rules as Markdown")
	return func(_ context.Context, args []string, std stdio) (int, error) {
		all := checks.List(checks.Options{})
		switch {
		case *markdown:
			reference(std.Out, all)
			return exitClean, nil
		case len(args) == 0:
			for _, c := range all {
				explain(std.Out, all, c.Name)
			}
			return exitClean, nil
		}
		for _, name := range args {
			if !explain(std.Out, all, name) {
				return 0, &usageError{fmt.Sprintf("there is no check or rule %q", name), "chartgate explain lists them"}
			}
		}
		return exitClean, nil
	}
}

func explain(w io.Writer, all []lint.Check, name string) bool {
	if c, r, ok := checks.Rule(all, name); ok {
		fmt.Fprintf(w, "%s/%s (%s)\n\nWhat it reports: %s\n\nWhy: %s\n\nInstead: %s\n", c.Name, r.ID, r.Severity, r.What, r.Why, r.Fix)
		return true
	}
	for _, c := range all {
		if c.Name == name {
			fmt.Fprintf(w, "%s: %s\n", c.Name, c.Doc)
			for _, r := range c.Rules {
				fmt.Fprintf(w, "  %-8s %s/%s\n", r.Severity, c.Name, r.ID)
			}
			return true
		}
	}
	return false
}

// reference is docs/checks.md; a test fails when that file is out of date.
func reference(w io.Writer, all []lint.Check) {
	fmt.Fprintf(w, "# Checks and rules\n\nMade by `chartgate explain --markdown`. Severities are the defaults; `rules:` in chartgate.yaml and `--rule` set others.\n")
	for _, c := range all {
		fmt.Fprintf(w, "\n## %s\n\n%s\n", c.Name, c.Doc)
		for _, r := range c.Rules {
			fmt.Fprintf(w, "\n### %s/%s\n\nSeverity: %s. %s\n\n%s\n\n%s\n", c.Name, r.ID, r.Severity, r.What, r.Why, r.Fix)
		}
	}
}
