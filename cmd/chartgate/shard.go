package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/gate"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/report"
	"github.com/chartgate/chartgate/internal/trace"
	"github.com/spf13/pflag"
)

// shardFlags ask for a part of the charts.
type shardFlags struct {
	shard            string
	durations, write string
	known            gate.Durations
}

func (s *shardFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.shard, "shard", "", "I/N: look at the I-th of N parts of the charts; auto takes CI_NODE_INDEX and CI_NODE_TOTAL, and all charts where neither is set")
	f.StringVar(&s.durations, "durations", "", "file of how long charts took, which balances the shards; all of them need the same. Without one, or while it is missing, charts are cut by a hash of their paths")
	f.StringVar(&s.write, "write-durations", "", "write how long the charts took to this file, with what --durations knows of others")
}

// measured says that it is to be known how long charts take.
func (s *shardFlags) measured() bool { return s.write != "" || s.shard != "" }

// asked sets the gate's options.
func (s *shardFlags) asked(opts *gate.Options, std stdio) (err error) {
	if opts.Shard, err = s.parse(std.Env); err != nil {
		return err
	}
	if s.durations == "" {
		return nil
	}
	path := absolute(std.Dir, s.durations)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the first run is what makes it
	} else if err != nil {
		return &usageError{fmt.Sprintf("reading durations: %v", err), ""}
	}
	defer f.Close()
	if s.known, err = gate.ReadDurations(f); err != nil {
		return &usageError{fmt.Sprintf("reading durations %q: %v", s.durations, err), "chartgate validate --write-durations writes the file anew"}
	}
	opts.Durations = s.known
	return nil
}

func (s *shardFlags) parse(env func(string) string) (gate.Shard, error) {
	value, from := s.shard, "--shard"
	if value == "" {
		return gate.Shard{}, nil
	}
	if value == "auto" {
		index, total := env("CI_NODE_INDEX"), env("CI_NODE_TOTAL")
		switch {
		case index == "" && (total == "" || total == "1"):
			return gate.Shard{}, nil
		case index == "" || total == "":
			return gate.Shard{}, &usageError{fmt.Sprintf("--shard auto: of CI_NODE_INDEX (%q) and CI_NODE_TOTAL (%q) only one is set", index, total), "`parallel: N` in the job sets both"}
		}
		value, from = index+"/"+total, "--shard auto: CI_NODE_INDEX/CI_NODE_TOTAL"
	}
	shard, err := gate.ParseShard(value)
	if err != nil {
		return shard, &usageError{fmt.Sprintf("%s %v", from, err), "--shard is I/N, such as 2/5, or auto"}
	}
	return shard, nil
}

// took is how long each of the charts took: what was measured where they were really
// looked at, what is known from before where their results were cached.
func (s *shardFlags) took(ctx context.Context, result *gate.Result) gate.Durations {
	out := gate.Durations{}
	recorder := trace.From(ctx)
	if recorder == nil {
		return out
	}
	ran := map[string]bool{}
	for _, o := range result.Outcomes {
		ran[o.Chart] = ran[o.Chart] || o.State != lint.Cached
	}
	for _, c := range result.Subjects {
		if d, ok := s.known[c.Chart.Path]; ok {
			out[c.Chart.Path] = d
		}
	}
	for _, t := range recorder.Summary().Charts {
		if ran[t.Name] {
			out.Set(t.Name, t.Time)
		}
	}
	return out
}

// save writes what is known of the durations of the repository's charts.
func (s *shardFlags) save(std stdio, repo *chart.Repo, took gate.Durations) error {
	if s.write == "" {
		return nil
	}
	all := gate.Durations{}
	for path, d := range s.known {
		if repo.At(path) != nil {
			all[path] = d
		}
	}
	maps.Copy(all, took)
	return writeDurations(absolute(std.Dir, s.write), all)
}

func writeDurations(path string, d gate.Durations) error {
	if err := replaceFile(path, func(w io.Writer) error { return gate.WriteDurations(w, d) }); err != nil {
		return fmt.Errorf("writing durations %q: %w", path, err)
	}
	return nil
}

// replaceFile writes a file whole: a reader never finds half of it.
func replaceFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".chartgate-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once renamed
	err = write(tmp)
	if e := tmp.Chmod(0o644); err == nil {
		err = e
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	return err
}

// shardOf is what the report says of its part, nil for the whole.
func shardOf(p *gate.Plan, took gate.Durations) *report.Shard {
	if p == nil {
		return nil
	}
	s := &report.Shard{Index: p.Index, Total: p.Total, Checks: p.Checks, Settings: p.Settings, Durations: p.Durations, Seconds: took}
	for _, c := range p.Charts {
		s.Plan = append(s.Plan, report.Planned{Path: c.Path, Tree: c.Tree, Shard: c.Shard})
	}
	return s
}

func printShard(w io.Writer, p *gate.Plan, charts int) {
	if p != nil {
		fmt.Fprintf(w, "shard %d of %d: %d of %s\n", p.Index, p.Total, charts, number(len(p.Charts), "chart"))
	}
}
