package publish_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/publish"
)

// tree is a repository of charts that depend on one another, resolved.
func resolveTree(t *testing.T, files fstest.MapFS, mirrors []deps.Mirror, dirs ...string) map[string]*deps.Resolved {
	t.Helper()
	var charts []*chart.Chart
	for _, d := range dirs {
		charts = append(charts, chart.Load(files, chart.Dir{Path: d, Root: d}, chart.Limits{}))
	}
	r, err := deps.New(deps.Options{Repo: chart.NewRepo(charts), FS: files, Mirrors: mirrors})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	all := map[string]*deps.Resolved{}
	for _, c := range charts {
		res, err := r.Resolve(context.Background(), c)
		if err != nil {
			t.Fatalf("%s: %v", c.Path, err)
		}
		all[c.Path] = res
	}
	return all
}

func chartFile(name, version string, dependencies ...string) *fstest.MapFile {
	s := "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n"
	if len(dependencies) > 0 {
		s += "dependencies:\n" + strings.Join(dependencies, "")
	}
	return &fstest.MapFile{Data: []byte(s)}
}

func local(name, version string) string {
	return "- {name: " + name + ", version: " + version + ", repository: 'file://../" + name + "'}\n"
}

// TestItemsOfATree takes a chain of charts from the tree to the registry: each carries those below it.
func TestItemsOfATree(t *testing.T) {
	tree := fstest.MapFS{
		"charts/base/Chart.yaml": chartFile("base", "1.0.0"),
		"charts/base/a.txt":      {Data: []byte("a\n")},
		"charts/mid/Chart.yaml":  chartFile("mid", "1.1.0", local("base", "1.0.0")),
		"charts/app/Chart.yaml":  chartFile("app", "1.2.0", local("mid", "^1.0.0")),
	}
	resolved := resolveTree(t, tree, nil, "charts/app", "charts/base", "charts/mid")
	items := func(held string) []publish.Item {
		return []publish.Item{publish.ItemOf(resolved["charts/app"], ""), publish.ItemOf(resolved["charts/base"], held),
			publish.ItemOf(resolved["charts/mid"], "")}
	}
	if got := strings.Join(items("")[0].DependsOn, " "); got != "charts/mid charts/base" {
		t.Errorf("app depends on %q", got)
	}
	r := newRig(t)
	want(t, r.plan(items("it has 1 error")...).Steps, "app hold", "base hold", "mid hold")
	steps := r.publish(items("")...)
	want(t, steps, "app push", "base push", "mid push")
	there, err := r.client.PullChart(t.Context(), steps[0].Reference)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, names(t, there.Archive), "Chart.yaml charts/mid/Chart.yaml charts/mid/charts/base/Chart.yaml charts/mid/charts/base/a.txt")
}

// TestStandInsStayInside: a stand-in, and a version that nothing settles, are passed on to the charts that take them in.
func TestStandInsStayInside(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(folder, fstest.MapFS{"redis/Chart.yaml": chartFile("redis", "20.1.0")}); err != nil {
		t.Fatal(err)
	}
	const redis = "- {name: redis, version: %s, repository: 'oci://registry.example.com/upstream'}\n"
	tree := fstest.MapFS{
		"charts/cache/Chart.yaml": chartFile("cache", "1.0.0", fmt.Sprintf(redis, "20.x.x")),
		"charts/exact/Chart.yaml": chartFile("exact", "1.0.0", fmt.Sprintf(redis, "20.1.0")),
		"charts/web/Chart.yaml":   chartFile("web", "1.0.0", local("cache", "1.0.0")),
	}
	resolved := resolveTree(t, tree, []deps.Mirror{{From: "oci://registry.example.com/upstream", To: folder}}, "charts/cache", "charts/exact", "charts/web")
	var items []publish.Item
	for _, res := range resolved {
		items = append(items, publish.ItemOf(res, ""))
	}
	r := newRig(t)
	steps := r.plan(items...).Steps
	want(t, steps, "cache refuse", "exact refuse", "web refuse")
	contains(t, steps[0].Reason, "no lock file settles its dependencies: redis (20.x.x)", "resolved through stand-ins: redis")
	if strings.Contains(steps[1].Reason, "lock") {
		t.Errorf("an exact version needs no lock: %s", steps[1].Reason)
	}
	contains(t, steps[2].Reason, "redis (20.x.x) of charts/cache", "stand-ins: cache")

	embedded, err := mustTarget(t, "embedded").Started(r.host)
	if err != nil {
		t.Fatal(err)
	}
	r.target = embedded
	want(t, r.publish(items...), "cache push", "exact push", "web push")
}

func TestWithheldItem(t *testing.T) {
	tree := fstest.MapFS{"charts/web/Chart.yaml": {Data: []byte("apiVersion: v2\nname: web\n")}}
	c := chart.Load(tree, chart.Dir{Path: "charts/web", Root: "charts/web"}, chart.Limits{})
	r := newRig(t)
	steps := r.plan(publish.Withheld(c, "it does not load")).Steps
	want(t, steps, "web hold")
	if steps[0].Reason != "it does not load" {
		t.Errorf("reason %q", steps[0].Reason)
	}
}
