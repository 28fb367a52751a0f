package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/render"
	"github.com/spf13/pflag"
	helmchart "helm.sh/helm/v3/pkg/chart"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// renderName is the verb that stands in for `helm template`: its errors have
// Helm's form and exit code.
const renderName = "render"

// exitHelm is the exit code of `helm template` for every error.
const exitHelm = 1

// renderRun is one call of the verb.
type renderRun struct {
	common       *common
	over         render.Overrides
	release      chart.ReleaseOptions
	nameTemplate string
	generateName bool
	print        render.PrintOptions
	outputDir    string
	useRelease   bool
	skipSchema   bool
	fastKeys     bool
	debug        bool
	repo         string
	version      string
	devel        bool

	std stdio
}

func renderVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	r := &renderRun{}
	r.flags(f)
	return func(ctx context.Context, args []string, std stdio) (int, error) {
		r.std = std
		if err := r.run(ctx, args); err != nil {
			return helmFault(std.Err, err), nil
		}
		return exitClean, nil
	}
}

func (r *renderRun) run(ctx context.Context, args []string) error {
	if r.release.KubeVersion != "" {
		if _, err := helmutil.ParseKubeVersion(r.release.KubeVersion); err != nil {
			return fmt.Errorf("invalid kube version '%s': %s", r.release.KubeVersion, err)
		}
	}
	name, where, err := r.nameAndChart(ctx, args)
	if err != nil {
		return err
	}
	source, err := r.locate(where)
	if err != nil {
		return err
	}
	r.over.Read = (&valuesReader{std: r.std}).read
	values, err := r.over.Merge(ctx)
	if err != nil {
		return err
	}
	c, err := source.load(ctx)
	if err != nil {
		return err
	}
	if err := helmutil.ValidateReleaseName(name); err != nil {
		return fmt.Errorf("release name %q: %w", name, err)
	}
	r.release.Name = name
	return r.render(ctx, c, values)
}

func (r *renderRun) render(ctx context.Context, c *helmchart.Chart, values map[string]any) error {
	engine := render.New(render.Options{FastKeys: r.fastKeys})
	result, err := engine.RenderChart(ctx, render.Request{Chart: c, Values: values, Release: r.release, SkipSchema: r.skipSchema})
	if err == nil {
		return r.write(result)
	}
	if result == nil || ctx.Err() != nil {
		return err
	}
	if !r.debug {
		return fmt.Errorf("%w\n\nUse --debug flag to render out invalid YAML", err)
	}
	for _, t := range result.Templates {
		if strings.TrimSpace(t.Text) != "" {
			fmt.Fprintf(r.std.Out, "---\n# Source: %s\n%s\n", t.Name, t.Text)
		}
	}
	return err
}

// write prints the manifests, or writes them into the output folder.
func (r *renderRun) write(result *render.Result) error {
	if r.outputDir == "" {
		return result.Print(r.std.Out, r.print)
	}
	to := render.Folder{Dir: absolute(r.std.Dir, r.outputDir), Shown: r.outputDir, Log: r.std.Out}
	if r.useRelease {
		to.Release = r.release.Name
	}
	if err := result.WriteTo(to, r.print); err != nil {
		return err
	}
	// Helm looks for what is to be shown among what is printed: nothing, here.
	if len(r.print.ShowOnly) > 0 {
		return fmt.Errorf("could not find template %s in chart", r.print.ShowOnly[0])
	}
	_, err := fmt.Fprintln(r.std.Out)
	return err
}

// helmFault prints an error as helm does and returns its exit code. Where a
// file and line or a remedy is known beyond Helm's words, it follows.
func helmFault(w io.Writer, err error) int {
	if errors.Is(err, context.Canceled) {
		err = errors.New("cancelled")
	}
	fmt.Fprintf(w, "Error: %v\n", err)
	var (
		load  *chart.LoadError
		usage *usageError
		all   deps.Errors
	)
	hint := registry.HintOf(err)
	switch {
	case errors.As(err, &load):
		hint = load.Hint
		if load.Line > 0 {
			fmt.Fprintf(w, "  at %s:%d\n", load.File, load.Line)
		} else {
			fmt.Fprintf(w, "  at %s\n", load.File)
		}
	case errors.As(err, &all) && len(all) > 0:
		hint = all[0].Hint
		for _, e := range all {
			for _, tried := range e.Tried {
				fmt.Fprintf(w, "  tried %s\n", tried)
			}
		}
	case errors.As(err, &usage):
		hint = usage.hint
	}
	if hint != "" {
		fmt.Fprintf(w, "  hint: %s\n", hint)
	}
	return exitHelm
}
