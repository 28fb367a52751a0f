package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/gate"
	"github.com/chartgate/chartgate/internal/git"
	"github.com/chartgate/chartgate/internal/publish"
	"github.com/chartgate/chartgate/internal/registry/server"
	"github.com/chartgate/chartgate/internal/trace"
	"github.com/spf13/pflag"
)

// embeddedDir is where the embedded registry keeps its contents.
var embeddedDir = filepath.Join(".chartgate", "registry")

type publishFlags struct {
	*common
	to                               []string
	dryRun, allOrNothing, noValidate bool
	anyBranch                        bool
}

func publishVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	p := &publishFlags{common: commonFlags(f)}
	p.checkFlags(f)
	p.cache.publishes = true
	f.StringArrayVar(&p.to, "to", nil, "registry prefix to push to, or embedded (repeatable; default in GitLab: $CI_REGISTRY_IMAGE/charts)")
	f.BoolVar(&p.dryRun, "dry-run", false, "print the plan, push nothing")
	f.BoolVar(&p.allOrNothing, "all-or-nothing", false, "push nothing unless every chart can go out")
	f.BoolVar(&p.noValidate, "no-validate", false, "do not validate: another job has")
	f.BoolVar(&p.anyBranch, "any-branch", false, "publish from a branch that is not the default one")
	f.StringVar(&p.branch, "default-branch", "", "the branch that charts are published from (default: as CI or git says)")
	var timing timingFlags
	timing.register(f)
	return timing.around(p.run)
}

func (p *publishFlags) run(ctx context.Context, args []string, std stdio) (int, error) {
	reports, err := parseReports(std.Dir, p.reports)
	if err != nil {
		return 0, err
	}
	root, cfg, err := p.load(std)
	if err != nil {
		return 0, err
	}
	if p.flags.Changed("to") {
		cfg.Publish.To = p.to
	}
	targets, err := publish.Targets(cfg.Publish.To, std.Env)
	if err != nil {
		return 0, err
	}
	if !p.anyBranch && !cfg.Publish.AnyBranch && !publish.FreeOfBranch(targets) {
		if err := branchAllowed(ctx, root, cfg, std); err != nil {
			return 0, err
		}
	}
	targets, plainHosts, stop, err := startEmbedded(ctx, root, targets)
	if err != nil {
		return 0, err
	}
	defer stop()
	opts, done, err := p.options(std, root, cfg, args, plainHosts...)
	if err != nil {
		return 0, err
	}
	opts.Whole = true // what passes is packaged
	opts.Targets, opts.NoLint = knownTargets(cfg.Publish.To, std.Env), p.noValidate
	result, err := gate.Run(ctx, opts)
	done()
	if err != nil {
		return 0, err
	}
	code := exitClean
	if !p.noValidate {
		if code, err = showReport(reportOf(result).Clean(), reports, p.verbose, std); err != nil {
			return 0, err
		}
		fmt.Fprintln(std.Out)
	}
	publisher := &publish.Publisher{Client: opts.Registry, AllOrNothing: p.allOrNothing || cfg.Publish.AllOrNothing}
	planned := trace.Phase(ctx, "plan")
	plan, err := publisher.Plan(ctx, items(result), targets)
	planned()
	if err != nil {
		return 0, err
	}
	steps := plan.Steps
	if !p.dryRun {
		pushed := trace.Phase(ctx, "push")
		applied, err := publisher.Apply(ctx, plan)
		pushed()
		if applied != nil {
			steps = applied.Steps
		}
		if err != nil {
			printSteps(std.Out, steps, false)
			return 0, err
		}
	}
	printSteps(std.Out, steps, p.dryRun)
	printPull(std.Out, std.Name, root, std.Dir, steps)
	return max(code, stepsCode(steps)), nil
}

func stepsCode(steps publish.Steps) int {
	switch {
	case steps.Failed():
		return exitFailed
	case steps.Blocked():
		return exitFindings
	}
	return exitClean
}

// branchAllowed refuses other branches than the default one.
func branchAllowed(ctx context.Context, root string, cfg *config.Config, std stdio) error {
	current, def := "", cfg.Branch
	if repo, err := git.Open(ctx, root); err == nil {
		current, _ = repo.CurrentBranch(ctx)
		if b, err := repo.DefaultBranch(ctx); err == nil && def == "" && std.Env("CI_DEFAULT_BRANCH") == "" {
			def = b.Name
		}
	}
	return publish.BranchAllowed(std.Env, current, def)
}

