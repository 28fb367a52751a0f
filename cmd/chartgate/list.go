package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/chartgate/chartgate/internal/gate"
	"github.com/spf13/pflag"
)

func listVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	c := commonFlags(f)
	return func(ctx context.Context, _ []string, std stdio) (int, error) {
		root, cfg, err := c.load(std)
		if err != nil {
			return 0, err
		}
		repo, err := gate.Discover(ctx, gate.Options{Root: root, Config: cfg, Env: std.Env})
		if err != nil {
			return 0, err
		}
		w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
		for _, c := range repo.Charts {
			kind := "application"
			switch {
			case c.Err() != nil:
				kind = "does not load"
			case c.IsLibrary():
				kind = "library"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.Name(), c.Version(), kind, c.Layout, c.Path)
		}
		return exitClean, w.Flush()
	}
}
