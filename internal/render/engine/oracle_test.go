//go:build e2e

package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
	helm "helm.sh/helm/v3/pkg/engine"
)

// TestOracle renders every chart of testdata, and of the folders that CORPUS
// names, with Helm's own engine and with this one: the bytes are the same, and
// so are the errors' words.
func TestOracle(t *testing.T) {
	e := New(Options{})
	for _, job := range oracleJobs(t) {
		t.Run(job.name, func(t *testing.T) {
			first, err1 := renderHelm(t, job)
			if err1 != nil {
				_, err := renderOwn(t, e, job)
				if err == nil || err.Error() != err1.Error() {
					t.Errorf("helm says:\n%v\nthis engine says:\n%v", err1, err)
				}
				return
			}
			second, _ := renderHelm(t, job)
			own, err := renderOwn(t, e, job)
			if err != nil {
				t.Fatalf("helm renders, this engine says: %v", err)
			}
			compareMaps(t, first, second, own)
		})
	}
}

type oracleJob struct{ name, chart, values string }

func oracleJobs(t *testing.T) []oracleJob {
	roots := append([]string{"../testdata/charts"}, filepath.SplitList(os.Getenv("CORPUS"))...)
	var out []oracleJob
	for _, root := range roots {
		files, _ := filepath.Glob(filepath.Join(root, "*", "Chart.yaml"))
		for _, f := range files {
			dir := filepath.Dir(f)
			name := filepath.Base(dir)
			out = append(out, oracleJob{name, dir, ""})
			sets, _ := filepath.Glob(filepath.Join(dir, "ci", "*-values.yaml"))
			for _, v := range sets {
				out = append(out, oracleJob{name + "_" + filepath.Base(v), dir, v})
			}
		}
	}
	if len(out) == 0 {
		t.Fatal("no charts to compare")
	}
	return out
}

func prepare(t testing.TB, job oracleJob) (*chart.Chart, helmutil.Values) {
	t.Helper()
	c, err := loader.Load(job.chart)
	if err != nil {
		t.Fatal(err)
	}
	vals := helmutil.Values{}
	if job.values != "" {
		if vals, err = helmutil.ReadValuesFile(job.values); err != nil {
			t.Fatal(err)
		}
	}
	if err := helmutil.ProcessDependenciesWithMerge(c, vals); err != nil {
		t.Fatal(err)
	}
	caps := helmutil.DefaultCapabilities.Copy()
	caps.KubeVersion = helmutil.KubeVersion{Version: "v1.37.0", Major: "1", Minor: "37"}
	opts := helmutil.ReleaseOptions{Name: "rel", Namespace: "default", Revision: 1, IsInstall: true}
	top, err := helmutil.ToRenderValuesWithSchemaValidation(c, vals, opts, caps, true)
	if err != nil {
		t.Fatal(err)
	}
	return c, top
}

func renderHelm(t testing.TB, job oracleJob) (map[string]string, error) {
	c, vals := prepare(t, job)
	return helm.Render(c, vals)
}

func renderOwn(t testing.TB, e *Engine, job oracleJob) (map[string]string, error) {
	c, vals := prepare(t, job)
	out, err := e.Execute(context.Background(), c, vals)
	if err != nil {
		return nil, err
	}
	m := map[string]string{}
	for _, r := range out.Templates {
		m[r.Name] = r.Text
	}
	return m, nil
}

// compareMaps leaves out the lines that differ between two runs of Helm.
func compareMaps(t *testing.T, first, second, own map[string]string) {
	t.Helper()
	names := map[string]bool{}
	for n := range first {
		names[n] = true
	}
	for n := range own {
		names[n] = true
	}
	var sorted []string
	for n := range names {
		sorted = append(sorted, n)
	}
	sort.Strings(sorted)
	for _, n := range sorted {
		if d := difference(first[n], second[n], own[n]); d != "" {
			t.Errorf("%s: %s", n, d)
		}
	}
}

func difference(a, b, own string) string {
	if a == own {
		return ""
	}
	la, lb, lo := strings.Split(a, "\n"), strings.Split(b, "\n"), strings.Split(own, "\n")
	if len(lo) != len(la) {
		return fmt.Sprintf("%d lines, helm has %d\n--- helm\n%s\n--- own\n%s", len(lo), len(la), a, own)
	}
	for i := range la {
		if la[i] != lo[i] && (len(lb) != len(la) || la[i] == lb[i]) {
			return fmt.Sprintf("line %d: helm %q, own %q", i+1, la[i], lo[i])
		}
	}
	return ""
}
