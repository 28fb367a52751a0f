package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func example() *Report {
	fs := []finding.Finding{
		{Check: "lint-and-test", Rule: "render", Severity: finding.Error, Chart: "charts/web", Values: []string{"ci/ha", "defaults"}, File: "charts/web/templates/a.yaml",
			Pos: source.Pos{Line: 3, Column: 7}, Message: "execution error at (web/templates/a.yaml:3:7):\n<nil> & \x1b[31mred\x01", Hint: "set it"},
		{Check: "kubesec", Rule: "Privileged", Severity: finding.Error, Chart: "charts/web", Object: "Deployment/web", Container: "app", File: "charts/web/templates/a.yaml", Message: "privileged"},
		{Check: "yaml-lint", Rule: "truthy", Severity: finding.Warning, Chart: "charts/web", File: "charts/web/values.yaml", Pos: source.Pos{Line: 1, Column: 1}, Message: "truthy value"},
		{Check: "kubesec", Rule: "Seccomp", Severity: finding.Info, Chart: "charts/web", Message: "advice"},
	}
	finding.Sort(fs)
	finding.Fingerprint(fs)
	return &Report{
		Tool: Tool{"chartgate", "1.2.3"}, FailOn: finding.Error,
		Charts: []Chart{
			{Name: "api", Path: "charts/api", Version: "1.0.0", Package: "sha256:00", Dependencies: []Dependency{{Name: "postgresql", Version: "1.0.0", Repository: "oci://r/x", Origin: "file", StandIn: true}}},
			{Name: "web", Path: "charts/web", Version: "2.0.0"},
		},
		Outcomes: []Outcome{
			{"charts/api", "kubesec", Ran, ""}, {"charts/api", "version-check", Skipped, "no base: set GIT_DEPTH: 0"},
			{"charts/web", "kubesec", Ran, ""}, {"charts/web", "lint-and-test", Ran, ""}, {"charts/web", "yaml-lint", Cached, ""},
		},
		Findings: fs,
	}
}

func TestGolden(t *testing.T) {
	for _, f := range Formats() {
		var got bytes.Buffer
		if err := f.Write(&got, example()); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("testdata", f.Name+".golden")
		if *update {
			if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s: %s", f.Name, diff)
		}
	}
}

func TestNoNulls(t *testing.T) {
	for _, f := range Formats() {
		var got bytes.Buffer
		if err := f.Write(&got, &Report{FailOn: finding.Error}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(got.String(), "null") {
			t.Errorf("%s of an empty report holds null: %s", f.Name, got.String())
		}
	}
}

func TestFormatsParse(t *testing.T) {
	var j, x, q bytes.Buffer
	for _, err := range []error{JSON(&j, example()), JUnit(&x, example()), CodeQuality(&q, example())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var suites junitSuites
	if err := xml.Unmarshal(x.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Failures != 2 || suites.Errors != 1 {
		t.Errorf("%d failures, %d errors", suites.Failures, suites.Errors)
	}
	var issues []issue
	if err := json.Unmarshal(q.Bytes(), &issues); err != nil || len(issues) != 4 {
		t.Errorf("%d issues, %v", len(issues), err)
	}
	if !json.Valid(j.Bytes()) {
		t.Error("not JSON")
	}
}

func TestPassed(t *testing.T) {
	r := &Report{FailOn: finding.Error, Findings: []finding.Finding{{Severity: finding.Warning}}}
	if !r.Passed() {
		t.Error("a warning failed a run that fails on errors")
	}
	r.FailOn = finding.Warning
	if r.Passed() {
		t.Error("a warning passed a run that fails on warnings")
	}
	if (&Report{FailOn: finding.Error, Outcomes: []Outcome{{State: Skipped}}}).Passed() {
		t.Error("a skipped check passed")
	}
}

func TestTextHasNoEscapes(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, example(), TextOptions{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\x01") {
		t.Errorf("control characters of a chart reach the terminal: %q", b.String())
	}
}
