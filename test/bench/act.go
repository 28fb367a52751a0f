package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/render"
	"github.com/chartgate/chartgate/internal/store"
	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/chart/loader"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

// act is one contestant that runs in a process of this program's. Both render each chart once
// with its defaults, the dependencies being in place; charts that do not render are passed over.
func act(name string, args []string) error {
	switch {
	case len(args) != 1:
		return fmt.Errorf("-act %s wants the folder of the charts", name)
	case name == "helm-engine":
		return helmEngine(args[0])
	case name == "chartgate-engine":
		return chartgateEngine(args[0])
	}
	return fmt.Errorf("there is no act %q", name)
}

func helmEngine(dir string) error {
	charts, err := filepath.Glob(filepath.Join(dir, "*", "Chart.yaml"))
	if err != nil {
		return err
	}
	rendered := 0
	for _, file := range charts {
		c, err := loader.Load(filepath.Dir(file))
		if err != nil {
			continue
		}
		if err := helmutil.ProcessDependenciesWithMerge(c, map[string]any{}); err != nil {
			continue
		}
		values, err := helmutil.ToRenderValues(c, map[string]any{}, helmutil.ReleaseOptions{Name: "x", Namespace: "default", Revision: 1, IsInstall: true}, nil)
		if err != nil {
			continue
		}
		if _, err := (engine.Engine{}).Render(c, values); err == nil {
			rendered++
		}
	}
	fmt.Fprintf(os.Stderr, "  rendered %d of %d\n", rendered, len(charts))
	return nil
}

func chartgateEngine(dir string) error {
	ctx, fsys := context.Background(), os.DirFS(dir)
	dirs, err := chart.Discover(fsys, []string{"*"}, nil)
	if err != nil {
		return err
	}
	var charts []*chart.Chart
	for _, d := range dirs {
		charts = append(charts, chart.Load(fsys, d, chart.Limits{}))
	}
	repo := chart.NewRepo(charts)
	client, err := registry.New(registry.Options{PlainHTTP: true})
	if err != nil {
		return err
	}
	resolver, err := deps.New(deps.Options{Registry: client, Store: store.InMemory(store.Options{}), Repo: repo, FS: fsys, Dir: dir})
	if err != nil {
		return err
	}
	defer resolver.Close()
	e := render.New(render.Options{Seed: "bench"})
	rendered := make(chan bool, len(charts))
	var g errgroup.Group
	g.SetLimit(1) // one at a time, as Helm's: it is CPU time that is compared
	for _, c := range repo.Charts {
		g.Go(func() error {
			if c.Err() != nil {
				return nil
			}
			resolved, err := resolver.Resolve(ctx, c)
			if err == nil {
				_, err = e.Render(ctx, resolved, chart.ValuesSet{Name: "defaults", Release: chart.ReleaseOptions{Name: "x"}})
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "  %s: %v\n", c.Name(), err)
				return nil
			}
			rendered <- true
			return nil
		})
	}
	_ = g.Wait()
	fmt.Fprintf(os.Stderr, "  rendered %d of %d\n", len(rendered), len(charts))
	return nil
}
