package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/gate"
	"github.com/spf13/pflag"
)

func listVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	c := commonFlags(f)
	var change changeFlags
	change.register(f)
	format := f.String("format", "text", "text or json; either has the reasons for each chart that --changed selects")
	f.StringVar(&c.base, "base", "", "revision that --changed compares with (default: as CI or git says)")
	return func(ctx context.Context, _ []string, std stdio) (int, error) {
		if *format != "text" && *format != "json" {
			return 0, &usageError{fmt.Sprintf("--format %q is neither text nor json", *format), ""}
		}
		root, cfg, err := c.load(std)
		if err != nil {
			return 0, err
		}
		opts, done, err := c.options(std, root, cfg, nil)
		if err != nil {
			return 0, err
		}
		defer done()
		opts.Targets = knownTargets(cfg.Publish.To, std.Env)
		if err := change.asked(&opts); err != nil {
			return 0, err
		}
		repo, selection, err := gate.Changes(ctx, opts)
		if err != nil {
			return 0, err
		}
		listed := listOf(repo, selection)
		if *format == "json" {
			e := json.NewEncoder(std.Out)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return exitClean, e.Encode(listed)
		}
		printSelection(std.Err, selection)
		return exitClean, listed.text(std.Out)
	}
}

// list is what `list --format json` prints. Base and deleted are empty without --changed.
type list struct {
	Schema  int           `json:"schema"`
	Base    listBase      `json:"base"`
	Charts  []listChart   `json:"charts"`
	Deleted []listDeleted `json:"deleted"`
}

type listBase struct {
	Revision string `json:"revision"`
	How      string `json:"how"`
}

type listChart struct {
	Name    string       `json:"name"`
	Version string       `json:"version"`
	Kind    string       `json:"kind"`
	Layout  string       `json:"layout"`
	Path    string       `json:"path"`
	Reasons []listReason `json:"reasons"`
	text    string
}

type listReason struct {
	Kind    string `json:"kind"`
	Text    string `json:"text"`
	File    string `json:"file"`
	Key     string `json:"key"`
	Values  string `json:"values"`
	Link    string `json:"link"`
	Chart   string `json:"chart"`
	Through string `json:"through"`
}

type listDeleted struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Path    string `json:"path"`
}

func listOf(repo *chart.Repo, s *gate.Selection) list {
	out := list{Schema: 1, Charts: []listChart{}, Deleted: []listDeleted{}}
	if s == nil {
		for _, c := range repo.Charts {
			out.Charts = append(out.Charts, listChartOf(c, nil))
		}
		return out
	}
	out.Base = listBase{s.Base, s.How}
	for _, a := range s.Affected {
		out.Charts = append(out.Charts, listChartOf(a.Chart, a.Reasons))
	}
	for _, d := range s.Deleted {
		out.Deleted = append(out.Deleted, listDeleted{d.Name, d.Version, d.Path})
	}
	return out
}

func listChartOf(c *chart.Chart, reasons []gate.Reason) listChart {
	kind := "application"
	switch {
	case c.Err() != nil:
		kind = "does not load"
	case c.IsLibrary():
		kind = "library"
	}
	out := listChart{Name: c.Name(), Version: c.Version(), Kind: kind, Layout: c.Layout.String(), Path: c.Path, Reasons: []listReason{}, text: reasonsText(reasons)}
	for _, r := range reasons {
		out.Reasons = append(out.Reasons, listReason{string(r.Kind), r.String(), r.File, r.Key, r.Values, r.Link, r.Chart, r.Through})
	}
	return out
}

func (l list) text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range l.Charts {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s", c.Name, c.Version, c.Kind, c.Layout, c.Path)
		if c.text != "" {
			fmt.Fprintf(w, "\t%s", c.text)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
