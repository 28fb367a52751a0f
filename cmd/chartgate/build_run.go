package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/git"
	"github.com/tonistiigi/units"
)

// closeTime bounds the end of a builder, which goes on when the run was cancelled.
const closeTime = 30 * time.Second

// build starts the driver, builds, ends the driver, and writes what came of it.
func (b *buildFlags) build(ctx context.Context, std stdio, run *buildkit.Run, driverName string, list []*buildkit.Image) (code int, err error) {
	if err := run.Check(list); err != nil {
		return 0, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		if cerr := run.Driver.Close(ctx); cerr != nil && err == nil {
			err = fmt.Errorf("ending the %s builder: %w", driverName, cerr)
		}
	}()
	if err := run.Driver.Start(ctx); err != nil {
		return 0, err
	}
	if run.Progress, err = buildkit.NewProgress(std.Err, b.progress, len(list) > 1); err != nil {
		return 0, err
	}
	results, err := run.Build(ctx, list)
	run.Progress.Close()
	if err != nil {
		return 0, err
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	out := std.Out
	if toStdout(list) {
		out = std.Err
	}
	code = printResults(out, std.Err, results)
	return code, b.writeFiles(std.Dir, results)
}

// toStdout says whether an image itself goes to standard output.
func toStdout(list []*buildkit.Image) bool {
	for _, i := range list {
		for _, o := range i.Outputs {
			if o.Dest == "-" {
				return true
			}
		}
	}
	return false
}

// printResults prints a line for each image, the errors, and a summary; it returns the exit code.
func printResults(out, errs io.Writer, results []buildkit.Result) int {
	code, count := exitClean, map[buildkit.State]int{}
	for _, r := range results {
		count[r.State]++
		switch r.State {
		case buildkit.Built:
			fmt.Fprintf(out, "%-10s %s  %s\n", r.State, r.Image.Name, strings.Join(facts(r), "  "))
			for _, ref := range r.Pushed {
				fmt.Fprintf(out, "           pushed %s\n", ref)
			}
			for _, o := range r.Image.Outputs {
				if o.Dest != "" && o.Dest != "-" {
					fmt.Fprintf(out, "           wrote %s %s\n", o.Type, o.Dest)
				}
			}
			for _, w := range r.Warnings {
				fmt.Fprintf(out, "           warning: %s\n", w)
			}
		case buildkit.Held:
			fmt.Fprintf(out, "%-10s %s: %s\n", r.State, r.Image.Name, r.Reason)
		case buildkit.Failed:
			fmt.Fprintf(out, "%-10s %s\n", r.State, r.Image.Name)
			code = max(code, complain(errs, r.Err))
		}
	}
	fmt.Fprintf(out, "%d built", count[buildkit.Built])
	for _, s := range []buildkit.State{buildkit.Failed, buildkit.Held} {
		if count[s] > 0 {
			fmt.Fprintf(out, ", %d %s", count[s], s)
		}
	}
	fmt.Fprintln(out)
	return code
}

func facts(r buildkit.Result) []string {
	var out []string
	if r.Digest != "" {
		out = append(out, r.Digest)
	}
	if r.Size > 0 {
		out = append(out, fmt.Sprintf("%.3g", units.Bytes(r.Size)))
	}
	return append(out, fmt.Sprintf("%d of %d steps cached", r.Cached, r.Steps), fmt.Sprintf("%.1f s", r.Took.Seconds()))
}

// printBuildPlan prints what would be built, in order.
func printBuildPlan(w io.Writer, list []*buildkit.Image) {
	for _, i := range list {
		fmt.Fprintf(w, "to build   %s\n", i.Name)
		if len(i.Needs) > 0 {
			fmt.Fprintf(w, "           after %s\n", strings.Join(i.Needs, ", "))
		}
		push := false
		for _, o := range i.Outputs {
			if o.Attrs["push"] == "true" {
				push = true
				continue
			}
			fmt.Fprintf(w, "           write %s\n", o)
		}
		for _, t := range i.Tags {
			if push {
				fmt.Fprintf(w, "           push %s\n", t)
			} else {
				fmt.Fprintf(w, "           tag %s\n", t)
			}
		}
		for _, c := range i.CacheFrom {
			fmt.Fprintf(w, "           cache from %s\n", c)
		}
		for _, c := range i.CacheTo {
			fmt.Fprintf(w, "           cache to %s\n", c)
		}
	}
	fmt.Fprintf(w, "%d to build\n", len(list))
}

// writeFiles writes what later jobs read. A file appears whole or not at all.
func (b *buildFlags) writeFiles(dir string, results []buildkit.Result) error {
	write := func(name string, data []byte) error {
		if name == "" {
			return nil
		}
		if err := writeWhole(absolute(dir, name), data); err != nil {
			return fmt.Errorf("writing %q: %w", name, err)
		}
		return nil
	}
	metadata, err := buildkit.Metadata(results)
	if err != nil {
		return err
	}
	id := "" // of the image that was asked for, which comes after those that it needs
	if last := results[len(results)-1]; last.State == buildkit.Built {
		id = last.Digest
	}
	return errors.Join(write(b.metadata, metadata), write(b.dotenv, buildkit.Dotenv(results)), write(b.id, []byte(id)))
}

func writeWhole(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// changedError says what is wrong with the revision of --changed-since.
func changedError(err error) error {
	hint := ""
	if errors.Is(err, git.ErrNoMergeBase) || errors.Is(err, git.ErrUnknownRevision) {
		hint = "in a shallow clone that may lie before its first commit: GIT_DEPTH: 0 among the job's variables, or git fetch --unshallow, brings all"
	}
	return &usageError{"--changed-since: " + err.Error(), hint}
}
