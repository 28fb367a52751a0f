package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/google/go-cmp/cmp"
)

func nothing() Services {
	return Services{Cluster: func() (*kubernetes.Client, error) { return nil, errors.New("no cluster") },
		Remote: func(context.Context) error { return errors.New("no daemon") }}
}

func TestRun(t *testing.T) {
	r := fine()
	r.services = nothing()
	report, err := Run(t.Context(), r.machine(), Probes())
	if err != nil {
		t.Fatal(err)
	}
	want := []Verdict{{Local, true, []string{}}, {Remote, false, []string{"remote-builder"}}, {Kubernetes, false, []string{"api-server"}}}
	if d := cmp.Diff(want, report.Verdicts); d != "" || !report.Works() {
		t.Error(d)
	}
	if len(report.Results) != len(Probes()) {
		t.Errorf("%d results of %d probes", len(report.Results), len(Probes()))
	}
	data, err := json.Marshal(report)
	if err != nil || strings.Contains(string(data), "null") {
		t.Errorf("%s, %v", data, err)
	}
}

// What another driver needs is no problem of the one that was asked for.
func TestOneDriver(t *testing.T) {
	r := fine()
	r.services = nothing()
	delete(r.programs, "rootlesskit")
	for _, c := range []struct {
		driver string
		works  bool
		bad    []string
	}{{Local, false, []string{"programs"}}, {Remote, false, []string{"remote-builder"}}} {
		report, err := Run(t.Context(), r.machine(), Probes(), c.driver)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]Verdict{{c.driver, c.works, c.bad}}, report.Verdicts); d != "" {
			t.Error(d)
		}
		for _, result := range report.Results {
			if strings.Join(result.Drivers, " ") == Kubernetes && (result.State != Skipped || result.Finding != NotNeeded) {
				t.Errorf("%s was looked at for %s", result.Probe, c.driver)
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := fine()
	if _, err := Run(ctx, r.machine(), Probes(), Local); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestOtherSystems(t *testing.T) {
	r := fine()
	r.services = nothing()
	m := r.machine()
	m.OS = "darwin"
	m.Try = func(context.Context, User, Plan) (Trial, error) { t.Error("something was tried"); return Trial{}, nil }
	report, err := Run(t.Context(), m, Probes())
	if err != nil {
		t.Fatal(err)
	}
	if v := report.Verdicts[0]; v.Works || v.Driver != Local {
		t.Errorf("%+v", v)
	}
}

func TestNamesOfProbes(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Probes() {
		if p.Name == "" || p.Doc == "" || p.Run == nil || seen[p.Name] || strings.ToLower(p.Name) != p.Name {
			t.Errorf("%q", p.Name)
		}
		seen[p.Name] = true
	}
}

func TestMarkdown(t *testing.T) {
	got := Markdown()
	for _, p := range Probes() {
		if !strings.Contains(got, "| `"+p.Name+"` |") || !strings.Contains(got, p.Doc) {
			t.Errorf("%s is missing", p.Name)
		}
	}
	if !strings.Contains(got, "| `clone` | every driver |") {
		t.Errorf("%s", got)
	}
}