// startEmbedded starts the registry in process where it is one of the targets.
func startEmbedded(ctx context.Context, root string, targets []publish.Target) ([]publish.Target, []string, func(), error) {
	targets = slices.Clone(targets)
	for i, t := range targets {
		if !t.Embedded {
			continue
		}
		srv, err := openEmbedded(root)
		if err != nil {
			return nil, nil, nil, err
		}
		running, err := srv.Start(ctx, "127.0.0.1:0")
		if err != nil {
			srv.Close()
			return nil, nil, nil, fmt.Errorf("starting the embedded registry: %w", err)
		}
		stop := func() {
			running.Close(context.WithoutCancel(ctx))
			srv.Close()
		}
		if targets[i], err = t.Started(running.Addr); err != nil {
			stop()
			return nil, nil, nil, err
		}
		return targets, []string{running.Addr}, stop, nil
	}
	return targets, nil, func() {}, nil
}

// openEmbedded opens the embedded registry of a repository, and keeps git from
// seeing it: an untracked folder would make the work tree differ from its commit.
func openEmbedded(root string) (*server.Server, error) {
	srv, err := server.New(filepath.Join(root, embeddedDir), server.Options{})
	if err != nil {
		return nil, fmt.Errorf("opening the embedded registry: %w", err)
	}
	ignore := filepath.Join(root, filepath.Dir(embeddedDir), ".gitignore")
	if err := os.WriteFile(ignore, []byte("*\n"), 0o644); err != nil {
		srv.Close()
		return nil, fmt.Errorf("opening the embedded registry: %w", err)
	}
	return srv, nil
}

// items are the charts that may be published, and those that may not with the reason.
func items(result *gate.Result) []publish.Item {
	faults := result.Faults()
	var out []publish.Item
	for _, s := range result.Subjects {
		held := faults[s.Chart.Path]
		switch {
		case s.Chart.Err() != nil:
			out = append(out, publish.Withheld(s.Chart, cmp.Or(held, "it does not load: "+s.Chart.Err().Error())))
		case s.Resolved == nil:
			reason := "its dependencies were not resolved"
			if s.ResolveErr != nil {
				reason = "its dependencies could not be resolved: " + s.ResolveErr.Error()
			}
			out = append(out, publish.Withheld(s.Chart, cmp.Or(held, reason)))
		default:
			out = append(out, publish.ItemOf(s.Resolved, held))
		}
	}
	return out
}

// printSteps prints what became of every chart, or what would.
func printSteps(w io.Writer, steps publish.Steps, dryRun bool) {
	words := map[publish.Action]string{publish.Push: "published", publish.Skip: "unchanged", publish.Refuse: "refused", publish.Hold: "held back", publish.Fail: "failed"}
	if dryRun {
		words[publish.Push] = "to publish"
	}
	for _, s := range steps {
		fmt.Fprintf(w, "%-10s %s %s", words[s.Action], s.Name, s.Version)
		if ref := s.Reference.String(); s.Action == publish.Push || s.Action == publish.Skip {
			fmt.Fprintf(w, "  %s", ref)
		}
		if s.Reason != "" && s.Action != publish.Skip {
			fmt.Fprintf(w, ": %s", s.Reason)
		}
		fmt.Fprintln(w)
		for _, c := range s.Changes {
			fmt.Fprintf(w, "           %s\n", c)
		}
		if s.More > 0 {
			fmt.Fprintf(w, "           and %d more\n", s.More)
		}
		if s.Hint != "" && s.Action != publish.Skip {
			fmt.Fprintf(w, "           hint: %s\n", s.Hint)
		}
	}
	fmt.Fprintln(w, summary(steps, dryRun))
}

func summary(steps publish.Steps, dryRun bool) string {
	pushed := steps.Count(publish.Push)
	var parts []string
	switch {
	case pushed == 0 && dryRun:
		parts = append(parts, "nothing to publish")
	case pushed == 0:
		parts = append(parts, "nothing new")
	case dryRun:
		parts = append(parts, fmt.Sprintf("%d to publish", pushed))
	default:
		parts = append(parts, fmt.Sprintf("%d published", pushed))
	}
	for _, a := range []struct {
		action publish.Action
		word   string
	}{{publish.Skip, "unchanged"}, {publish.Refuse, "refused"}, {publish.Hold, "held back"}, {publish.Fail, "failed"}} {
		if n := steps.Count(a.action); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a.word))
		}
	}
	return strings.Join(parts, ", ")
}

// printPull says how to fetch a chart from the embedded registry, which ends
// with this process.
func printPull(w io.Writer, program, root, dir string, steps publish.Steps) {
	for _, s := range steps {
		if s.Target != publish.Embedded || s.Action != publish.Push && s.Action != publish.Skip {
			continue
		}
		flag := ""
		if root != dir {
			flag = " --root " + root
		}
		_, path, _ := strings.Cut(strings.TrimPrefix(s.Reference.String(), "oci://"), "/")
		path, _, _ = strings.Cut(path, ":")
		fmt.Fprintf(w, "\nthe embedded registry ends with this process; to fetch a chart back:\n  %s serve%s &\n  helm pull oci://%s/%s --version %s --plain-http\n", program, flag, defaultAddr, path, s.Version)
		return
	}
}
