package engine

import (
	"context"
	"sort"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// chartOf makes a chart "c" of templates, by their paths in templates/;
// other paths are files.
func chartOf(files map[string]string) *chart.Chart {
	c := &chart.Chart{Metadata: &chart.Metadata{APIVersion: "v2", Name: "c", Version: "1.0.0"}}
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		f := &chart.File{Name: n, Data: []byte(files[n])}
		if strings.HasPrefix(n, "templates/") {
			c.Templates = append(c.Templates, f)
		} else {
			c.Files = append(c.Files, f)
		}
	}
	return c
}

func execute(ctx context.Context, e *Engine, c *chart.Chart, vals map[string]any) (*Output, error) {
	opts := helmutil.ReleaseOptions{Name: "rel", Namespace: "default", Revision: 1, IsInstall: true}
	top, err := helmutil.ToRenderValuesWithSchemaValidation(c, vals, opts, nil, true)
	if err != nil {
		return nil, err
	}
	return e.Execute(ctx, c, top)
}

// renderOne renders a template "x.yaml" and returns its text.
func renderOne(t *testing.T, opts Options, text string, vals map[string]any) (string, error) {
	t.Helper()
	out, err := execute(t.Context(), New(opts), chartOf(map[string]string{"templates/x.yaml": text}), vals)
	if err != nil {
		return "", err
	}
	return out.Templates[0].Text, nil
}

func mustRender(t *testing.T, opts Options, text string, vals map[string]any) string {
	t.Helper()
	out, err := renderOne(t, opts, text, vals)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
