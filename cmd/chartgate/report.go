package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/chartgate/chartgate/internal/gate"
	"github.com/chartgate/chartgate/internal/report"
	"github.com/chartgate/chartgate/internal/ui"
	"github.com/spf13/pflag"
)

// reportVerb is `chartgate report merge`.
func reportVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	formats := f.StringArray("report", nil, "FORMAT=FILE: write the report of the whole; formats are json, junit, codequality and text (repeatable)")
	durations := f.String("write-durations", "", "write how long the charts took to this file, for --durations of the next run")
	verbose := f.BoolP("verbose", "v", false, "print findings of severity info too")
	return func(_ context.Context, args []string, std stdio) (int, error) {
		switch {
		case len(args) == 0 || args[0] != "merge":
			return 0, &usageError{"nothing to do", "chartgate report merge --report FORMAT=FILE SHARD.json…"}
		case len(args) == 1:
			return 0, &usageError{"no reports to merge", "name the JSON reports of all shards"}
		}
		reports, err := parseReports(std.Dir, *formats)
		if err != nil {
			return 0, err
		}
		parts, err := readParts(args[1:], std)
		if err != nil {
			return 0, err
		}
		merged, err := report.Merge(parts)
		if err != nil {
			return 0, err
		}
		if *durations != "" {
			if err := writeDurations(absolute(std.Dir, *durations), gate.Durations(report.Seconds(parts))); err != nil {
				return 0, err
			}
		}
		return showReport(merged, reports, *verbose, std)
	}
}

func readParts(files []string, std stdio) ([]report.Part, error) {
	var parts []report.Part
	for _, name := range files {
		f, err := os.Open(absolute(std.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("reading the report of a shard: %w", err)
		}
		r, err := report.ReadShard(f, report.Tool{Name: "chartgate", Version: version})
		f.Close()
		if err != nil {
			return nil, &report.MergeError{File: name, Message: err.Error(), Hint: "run the shard again, with the same chartgate, and --report json=FILE"}
		}
		parts = append(parts, report.Part{File: name, Report: r})
	}
	return parts, nil
}

// showReport prints the report, writes those that were asked for, and gives the exit code.
func showReport(r *report.Report, reports []reportFile, verbose bool, std stdio) (int, error) {
	if err := report.Text(std.Out, r, report.TextOptions{Colour: ui.Colour(std.Out, std.Env), Verbose: verbose}); err != nil {
		return 0, err
	}
	var errs []error
	for _, f := range reports {
		errs = append(errs, f.write(r))
	}
	if err := errors.Join(append(errs, r.Broken())...); err != nil {
		return 0, err
	}
	if !r.Passed() {
		return exitFindings, nil
	}
	return exitClean, nil
}
