package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/chartgate/chartgate/internal/yamllint"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// The exit codes of yamllint where they are not those of the other verbs. A wrong command line is 2 to both.
const (
	exitWarnings  = 2   // under --strict
	exitBadConfig = 255 // a configuration that cannot be used, a file that cannot be read
)

// yamllintVersion is the version whose rules and options are known.
const yamllintVersion = "1.38.0"

// yamllintRun is one call of the verb.
type yamllintRun struct {
	configFile, configData, format              string
	listFiles, strict, noWarnings, version, fix bool

	flags *pflag.FlagSet
	std   stdio
	cfg   *yamllint.Config
	out   *bufio.Writer
	code  int
}

func yamllintVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	r := &yamllintRun{flags: f}
	f.StringVarP(&r.configFile, "config-file", "c", "", "configuration file")
	f.StringVarP(&r.configData, "config-data", "d", "", "configuration as YAML, or what it is to extend: default, relaxed")
	f.BoolVar(&r.listFiles, "list-files", false, "list the files that would be linted, and do no more")
	f.StringVarP(&r.format, "format", "f", "auto", "format of the output: "+strings.Join(yamllint.Formats(), ", "))
	f.BoolVarP(&r.strict, "strict", "s", false, "exit with 2 for warnings")
	f.BoolVar(&r.noWarnings, "no-warnings", false, "leave warnings out of the output")
	f.BoolVar(&r.fix, "fix", false, "repair what can be repaired without changing what a file means, and lint the result")
	f.BoolVarP(&r.version, "version", "v", false, "print the version of yamllint whose rules are known")
	return func(ctx context.Context, args []string, std stdio) (int, error) {
		r.std = std
		return r.run(ctx, args)
	}
}

func (r *yamllintRun) run(ctx context.Context, args []string) (int, error) {
	if r.version {
		fmt.Fprintf(r.std.Out, "yamllint %s (chartgate %s)\n", yamllintVersion, version)
		return exitClean, nil
	}
	if err := r.check(args); err != nil {
		return 0, err
	}
	if err := r.configure(); err != nil {
		return r.refuse(err), nil
	}
	r.out = bufio.NewWriterSize(r.std.Out, 1<<16)
	format, err := yamllint.NewFormat(r.format, r.out, yamllint.FormatOptions{Terminal: r.terminal(), Getenv: r.std.Env})
	if err != nil {
		return 0, &usageError{err.Error(), ""}
	}
	if args[0] == "-" {
		err = r.stdin(format)
	} else {
		err = r.files(ctx, args, format)
	}
	if err == nil && !r.listFiles {
		format.Close()
	}
	if flushed := r.out.Flush(); flushed != nil {
		return 0, fmt.Errorf("writing the report: %w", flushed)
	}
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil:
		return r.refuse(err), nil
	}
	return r.code, nil
}

func (r *yamllintRun) check(args []string) error {
	switch {
	case len(args) == 0:
		return &usageError{"no files are named", "chartgate yamllint . lints all below the working directory, and - the standard input"}
	case slices.Contains(args, "-") && slices.ContainsFunc(args, func(a string) bool { return a != "-" }):
		return &usageError{"the standard input cannot be linted together with files", "call chartgate yamllint twice"}
	case r.flags.Changed("config-file") && r.flags.Changed("config-data"):
		return &usageError{"--config-file and --config-data cannot be used together", ""}
	case r.fix && args[0] == "-":
		return &usageError{"the standard input cannot be repaired", "--fix changes files; name them"}
	case !slices.Contains(yamllint.Formats(), r.format):
		return &usageError{fmt.Sprintf("unknown format %q", r.format), "use one of " + strings.Join(yamllint.Formats(), ", ")}
	}
	return nil
}

func (r *yamllintRun) configure() (err error) {
	open := func(path string) ([]byte, error) {
		return yamllint.ReadFile(r.std.Dir, path)
	}
	switch {
	case r.flags.Changed("config-data"):
		if r.configData != "" && !strings.Contains(r.configData, ":") {
			r.configData = "extends: " + r.configData
		}
		r.cfg, err = yamllint.ParseConfig([]byte(r.configData), "--config-data", open)
	case r.flags.Changed("config-file"):
		var data []byte
		if data, err = open(r.configFile); err == nil {
			r.cfg, err = yamllint.ParseConfig(data, r.configFile, open)
		}
	default:
		home, _ := os.UserHomeDir()
		if h := r.std.Env("HOME"); h != "" {
			home = h
		}
		r.cfg, _, err = yamllint.FindConfig(yamllint.Search{Dir: r.std.Dir, Home: home, Getenv: r.std.Env, Open: open})
		if r.cfg == nil && err == nil {
			r.cfg = yamllint.Default()
		}
	}
	return err
}

func (r *yamllintRun) terminal() bool {
	f, ok := r.std.Out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// stdin lints the standard input, which has no path that patterns could match.
func (r *yamllintRun) stdin(format yamllint.Format) error {
	if r.listFiles {
		return nil
	}
	data, err := yamllint.ReadText(r.std.In, "stdin", 0)
	if err != nil {
		return err
	}
	r.report("stdin", yamllint.Lint(data, "", r.cfg), format)
	return nil
}

func (r *yamllintRun) files(ctx context.Context, args []string, format yamllint.Format) error {
	for path := range yamllint.Files(r.std.Dir, args, r.cfg) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.listFiles {
			fmt.Fprintln(r.out, path)
			continue
		}
		if r.fix {
			r.repair(path)
		}
		data, err := yamllint.ReadFile(r.std.Dir, path)
		if err != nil {
			return r.named(err, path)
		}
		r.report(path, yamllint.Lint(data, filepath.ToSlash(path), r.cfg), format)
	}
	return nil
}

// repair repairs a file, or tells why it is left alone. What is missing or cannot be read is for linting to tell.
func (r *yamllintRun) repair(path string) {
	changed, err := yamllint.FixFile(r.std.Dir, path, r.cfg)
	switch {
	case changed:
		fmt.Fprintf(r.std.Err, "%s: repaired\n", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(r.std.Err, "%s: left as it is: %v\n", path, err)
		r.code = exitFindings
	}
}

// report writes a file's problems. Warnings that are not written count none the less.
func (r *yamllintRun) report(path string, problems []yamllint.Problem, format yamllint.Format) {
	for _, p := range problems {
		switch {
		case p.Level == yamllint.Error:
			r.code = exitFindings
		case r.strict && r.code == exitClean:
			r.code = exitWarnings
		}
	}
	if r.noWarnings {
		problems = slices.DeleteFunc(problems, func(p yamllint.Problem) bool { return p.Level == yamllint.Warning })
	}
	format.File(path, problems)
}

// named words an error of the system as yamllint does, with the path as it was given.
func (r *yamllintRun) named(err error, path string) error {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return err
	}
	words := number.Error()
	return fmt.Errorf("[Errno %d] %s: '%s'", int(number), strings.ToUpper(words[:1])+words[1:], path)
}

// refuse tells why nothing more is linted.
func (r *yamllintRun) refuse(err error) int {
	var missing *fs.PathError
	if errors.As(err, &missing) && !errors.As(err, new(*yamllint.ConfigError)) {
		path := missing.Path
		if rel, relErr := filepath.Rel(r.std.Dir, path); relErr == nil && !strings.HasPrefix(rel, "..") {
			path = rel
		}
		err = r.named(err, path)
	}
	fmt.Fprintln(r.std.Err, err)
	return exitBadConfig
}
