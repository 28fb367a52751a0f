package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/gate"
	"github.com/chartgate/chartgate/internal/publish"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/report"
	"github.com/spf13/pflag"
)

// The exit codes of every verb.
const (
	exitClean    = 0 // nothing fails the run
	exitFindings = 1 // findings at or above the failing severity, a check that could not run, a refused publish
	exitUsage    = 2 // a wrong flag, argument or configuration
	exitFailed   = 3 // chartgate, or a service that it needs, failed
)

// stdio is all that a verb knows of the process it runs in.
type stdio struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) string
	// LookupEnv tells an empty variable from one that is not set; nil takes Env's word.
	LookupEnv func(string) (string, bool)
	Dir       string   // working directory, absolute
	Name      string   // how the program was called, for lines to copy
	Self      []string // the command that runs the program again
}

// verb is one subcommand. Flags are registered before run is called with what
// remains of the arguments.
type verb struct {
	name, args, doc string
	make            func(*pflag.FlagSet) func(context.Context, []string, stdio) (int, error)
}

// verbs lists the subcommands as help prints them.
func verbs() []verb {
	return []verb{
		{"validate", "[CHART…]", "run the checks over charts", validateVerb},
		{"publish", "[CHART…]", "validate, package and push charts to an OCI registry", publishVerb},
		{"build", "[IMAGE…]", "build images on a rootless BuildKit", buildVerb},
		{"builder", "ls|rm|prune|rbac", "look after the builders in Kubernetes, and print the rights that they need", builderVerb},
		{"doctor", "", "say what this machine lacks for building images, and what mends it", doctorVerb},
		{"report", "merge SHARD.json…", "make one report of those of all shards", reportVerb},
		{"list", "", "list the charts of the repository", listVerb},
		{"explain", "[RULE]", "explain a check or rule; list them all", explainVerb},
		{"serve", "", "serve the embedded registry", serveVerb},
		{"yamllint", "[FILE|FOLDER|-…]", "lint YAML as the yamllint command does", yamllintVerb},
		{renderName, "[NAME] CHART", "render a chart as helm template does", renderVerb},
		{"version", "", "print the version", versionVerb},
	}
}

// superviseName is the verb that the program calls itself with. It is not listed.
const superviseName = "supervise"

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, std stdio) int {
	if len(args) == 0 {
		usage(std.Err)
		return exitUsage
	}
	name := args[0]
	if name == "help" || name == "-h" || name == "--help" {
		if len(args) > 1 {
			return run(ctx, []string{args[1], "--help"}, std)
		}
		usage(std.Out)
		return exitClean
	}
	if name == "--version" {
		name = "version"
	}
	for _, v := range append(verbs(), verb{superviseName, "ACT JSON", "look after a daemon that this program started", superviseVerb}) {
		if v.name == name {
			return v.call(ctx, args[1:], std)
		}
	}
	return complain(std.Err, &usageError{fmt.Sprintf("unknown verb %q", name), "chartgate help lists them"})
}

func (v verb) call(ctx context.Context, args []string, std stdio) int {
	flags, f := v.flags()
	err := flags.Parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintf(std.Out, "chartgate %s: %s\n\nusage: chartgate %s\n\n%s", v.name, v.doc, v.usage(), flags.FlagUsages())
		return exitClean
	}
	if err != nil && v.name == renderName {
		return helmFault(std.Err, err) // a stand-in keeps the words and codes of what it stands in for
	}
	if err != nil {
		return complain(std.Err, &usageError{err.Error(), fmt.Sprintf("chartgate %s --help lists the flags", v.name)})
	}
	if v.args == "" && flags.NArg() > 0 {
		return complain(std.Err, &usageError{fmt.Sprintf("unexpected argument %q", flags.Arg(0)), fmt.Sprintf("chartgate %s takes none", v.name)})
	}
	code, err := f(ctx, flags.Args(), std)
	if err != nil {
		return complain(std.Err, err)
	}
	return code
}

// flags makes the verb's flags afresh, and the function that they are for.
func (v verb) flags() (*pflag.FlagSet, func(context.Context, []string, stdio) (int, error)) {
	flags := pflag.NewFlagSet("chartgate "+v.name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	return flags, v.make(flags)
}

func (v verb) usage() string { return strings.TrimSpace(v.name + " [FLAGS] " + v.args) }

func usage(w io.Writer) {
	fmt.Fprintf(w, "chartgate is the gate that every Helm chart passes before it is published.\n\nusage: chartgate VERB [FLAGS] [ARGS]\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-24s %s\n", strings.TrimSpace(v.name+" "+v.args), v.doc)
	}
	fmt.Fprintf(w, "\nchartgate help VERB prints a verb's flags.\nexit codes: 0 clean, 1 findings or a refused publish, 2 usage or configuration, 3 chartgate or a service failed\n")
}

// usageError is a wrong command line.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

// complain prints an error with its hint and returns its exit code.
func complain(w io.Writer, err error) int {
	code, hint := exitFailed, registry.HintOf(err)
	var (
		usage   *usageError
		gateErr *gate.UsageError
		conf    *config.Error
		target  *publish.TargetError
		branch  *publish.BranchError
		image   *buildkit.DefinitionError
		option  *driver.OptionError
		failure *buildkit.Error
		shards  *report.MergeError
	)
	switch {
	case errors.As(err, &usage):
		code, hint = exitUsage, usage.hint
	case errors.As(err, &gateErr):
		code, hint = exitUsage, gateErr.Hint
	case errors.As(err, &conf):
		code = exitUsage
	case errors.As(err, &target):
		code, hint = exitUsage, target.Hint
	case errors.As(err, &image):
		code, hint = exitUsage, image.Hint
	case errors.As(err, &option):
		code, hint = exitUsage, option.Hint
	case errors.As(err, &failure):
		hint = failure.Hint
		if !failure.Ours {
			code = exitFindings
		}
	case errors.As(err, &branch):
		code, hint = exitFindings, branch.Hint
	case errors.As(err, &shards):
		hint = shards.Hint
	case errors.Is(err, context.Canceled):
		err = errors.New("cancelled")
	}
	if hint == "" {
		hint = driver.HintOf(err)
	}
	fmt.Fprintf(w, "chartgate: %v\n", err)
	if hint != "" {
		fmt.Fprintf(w, "  hint: %s\n", hint)
	}
	return code
}
