package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/chartgate/chartgate/internal/gate"
	"github.com/chartgate/chartgate/internal/publish"
	"github.com/chartgate/chartgate/internal/report"
	"github.com/spf13/pflag"
)

func validateVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	c := commonFlags(f)
	c.checkFlags(f)
	var change changeFlags
	change.register(f)
	var part shardFlags
	part.register(f)
	timing := timingFlags{always: part.measured}
	timing.register(f)
	return timing.around(func(ctx context.Context, args []string, std stdio) (int, error) {
		reports, err := parseReports(std.Dir, c.reports)
		if err != nil {
			return 0, err
		}
		root, cfg, err := c.load(std)
		if err != nil {
			return 0, err
		}
		opts, done, err := c.options(std, root, cfg, args)
		if err != nil {
			return 0, err
		}
		opts.Targets = knownTargets(cfg.Publish.To, std.Env)
		if err := errors.Join(change.asked(&opts), part.asked(&opts, std)); err != nil {
			done()
			return 0, err
		}
		result, err := gate.Run(ctx, opts)
		done()
		if err != nil {
			return 0, err
		}
		printSelection(std.Out, result.Selection)
		printShard(std.Out, result.Plan, len(result.Subjects))
		times := part.took(ctx, result)
		r := reportOf(result)
		r.Shard = shardOf(result.Plan, times)
		code, err := showReport(r.Clean(), reports, c.verbose, std)
		return code, errors.Join(err, part.save(std, result.Repo, times))
	})
}

// knownTargets are the registry prefixes that this repository publishes to, as
// far as it is known here; that there are none is no fault of validate.
func knownTargets(asked []string, env func(string) string) []string {
	targets, err := publish.Targets(asked, env)
	if err != nil {
		return nil
	}
	var out []string
	for _, t := range targets {
		if !t.Embedded {
			out = append(out, t.Ref.String())
		}
	}
	return out
}

// reportFile is one --report FORMAT=FILE.
type reportFile struct {
	format report.Format
	path   string
}

func parseReports(dir string, args []string) ([]reportFile, error) {
	var out []reportFile
	for _, a := range args {
		name, path, ok := strings.Cut(a, "=")
		if !ok || path == "" {
			return nil, &usageError{fmt.Sprintf("--report %q is not FORMAT=FILE", a), ""}
		}
		f, err := report.Lookup(name)
		if err != nil {
			return nil, &usageError{err.Error(), ""}
		}
		out = append(out, reportFile{f, absolute(dir, path)})
	}
	return out, nil
}

// write replaces the file whole.
func (f reportFile) write(r *report.Report) error {
	if err := replaceFile(f.path, func(w io.Writer) error { return f.format.Write(w, r) }); err != nil {
		return fmt.Errorf("writing report %q: %w", f.path, err)
	}
	return nil
}

// reportOf turns the gate's result into what reports are written from.
func reportOf(result *gate.Result) *report.Report {
	r := &report.Report{Tool: report.Tool{Name: "chartgate", Version: version}, FailOn: result.FailOn, Findings: result.Findings}
	for _, s := range result.Subjects {
		c := report.Chart{Name: s.Chart.Name(), Path: s.Chart.Path, Version: s.Chart.Version()}
		if d, err := s.Chart.Package(); err == nil {
			c.Package = d.String()
		}
		if s.Resolved != nil {
			for _, d := range s.Resolved.Deps {
				c.Dependencies = append(c.Dependencies, report.Dependency{Name: d.Name, Version: d.Version, Repository: d.Repository, Origin: string(d.Origin), StandIn: d.StandIn})
			}
		}
		r.Charts = append(r.Charts, c)
	}
	for _, o := range result.Outcomes {
		r.Outcomes = append(r.Outcomes, report.Outcome{Chart: o.Chart, Check: o.Check, State: string(o.State.Reported()), Reason: o.Reason})
	}
	return r
}
