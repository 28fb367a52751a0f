package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/chartgate/chartgate/internal/trace"
	"github.com/spf13/pflag"
)

// timingFlags ask where the time goes.
type timingFlags struct {
	timings bool
	trace   string
	// always measures even if neither was asked for: something else needs to know.
	always func() bool
}

func (t *timingFlags) register(f *pflag.FlagSet) {
	f.BoolVar(&t.timings, "timings", false, "print to standard error where the time went")
	f.StringVar(&t.trace, "trace", "", "write a Chrome trace of the jobs by worker to this file (chrome://tracing and ui.perfetto.dev show it)")
}

// around measures a verb. What was measured is printed and written whether or
// not the verb fails.
func (t *timingFlags) around(run func(context.Context, []string, stdio) (int, error)) func(context.Context, []string, stdio) (int, error) {
	return func(ctx context.Context, args []string, std stdio) (int, error) {
		if !t.timings && t.trace == "" && (t.always == nil || !t.always()) {
			return run(ctx, args, std)
		}
		file, err := t.create(std)
		if err != nil {
			return 0, err
		}
		recorder := trace.New(file.writer())
		code, err := run(trace.With(ctx, recorder), args, std)
		if t.timings {
			printTimings(std.Err, recorder.Summary())
		}
		return code, errors.Join(err, file.finish(recorder.Close()))
	}
}

// traceFile is a file that takes its name once it is whole; nil for none.
type traceFile struct {
	*os.File
	path string
}

func (t *timingFlags) create(std stdio) (*traceFile, error) {
	if t.trace == "" {
		return nil, nil
	}
	path := absolute(std.Dir, t.trace)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("writing trace %q: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".trace-*")
	if err != nil {
		return nil, fmt.Errorf("writing trace %q: %w", path, err)
	}
	return &traceFile{f, path}, nil
}

func (f *traceFile) writer() io.Writer {
	if f == nil {
		return nil
	}
	return f.File
}

// finish puts the file in its place unless writing it failed.
func (f *traceFile) finish(err error) error {
	if f == nil {
		return nil
	}
	defer os.Remove(f.Name()) // fails once renamed
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return fmt.Errorf("writing trace %q: %w", f.path, err)
	}
	return nil
}

// slowest is how many charts the table names.
const slowest = 10

func printTimings(out io.Writer, s trace.Summary) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "timings: %s in all, at most %s at once\n", seconds(s.Wall), number(s.Workers, "job"))
	table := func(title string, totals []trace.Total, counted bool) {
		if len(totals) == 0 {
			return
		}
		fmt.Fprintf(out, "%s\n", title)
		for _, t := range totals {
			count := ""
			if counted {
				count = fmt.Sprint(t.Count)
			}
			fmt.Fprintf(w, "%s\t%s\t  %s\n", seconds(t.Time), count, t.Name)
		}
		w.Flush()
	}
	table("phases, one after another:", s.Phases, false)
	table("steps, all workers together, and how many:", s.Steps, true)
	table(fmt.Sprintf("slowest of %s, and jobs:", number(len(s.Charts), "chart")), s.Charts[:min(slowest, len(s.Charts))], true)
	if checks := s.Counts["checks"]; checks > 0 {
		fmt.Fprintf(out, "cached: %d of %s\n", s.Counts["cached"], number(checks, "check"))
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }
