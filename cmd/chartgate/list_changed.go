package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/chartgate/chartgate/internal/gate"
	"github.com/spf13/pflag"
)

// changeFlags ask for the charts that a change concerns.
type changeFlags struct {
	changed bool
	since   string
}

func (c *changeFlags) register(f *pflag.FlagSet) {
	f.BoolVar(&c.changed, "changed", false, "only charts that differ from the base, what depends on them, and what changed configuration affects")
	f.StringVar(&c.since, "changed-since", "", "like --changed, against the commit where HEAD left this revision")
}

// asked checks that the flags go together, and sets the gate's options.
func (c *changeFlags) asked(opts *gate.Options) error {
	if opts.Touched && (c.changed || c.since != "") {
		return &usageError{"--touched names the changed files, --changed finds them", "give one of the two"}
	}
	if c.since != "" && opts.Base != "" && c.changed {
		return &usageError{"--changed with --base and --changed-since give two revisions to compare with", "leave --changed out: --base is then for versions alone"}
	}
	opts.Changed, opts.Since = c.changed, c.since
	return nil
}

// printSelection says what a run is narrowed down to.
func printSelection(w io.Writer, s *gate.Selection) {
	if s == nil {
		return
	}
	base := s.How
	if s.Base != "" {
		base = fmt.Sprintf("%.12s (%s)", s.Base, s.How)
	}
	switch {
	case s.Base == "":
		fmt.Fprintf(w, "everything is new: %s\n", base)
	case len(s.Files) == 0:
		fmt.Fprintf(w, "nothing changed since %s\n", base)
	case len(s.Affected) == 0:
		fmt.Fprintf(w, "%s changed since %s, which concerns no chart\n", number(len(s.Files), "file"), base)
	default:
		fmt.Fprintf(w, "%s changed since %s: %d of %s\n", number(len(s.Files), "file"), base, len(s.Affected), number(s.Total, "chart"))
	}
	for _, d := range s.Deleted {
		fmt.Fprintf(w, "deleted: %s %s %s\n", d.Name, d.Version, d.Path)
	}
}

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// reasonsText joins the reasons of a chart into one cell.
func reasonsText(reasons []gate.Reason) string {
	parts := make([]string, len(reasons))
	for i, r := range reasons {
		parts[i] = r.String()
	}
	return strings.Join(parts, "; ")
}
