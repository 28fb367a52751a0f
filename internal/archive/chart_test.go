package archive_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
)

// helmFiles is the chart's content as `helm package` writes it, in Helm's order.
func helmFiles(t *testing.T, c *helmchart.Chart) []archive.File {
	t.Helper()
	name, err := chartutil.Save(c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	root, fs, err := archive.Read(bytes.NewReader(data), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if root != c.Name() {
		t.Errorf("root = %q, want %q", root, c.Name())
	}
	return fs
}

func TestFromChartIsHelmPackage(t *testing.T) {
	web := without(webFiles(t), "charts/README.md")
	charts := map[string][]archive.File{
		"everything": web,
		"bare":       files("Chart.yaml", "apiVersion: v2\nname: bare\nversion: 0.1.0\n"),
		"v1 with requirements": files(
			"Chart.yaml", "name: old\nversion: 0.1.0\n",
			"requirements.lock", lockYAML,
			"requirements.yaml", "dependencies: [{name: redis, version: 1.x, repository: 'https://charts.example.com'}]\n",
			"values.yaml", "a: 1\n"),
		"odd metadata": files(
			"Chart.yaml", "apiVersion: v2\nname: odd\nversion: v1.0\nappVersion: 1.10\nunknown: kept?\nicon: \"a\\tb\"\nkubeVersion: '>=1.2'\n"),
	}
	for name, fs := range charts {
		t.Run(name, func(t *testing.T) {
			c := mustLoad(t, fs)
			got, err := archive.FromChart(c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(helmFiles(t, mustLoad(t, fs)), got); diff != "" {
				t.Errorf("files differ from those of helm package (-helm +ours):\n%s", diff)
			}
			again, _ := archive.FromChart(c)
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("second call differs:\n%s", diff)
			}
		})
	}
}

func TestFromChartSortsSubcharts(t *testing.T) {
	c := mustLoad(t, files("Chart.yaml", "apiVersion: v2\nname: top\nversion: 1.0.0\n"))
	for _, nv := range []string{"b:1.0.0", "a:2.0.0", "a:1.0.0"} {
		name, version, _ := strings.Cut(nv, ":")
		c.AddDependency(mustLoad(t, files("Chart.yaml", "apiVersion: v2\nname: "+name+"\nversion: "+version+"\n")))
	}
	got, err := archive.FromChart(c)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range got {
		names = append(names, f.Name)
	}
	want := []string{"Chart.yaml", "charts/a/Chart.yaml", "charts/a/Chart.yaml", "charts/b/Chart.yaml"}
	if !slices.Equal(names, want) {
		t.Errorf("names = %q, want %q", names, want)
	}
	if !strings.Contains(string(got[1].Data), "1.0.0") {
		t.Errorf("the older of two versions should come first, got %s", got[1].Data)
	}
	if twice := archive.Duplicates(got); !slices.Equal(twice, []string{"charts/a/Chart.yaml"}) {
		t.Errorf("Duplicates = %q", twice)
	}
}

func TestFromChartRefuses(t *testing.T) {
	tests := map[string]struct {
		chart *helmchart.Chart
		want  string
	}{
		"no metadata": {&helmchart.Chart{}, "no Chart.yaml"},
		"name":        {&helmchart.Chart{Metadata: &helmchart.Metadata{Name: "../x"}}, "cannot be the name"},
		"schema":      {&helmchart.Chart{Metadata: &helmchart.Metadata{Name: "x"}, Schema: []byte("{")}, "values.schema.json is not valid JSON"},
		"path": {&helmchart.Chart{Metadata: &helmchart.Metadata{Name: "x"}, Files: []*helmchart.File{{Name: "../../x"}}},
			"leads out of the chart"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := archive.FromChart(tt.chart); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestLoadIsHelms compares with Helm's loader, down to the error.
func TestLoadIsHelms(t *testing.T) {
	tests := map[string][]archive.File{
		"everything":              without(webFiles(t), "charts/README.md"),
		"file in charts/":         webFiles(t),
		"no Chart.yaml":           files("values.yaml", "a: 1\n"),
		"broken Chart.yaml":       files("Chart.yaml", "a: [\n"),
		"values not a map":        files("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n", "values.yaml", "[]\n"),
		"broken subchart":         files("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n", "charts/b/Chart.yaml", "name: b\n"),
		"archive that is none":    files("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n", "charts/b-1.tgz", "name: b\n"),
		"folder named like a tgz": files("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n", "charts/b-1.tgz/Chart.yaml", "name: b\n"),
		"two Chart.yaml": files("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\nhome: x\n", "Chart.yaml", "version: 2.0.0\n",
			"templates/a.yaml", "1", "templates/a.yaml", "2"),
	}
	for name, fs := range tests {
		t.Run(name, func(t *testing.T) {
			got, gotErr := archive.Load(fs, archive.Limits{})
			var buffered []*loader.BufferedFile
			for _, f := range fs {
				buffered = append(buffered, &loader.BufferedFile{Name: f.Name, Data: f.Data})
			}
			want, wantErr := loader.LoadFiles(buffered)
			if (gotErr == nil) != (wantErr == nil) {
				t.Fatalf("error = %v, Helm's = %v", gotErr, wantErr)
			}
			if gotErr != nil {
				if !strings.HasPrefix(gotErr.Error(), firstWords(wantErr)) {
					t.Errorf("error = %v, Helm's = %v", gotErr, wantErr)
				}
				return
			}
			sameChart(t, want, got)
		})
	}
}

// firstWords is the start of Helm's message: what follows may come from its own reader of archives.
func firstWords(err error) string {
	words := strings.Fields(err.Error())
	return strings.Join(words[:min(3, len(words))], " ")
}

func sameChart(t *testing.T, want, got *helmchart.Chart) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(helmchart.Chart{})); diff != "" {
		t.Errorf("chart %s (-helm +ours):\n%s", want.ChartFullPath(), diff)
	}
	subs := map[string]*helmchart.Chart{}
	for _, s := range want.Dependencies() {
		subs[s.Name()] = s
	}
	if len(subs) != len(got.Dependencies()) {
		t.Errorf("%d subcharts, Helm has %d", len(got.Dependencies()), len(subs))
	}
	for _, s := range got.Dependencies() {
		if subs[s.Name()] == nil {
			t.Errorf("subchart %q is none of Helm's", s.Name())
			continue
		}
		sameChart(t, subs[s.Name()], s)
	}
}
