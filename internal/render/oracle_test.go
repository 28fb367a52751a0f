//go:build e2e

package render

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/source"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// TestHelmTemplate compares with the helm program, for every chart of testdata
// and of the folders that CORPUS names, with its bare defaults and with each
// ci/*-values.yaml: the output is the same, and so is what is refused.
func TestHelmTemplate(t *testing.T) {
	helm, err := exec.LookPath("helm")
	if err != nil {
		t.Skip("helm is not on PATH")
	}
	e := New(Options{})
	roots := append([]string{"testdata/charts"}, filepath.SplitList(os.Getenv("CORPUS"))...)
	for _, root := range roots {
		charts, _ := filepath.Glob(filepath.Join(root, "*", "Chart.yaml"))
		if len(charts) == 0 {
			t.Fatalf("no charts in %q", root)
		}
		for _, file := range charts {
			dir := filepath.Dir(file)
			sets, _ := filepath.Glob(filepath.Join(dir, "ci", "*-values.yaml"))
			for _, values := range append([]string{""}, sets...) {
				t.Run(filepath.Base(dir)+"_"+filepath.Base(values), func(t *testing.T) { compare(t, helm, e, dir, values) })
			}
		}
	}
}

func compare(t *testing.T, helm string, e *Engine, dir, values string) {
	args := []string{"template", "rel", dir, "--include-crds"}
	var files []source.File
	if values != "" {
		args = append(args, "-f", values)
		data, err := os.ReadFile(values)
		if err != nil {
			t.Fatal(err)
		}
		files = []source.File{{Path: values, Data: data}}
	}
	first, stderr, ok := runHelm(helm, args)
	own, err := renderDir(e, dir, files)
	if !ok {
		if err == nil {
			t.Fatalf("helm refuses, this renders: %s", stderr)
		}
		if !strings.Contains(stderr, "Error: "+err.Error()) {
			t.Errorf("helm says:\n%s\nthis says:\n%v", stderr, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("helm renders, this says: %v", err)
	}
	second, _, _ := runHelm(helm, args)
	a, b, o := strings.Split(first, "\n"), strings.Split(second, "\n"), strings.Split(own, "\n")
	if len(a) != len(o) {
		t.Fatalf("%d lines, helm prints %d:\n%s", len(o), len(a), own)
	}
	for i := range a {
		if a[i] != o[i] && (len(a) != len(b) || a[i] == b[i]) {
			t.Fatalf("line %d: helm %q, this %q", i+1, a[i], o[i])
		}
	}
}

func runHelm(helm string, args []string) (stdout, stderr string, ok bool) {
	var out, errs bytes.Buffer
	cmd := exec.Command(helm, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return out.String(), errs.String(), err == nil
}

func renderDir(e *Engine, dir string, files []source.File) (string, error) {
	c, err := loader.Load(dir)
	if err != nil {
		return "", err
	}
	vals, err := mergeFiles(context.Background(), files)
	if err != nil {
		return "", err
	}
	in, err := prepare(c, vals, chart.ReleaseOptions{Name: "rel"})
	if err != nil {
		return "", err
	}
	res, err := e.render(context.Background(), "", in)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = res.Print(&b, PrintOptions{IncludeCRDs: true})
	return b.String(), err
}
