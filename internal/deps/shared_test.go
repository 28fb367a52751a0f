package deps_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/deps"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

// manyCharts is a tree of charts that all want the same.
func manyCharts(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(chartYAML(fmt.Sprintf("c%d", i), "1.0.0",
			"{name: redis, version: 1.x.x, repository: $OCI}, {name: redis, alias: two, version: 1.0.0, repository: $OCI}, {name: etcd, version: 1.x.x, repository: $HTTP}"))
	}
	return b.String()
}

func TestEachThingIsAskedOnce(t *testing.T) {
	const n = 40
	r := newRig(t, manyCharts(n))
	r.push("redis@1.0.0", "redis@1.1.0")
	r.publish("etcd@1.0.0")
	r.web.requests("GET", "")
	res := r.resolver()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i, c := range r.repo.Charts {
		wg.Go(func() { _, errs[i] = res.Resolve(t.Context(), c) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]int{"/tags/list": 1, "/manifests/1.0.0": 1, "/manifests/1.1.0": 1, "index.yaml": 1, "etcd-1.0.0.tgz": 1} {
		if got := r.web.requests("GET", what); got != want {
			t.Errorf("%d requests for %s, want %d", got, what, want)
		}
	}
}

func TestFailuresAreAskedOnce(t *testing.T) {
	r := newRig(t, manyCharts(10))
	r.publish("etcd@1.0.0")
	res := r.resolver()
	for _, c := range r.repo.Charts {
		if _, err := res.Resolve(t.Context(), c); err == nil {
			t.Error("resolved a chart that is not there")
		}
	}
	if got := r.web.requests("GET", "/tags/list"); got != 1 {
		t.Errorf("%d requests for tags", got)
	}
}

// TestHelmIsFresh lets Helm mutate graphs at the same time; the race detector looks on.
func TestHelmIsFresh(t *testing.T) {
	r := newRig(t, webChart(`
- {name: redis, version: 1.x.x, repository: $OCI, alias: kv, condition: kv.enabled, import-values: [{child: from, parent: imported}]}
- {name: common, version: '*', repository: 'file://../common', tags: [off]}
`)+"-- charts/web/values.yaml --\na: {b: [1, {c: d}]}\ntags: {off: false}\n"+chartYAML("common", "1.0.0", ""))
	r.push("redis@1.1.0")
	res := r.mustResolve()
	before, err := res.Files()
	if err != nil {
		t.Fatal(err)
	}
	values, _ := json.Marshal(res.Helm().Values)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c := res.Helm()
			if err := chartutil.ProcessDependenciesWithMerge(c, c.Values); err != nil {
				t.Error(err)
			}
			vandalize(c)
			vandalize(res.Deps[0].Helm())
		})
	}
	wg.Wait()
	after, err := res.Files()
	if err != nil {
		t.Fatal(err)
	}
	if changes := archive.Compare(before, after); len(changes) > 0 {
		t.Errorf("one graph's changes are in another: %v", changes)
	}
	if now, _ := json.Marshal(res.Helm().Values); !bytes.Equal(values, now) {
		t.Errorf("values were %s, are %s", values, now)
	}
	if redis := res.Deps[0].Helm(); redis.Name() != "redis" || redis.Values["from"] != "oci" {
		t.Errorf("redis is %q with %v", redis.Name(), redis.Values)
	}
}

// vandalize changes whatever Helm might.
func vandalize(c *chart.Chart) {
	c.Metadata.Name += "-changed"
	c.Metadata.Dependencies = append(c.Metadata.Dependencies, &chart.Dependency{Name: "new"})
	for _, d := range c.Metadata.Dependencies {
		d.Enabled, d.Name, d.ImportValues = !d.Enabled, "changed", nil
	}
	for k, v := range c.Values {
		if m, ok := v.(map[string]any); ok {
			m["changed"] = true
		}
		c.Values[k+"-changed"] = 1
	}
	for _, s := range c.Dependencies() {
		vandalize(s)
	}
	c.SetDependencies()
	c.Templates, c.Files, c.Raw, c.Lock = nil, nil, nil, nil
}

func TestCancelledResolution(t *testing.T) {
	arrived := make(chan struct{}, 10)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		arrived <- struct{}{}
		<-req.Context().Done()
	}))
	defer slow.Close()
	r := newRig(t, webChart("- {name: redis, version: 1.x.x, repository: 'oci://"+strings.TrimPrefix(slow.URL, "http://")+"/charts'}\n"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	res := r.resolver()
	done := make(chan error)
	go func() {
		_, err := res.Resolve(ctx, r.repo.At("charts/web"))
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a cancelled resolution goes on")
	}
	// It is no failure to be remembered: who asks next, asks anew.
	again, cancelAgain := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancelAgain()
	go func() {
		<-arrived
		cancelAgain()
	}()
	if _, err := res.Resolve(again, r.repo.At("charts/web")); errors.As(err, new(deps.Errors)) {
		t.Errorf("error = %v", err)
	}
}

// TestParsedAreEvicted keeps room for hardly anything and still gives the right charts.
func TestParsedAreEvicted(t *testing.T) {
	r := newRig(t, manyCharts(5))
	r.push("redis@1.0.0", "redis@1.1.0")
	r.publish("etcd@1.0.0")
	r.opt.MaxParsed = 300
	res := r.resolver()
	for range 3 {
		for _, c := range r.repo.Charts {
			got, err := res.Resolve(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if g := graphOf(t, got); !strings.HasSuffix(g, "charts/etcd=etcd@1.0.0 charts/redis=redis@1.0.0 charts/redis=redis@1.1.0") {
				t.Fatalf("graph %s", g)
			}
		}
	}
}
