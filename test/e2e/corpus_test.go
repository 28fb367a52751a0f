//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/test/fixture"
)

// TestCorpus compares verdicts over a folder of third-party charts, which CORPUS
// names: chartgate's lint-and-test against `helm dependency build` (update, where
// there is no lock), `helm lint` and `helm template`, with each ci/*-values.yaml as
// well. CORPUS_FLAGS go to both, for example --plain-http.
func TestCorpus(t *testing.T) {
	corpus := os.Getenv("CORPUS")
	if corpus == "" {
		t.Skip("no charts to compare with: name a folder of them in CORPUS")
	}
	helm, s := program(t, "HELM", "helm"), newSandbox(t)
	fixture.Copy(t, corpus, filepath.Join(s.dir, "charts"))
	fixture.Commit(t, s.dir, "feat: charts")
	charts := chartsOf(t, s.dir)

	flags := strings.Fields(os.Getenv("CORPUS_FLAGS"))
	cold, _ := corpusRun(t, s, flags, "--check", "lint-and-test")
	warm, lint := corpusRun(t, s, flags, "--check", "lint-and-test")
	all, full := corpusRun(t, s, flags)

	began := time.Now()
	verdicts := helmVerdicts(t, s, helm, charts, flags)
	helmTook := time.Since(began)
	errors := installErrors(full)
	differ := 0
	for _, v := range verdicts {
		if ours := errors[v.chart]; (len(ours) > 0) != (v.step != "") {
			differ++
			t.Errorf("%s\n  helm: %s%s\n  chartgate: %s", v.chart, orPass(v.step), v.log, orPass(strings.Join(ours, "\n             ")))
		}
	}
	t.Logf("verdicts: %d charts, %d differ; helm refuses %d, chartgate %d", len(verdicts), differ, refused(verdicts), len(errors))
	t.Logf("helm, %d at a time: %.1f s", runtime.GOMAXPROCS(0), helmTook.Seconds())
	for _, run := range []struct {
		what   string
		result result
		report *fixture.Report
	}{{"lint-and-test, nothing fetched before:", cold, lint}, {"lint-and-test, dependencies in the store:", warm, lint}, {"all five checks:", all, full}} {
		t.Logf("chartgate %-34s %6.1f s, %4d MiB at the most, %d findings: %d errors, %d warnings", run.what,
			run.result.took.Seconds(), run.result.peak>>20, len(run.report.Findings), run.report.Summary.Errors, run.report.Summary.Warnings)
	}
	t.Log("findings of all five checks, by rule:\n" + byRule(full))
}

// corpusRun runs chartgate over the charts of the sandbox.
func corpusRun(t *testing.T, s sandbox, flags []string, more ...string) (result, *fixture.Report) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.json")
	args := append([]string{"validate", "--report", "json=" + name}, flags...)
	r := s.run(t, binary(t), append(args, more...)...)
	if r.code > 1 {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	report := fixture.ReadReport(t, name)
	if report.Summary.Skipped > 0 {
		for _, o := range report.Outcomes {
			if o.State == "failed" {
				t.Errorf("%s failed on %s: %s", o.Check, o.Chart, o.Reason)
			}
		}
	}
	return r, report
}

// helmVerdicts asks helm about every chart, as many at a time as tests run.
func helmVerdicts(t *testing.T, s sandbox, helm string, charts map[string]string, flags []string) []verdict {
	t.Helper()
	names := slices.Sorted(maps.Keys(charts))
	out := make([]verdict, len(names))
	t.Run("helm", func(t *testing.T) {
		for i, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				// Helm's caches race between processes, so each chart has its own.
				out[i] = helmVerdict(t, newSandbox(t), helm, filepath.Join(s.dir, charts[name]), flags...)
				out[i].chart = name
			})
		}
	})
	return out
}

func refused(verdicts []verdict) (n int) {
	for _, v := range verdicts {
		if v.step != "" {
			n++
		}
	}
	return n
}

// byRule counts findings by rule and severity, the most frequent first.
func byRule(r *fixture.Report) string {
	counts := map[string]int{}
	for _, f := range r.Findings {
		counts[fmt.Sprintf("%-8s %s/%s", f.Severity, f.Check, f.Rule)]++
	}
	var lines []string
	for what, n := range counts {
		lines = append(lines, fmt.Sprintf("%7d %s", n, what))
	}
	slices.Sort(lines)
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}
