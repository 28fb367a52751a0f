package kubeseccheck

import (
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint/linttest"
)

const meta = "apiVersion: v2\nname: web\nversion: 1.0.0\n"

const job = `{{- if .Values.enabled }}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
spec:
  schedule: "0 0 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: good
              image: a
            - name: evil
              image: b
              securityContext: {privileged: true}
{{- end }}
---
apiVersion: v1
kind: Service
metadata: {name: web}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: containers}
`

func run(t *testing.T, minScore int, values string) []finding.Finding {
	t.Helper()
	found, outcomes := linttest.Run(t, New(minScore), map[string]string{
		"charts/web/Chart.yaml": meta, "charts/web/values.yaml": values, "charts/web/templates/job.yaml": job}, nil)
	if outcomes[0].State != "ran" {
		t.Fatalf("%+v", outcomes)
	}
	return found
}

func TestContainerAtFault(t *testing.T) {
	var critical []finding.Finding
	score := false
	for _, f := range run(t, 0, "enabled: true\n") {
		if f.Severity == finding.Error && f.Rule != scoreRule {
			critical = append(critical, f)
		}
		score = score || f.Rule == scoreRule
	}
	if len(critical) != 1 || !score {
		t.Fatalf("%+v", critical)
	}
	f := critical[0]
	if f.Rule != "Privileged" || f.Container != "evil" || f.Object != "CronJob/nightly" || f.File != "charts/web/templates/job.yaml" || f.Line != 15 || !strings.Contains(f.Message, `"evil"`) || f.Hint == "" {
		t.Errorf("%+v", f)
	}
}

func TestWhatHasNoPodsIsNoFailure(t *testing.T) {
	if found := run(t, 100, "enabled: false\n"); len(found) != 0 {
		t.Errorf("%q", linttest.Lines(found))
	}
}

func TestMinimum(t *testing.T) {
	files := map[string]string{"charts/web/Chart.yaml": meta, "charts/web/templates/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: b}]}\n"}
	for score, want := range map[int]int{0: 0, 1: 1} {
		found, _ := linttest.Run(t, New(score), files, nil)
		if got := finding.Count(found)[finding.Error]; got != want {
			t.Errorf("minimum %d: %d errors, want %d: %q", score, got, want, linttest.Lines(found))
		}
	}
}

func TestTemplatesThatFailAreSkipped(t *testing.T) {
	files := map[string]string{"charts/web/Chart.yaml": meta, "charts/web/templates/a.yaml": "{{ fail \"no\" }}"}
	_, outcomes := linttest.Run(t, New(0), files, nil)
	if outcomes[0].State != "skipped" || !strings.Contains(outcomes[0].Reason, "defaults") {
		t.Errorf("%+v", outcomes)
	}
	files["charts/web/ci/a-values.yaml"] = "a: 1\n" // then the defaults are excused, but this set fails as well
	_, outcomes = linttest.Run(t, New(0), files, nil)
	if outcomes[0].State != "skipped" || !strings.Contains(outcomes[0].Reason, "ci/a") {
		t.Errorf("%+v", outcomes)
	}
	files["charts/web/templates/a.yaml"] = "{{ required \"a\" .Values.a }}: 1"
	_, outcomes = linttest.Run(t, New(0), files, nil)
	if outcomes[0].State != "ran" {
		t.Errorf("%+v", outcomes)
	}
}

func TestMalformedWorkload(t *testing.T) {
	found, _ := linttest.Run(t, New(0), map[string]string{"charts/web/Chart.yaml": meta, "charts/web/templates/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: none}\n"}, nil)
	if len(found) != 1 || found[0].Rule != objectRule || found[0].Object != "Pod/a" {
		t.Errorf("%q", linttest.Lines(found))
	}
}

func TestPodWithoutContainers(t *testing.T) {
	found, _ := linttest.Run(t, New(0), map[string]string{"charts/web/Chart.yaml": meta, "charts/web/templates/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostPID: true}\n"}, nil)
	if finding.Worst(found) != finding.Error {
		t.Errorf("hostPID passed: %q", linttest.Lines(found))
	}
}
