package deps_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLock resolves a chart with whatever Chart.yaml, lock and requirements, without any client: it must end in a result or in errors, and a result
// with a lock means that the lock's digest is right.
func FuzzLock(f *testing.F) {
	for _, tree := range []string{lockedTree, legacyTree, emptyTree, webChart("- {name: web, version: '*', repository: 'file://.'}\n")} {
		files := map[string]string{}
		for _, file := range txtar.Parse([]byte(tree)).Files {
			files[strings.TrimPrefix(file.Name, "charts/web/")] = string(file.Data)
		}
		f.Add(files["Chart.yaml"], files["Chart.lock"], files["requirements.yaml"], files["requirements.lock"])
	}
	f.Add("apiVersion: v2\nname: web\nversion: 1.0.0\n", "dependencies: [null]", "", "")
	f.Add("{apiVersion: v2, name: web, version: 1.0.0, dependencies: [{name: ../x, repository: ''}]}", "null", "", "")
	f.Fuzz(func(t *testing.T, chartYAML, lock, requirements, requirementsLock string) {
		fsys := fstest.MapFS{
			"charts/web/Chart.yaml":          {Data: []byte(chartYAML)},
			"charts/web/Chart.lock":          {Data: []byte(lock)},
			"charts/web/requirements.yaml":   {Data: []byte(requirements)},
			"charts/web/requirements.lock":   {Data: []byte(requirementsLock)},
			"charts/common/Chart.yaml":       {Data: []byte("{apiVersion: v2, name: common, version: 0.1.5}")},
			"charts/web/charts/x/Chart.yaml": {Data: []byte("{apiVersion: v2, name: x, version: 1.0.0}")},
		}
		for name, file := range fsys {
			if len(file.Data) == 0 {
				delete(fsys, name)
			}
		}
		c := chart.Load(fsys, chart.Dir{Path: "charts/web", Root: "charts/web"}, chart.Limits{})
		r, err := deps.New(deps.Options{Repo: chart.NewRepo([]*chart.Chart{c}), FS: fsys})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		res, err := r.Resolve(t.Context(), c)
		if err != nil {
			var errs deps.Errors
			if c.Err() == nil && !errors.As(err, &errs) {
				t.Fatalf("error of type %T: %v", err, err)
			}
			for _, e := range errs {
				_, _ = e.Error(), e.Path()
			}
			return
		}
		if (c.Helm().Lock != nil) != (res.Lock == deps.LockInStep) {
			t.Errorf("lock %s", res.Lock)
		}
		if _, err := res.Files(); err != nil && !strings.Contains(err.Error(), "values.schema.json") {
			t.Errorf("resolved, but not to be packaged: %v", err)
		}
	})
}
