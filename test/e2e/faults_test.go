//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// fault is one edit to a chart that passes.
type fault struct {
	name  string
	chart string // fixture/chart
	file  string // relative to the chart
	old   string // the text to replace; "" to write the whole file
	new   string
}

// faults are what people get wrong, and what only looks wrong: helm decides.
var faults = []fault{
	{"nothing", "flat/greeter", "values.yaml", "hello", "good morning"},
	{"no name", "flat/greeter", "Chart.yaml", "name: greeter\n", ""},
	{"no version", "flat/greeter", "Chart.yaml", "version: 1.4.2\n", ""},
	{"no apiVersion", "flat/greeter", "Chart.yaml", "apiVersion: v2\n", ""},
	{"apiVersion v3", "flat/greeter", "Chart.yaml", "apiVersion: v2", "apiVersion: v3"},
	{"apiVersion v1 with a type", "flat/greeter", "Chart.yaml", "apiVersion: v2", "apiVersion: v1"},
	{"version with a v", "flat/greeter", "Chart.yaml", "1.4.2", "v1.4.2"},
	{"version of two numbers", "flat/greeter", "Chart.yaml", "1.4.2", "1.4"},
	{"version that is a number", "flat/greeter", "Chart.yaml", "version: 1.4.2", "version: 1"},
	{"version of words", "flat/greeter", "Chart.yaml", "1.4.2", "latest"},
	{"version zero", "flat/greeter", "Chart.yaml", "1.4.2", "0.0.0"},
	{"appVersion that is a number", "flat/greeter", "Chart.yaml", `"1.29.3"`, "1.29"},
	{"type unknown", "flat/greeter", "Chart.yaml", "type: application", "type: service"},
	{"key unknown", "flat/greeter", "Chart.yaml", "type: application", "type: application\nflavour: mint"},
	{"key twice", "flat/greeter", "Chart.yaml", "type: application", "type: application\ntype: application"},
	{"icon that is no URL", "flat/greeter", "Chart.yaml", "https://example.com/icons/greeter.svg", "greeter.svg"},
	{"source that is no URL", "flat/greeter", "Chart.yaml", "type: application", "type: application\nsources: [nowhere]"},
	{"maintainer without a name", "flat/greeter", "Chart.yaml", "type: application", "type: application\nmaintainers: [{email: a@example.com}]"},
	{"maintainer with half an address", "flat/greeter", "Chart.yaml", "type: application", "type: application\nmaintainers: [{name: a, email: a}]"},
	{"maintainer empty", "flat/greeter", "Chart.yaml", "type: application", "type: application\nmaintainers: [null]"},
	{"Kubernetes too new", "flat/greeter", "Chart.yaml", "type: application", "type: application\nkubeVersion: '>=2.0.0'"},
	{"Kubernetes as ours", "flat/greeter", "Chart.yaml", "type: application", "type: application\nkubeVersion: '>=1.36.0-0'"},
	{"Kubernetes nonsense", "flat/greeter", "Chart.yaml", "type: application", "type: application\nkubeVersion: 'soon'"},
	{"annotation that is a number", "flat/greeter", "Chart.yaml", "type: application", "type: application\nannotations: {a: 1}"},
	{"Chart.yaml a list", "flat/greeter", "Chart.yaml", "", "- a\n"},
	{"name with a slash", "flat/greeter", "Chart.yaml", "name: greeter", "name: a/greeter"},
	{"name with capitals", "flat/greeter", "Chart.yaml", "name: greeter", "name: Greeter"},

	{"values not YAML", "flat/greeter", "values.yaml", "", "a: [\n"},
	{"values text", "flat/greeter", "values.yaml", "", "hello\n"},
	{"values empty", "flat/greeter", "values.yaml", "", ""},
	{"values with a key twice", "flat/greeter", "values.yaml", "greeting: hello", "greeting: hello\ngreeting: hi"},
	{"values with a number for a key", "flat/greeter", "values.yaml", "greeting: hello", "greeting: hello\n1: one"},
	{"values against the schema", "flat/greeter", "values.yaml", "replicas: 2", "replicas: two"},
	{"values unknown to the schema", "flat/greeter", "values.yaml", "replicas: 2", "replicas: 2\nreplica: 3"},
	{"values with two documents", "flat/greeter", "values.yaml", "replicas: 2", "replicas: 2\n---\nreplicas: 3"},
	{"schema that is no JSON", "flat/greeter", "values.schema.json", "", "{"},
	{"schema that is no schema", "flat/greeter", "values.schema.json", "", `{"type": "nonsense"}`},
	{"schema of a later draft", "flat/greeter", "values.schema.json", "draft-07/schema#", "draft-04/schema#"},
	{"schema with a pattern that is none", "house/notes", "values.schema.json", "^([1-9][0-9]*[MG]i)?$", "(["},

	{"template unclosed", "flat/greeter", "templates/service.yaml", "{{ .Release.Name }}-greeter", "{{ .Release.Name"},
	{"template with an unknown function", "flat/greeter", "templates/service.yaml", "{{ .Release.Name }}-greeter", "{{ shout .Release.Name }}"},
	{"template with an unknown field", "flat/greeter", "templates/service.yaml", "port: 80", "port: {{ .Values.service.port }}"},
	{"template with a value that is not there", "flat/greeter", "templates/service.yaml", "port: 80", "port: {{ .Values.port }}"},
	{"template that includes what is not there", "flat/greeter", "templates/service.yaml", "port: 80", `port: {{ include "nothing" . }}`},
	{"template with an end too many", "flat/greeter", "templates/service.yaml", "port: 80", "port: 80 {{ end }}"},
	{"template with a wrong type", "flat/greeter", "templates/service.yaml", "port: 80", "port: {{ index .Values.greeting 0 0 }}"},
	{"template that divides by zero", "flat/greeter", "templates/service.yaml", "port: 80", "port: {{ div 1 0 }}"},
	{"template that fails", "flat/greeter", "templates/service.yaml", "port: 80", `port: {{ fail "no" }}`},
	{"template that fails where it is not asked", "flat/greeter", "templates/service.yaml", "port: 80", `port: 80{{ if false }}{{ fail "no" }}{{ end }}`},
	{"template that requires", "flat/greeter", "templates/service.yaml", "port: 80", `port: {{ required "say which" .Values.port }}`},
	{"template with a name that is too long", "flat/greeter", "templates/service.yaml", "{{ .Release.Name }}-greeter", `{{ repeat 80 "x" }}`},
	{"template with a name in capitals", "flat/greeter", "templates/service.yaml", "{{ .Release.Name }}-greeter", "{{ .Release.Name | upper }}"},
	{"template with a wrong indentation", "flat/greeter", "templates/service.yaml", "spec:\n  selector:", "spec:\n selector:"},
	{"template with a tab", "flat/greeter", "templates/service.yaml", "    - name: http", "\t- name: http"},
	{"template with a key twice", "flat/greeter", "templates/service.yaml", "kind: Service", "kind: Service\nkind: Service"},
	{"template without a kind", "flat/greeter", "templates/service.yaml", "kind: Service\n", ""},
	{"template that is text", "flat/greeter", "templates/hello.yaml", "", "hello\n"},
	{"template that is a list", "flat/greeter", "templates/hello.yaml", "", "- a\n- b\n"},
	{"template that is empty", "flat/greeter", "templates/hello.yaml", "", "{{ if false }}a: b{{ end }}\n"},
	{"template that is a comment", "flat/greeter", "templates/hello.yaml", "", "# nothing\n"},
	{"template with another extension", "flat/greeter", "templates/hello.json", "", `{"kind": "ConfigMap"}`},
	{"template in a folder", "flat/greeter", "templates/more/hello.yaml", "", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hello\n"},
	{"template of bytes", "flat/greeter", "templates/hello.yaml", "", "a: \xff\xfe\n"},
	{"template without a selector", "flat/greeter", "templates/deployment.yaml", "matchLabels:", "labels:"},
	{"template with a list that is annotated", "flat/greeter", "templates/hello.yaml", "", "apiVersion: v1\nkind: List\nitems:\n- metadata:\n    annotations:\n      helm.sh/resource-policy: keep\n"},
	{"template of an API that is gone", "flat/greeter", "templates/hello.yaml", "", "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata:\n  name: hello\n"},
	{"template that reads the time of the release", "flat/greeter", "templates/hello.yaml", "", "a: {{ .Release.Time }}\n"},
	{"template that reads the capabilities", "flat/greeter", "templates/hello.yaml", "", `{{ if not (.Capabilities.APIVersions.Has "apps/v1") }}{{ fail "old" }}{{ end }}`},
	{"template that wants a custom resource", "flat/greeter", "templates/hello.yaml", "", `{{ if not (.Capabilities.APIVersions.Has "example.com/v1") }}{{ fail "not there" }}{{ end }}`},
	{"template that looks up", "flat/greeter", "templates/hello.yaml", "", `{{ if lookup "v1" "Pod" "a" "b" }}{{ fail "found" }}{{ end }}`},
	{"notes that fail", "hooks/clockwork", "templates/NOTES.txt", "", "{{ .Values.a.b }}"},
	{"test that fails", "hooks/clockwork", "templates/tests/ticks.yaml", "", "{{ .Values.a.b }}"},
	{"hook unknown", "hooks/clockwork", "templates/migrate.yaml", "pre-install,pre-upgrade", "pre-everything"},
	{"hook weight of words", "hooks/clockwork", "templates/migrate.yaml", `"-5"`, "heavy"},
	{"crd not YAML", "hooks/clockwork", "crds/alarms.yaml", "", "a: [\n"},
	{"crd with a template", "hooks/clockwork", "crds/alarms.yaml", "alarms.clockwork.example.com", "{{ .Release.Name }}"},
	{"ignore file with stars", "flat/greeter", ".helmignore", "", "**/x\n"},

	{"bare defaults without tests", "ci-values/mailer", "ci/smtp-values.yaml", "mail.example.com", `""`},
	{"values of a test against the template", "ci-values/mailer", "ci/sendgrid-values.yaml", "sendgrid", "pigeon"},
	{"values of a test not YAML", "ci-values/mailer", "ci/sendgrid-values.yaml", "", "a: [\n"},
	{"values of a test a list", "ci-values/mailer", "ci/sendgrid-values.yaml", "", "- a\n"},
	{"values of a test empty", "ci-values/mailer", "ci/sendgrid-values.yaml", "", ""},

	{"dependency not there", "library/shop", "Chart.yaml", "file://../shapes", "file://../nothing"},
	{"dependency of another version", "subcharts/portal", "Chart.yaml", "version: 3.1.0", "version: 4.1.0"},
	{"dependency of another name", "library/shop", "Chart.yaml", "name: shapes", "name: forms"},
	{"dependency without a version", "library/shop", "Chart.yaml", "    version: 1.0.3\n", ""},
	{"dependency with a range that is none", "library/shop", "Chart.yaml", "version: 1.0.3", "version: newest"},
	{"dependency with one alias twice", "subcharts/portal", "Chart.yaml", "alias: pages", "alias: sessions"},
	{"dependency with an alias that is none", "subcharts/portal", "Chart.yaml", "alias: pages", "alias: a b"},
	{"dependency null", "library/shop", "Chart.yaml", "dependencies:", "dependencies:\n  - null"},
	{"dependency with a null import", "subcharts/portal", "Chart.yaml", "      - defaults", "      - null"},
	{"dependency that imports what is not there", "subcharts/portal", "Chart.yaml", "      - defaults", "      - nothing"},
	{"dependency with a wrong condition", "subcharts/portal", "values.yaml", "enabled: true", "enabled: maybe"},
	{"dependency with values that are text", "subcharts/portal", "values.yaml", "spare:\n  enabled: false", "spare: text"},
	{"lock not YAML", "library/shop", "Chart.lock", "", "a: [\n"},
	{"lock empty", "library/shop", "Chart.lock", "", ""},
	{"lock with another digest", "library/shop", "Chart.lock", "sha256:", "sha256:00"},
	{"lock with another version", "library/shop", "Chart.lock", "version: 1.0.3", "version: 1.0.2"},
	{"vendored not named", "vendored/parcel", "Chart.yaml", "dependencies:\n  - name: label\n    version: 0.1.0\n    repository: \"\"\n", ""},
	{"vendored of another version", "vendored/parcel", "Chart.yaml", "version: 0.1.0", "version: 0.3.0"},
	{"vendored without Chart.yaml", "vendored/parcel", "charts/label/Chart.yaml", "", ""},
	{"vendored that fails", "vendored/parcel", "charts/label/templates/configmap.yaml", "", "{{ .Values.a.b }}"},
	{"vendored file that is none", "vendored/parcel", "charts/readme.txt", "", "hello\n"},
	{"vendored hidden", "vendored/parcel", "charts/_label/Chart.yaml", "", "nonsense"},
}

// TestFaults wants helm's verdict on each fault. What helm says is asked, not assumed.
func TestFaults(t *testing.T) {
	helm := program(t, "HELM", "helm")
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			fixtureName, chart, _ := strings.Cut(f.chart, "/")
			s := newSandbox(t)
			fixture.Copy(t, fixture.Path(t, "testdata", "charts", "ok", fixtureName, "charts"), filepath.Join(s.dir, "charts"))
			dir := chartsOf(t, s.dir)[chart]
			f.apply(t, filepath.Join(s.dir, dir))
			fixture.Commit(t, s.dir, "feat: a fault")
			want := helmVerdict(t, newSandbox(t), helm, filepath.Join(s.dir, dir))
			_, report := corpusRun(t, s, nil, "--check", "lint-and-test", "--check", "chart-schema", dir)
			got := installErrors(report)[chart]
			same(t, want, got)
		})
	}
}

// dangerous are fixtures that helm takes all memory or all time for.
var dangerous = []string{"until-two-billion", "silent-loops", "gigabytes-of-output", "tpl-itself"}

// ours are the fixtures that helm has nothing against, and why we have.
var ours = map[string]string{
	"dependency-cycle":   "helm packages the first round, and nothing says that there is another",
	"dependency-outside": "helm reads charts anywhere on the machine",
	"link-out":           "helm packs files from anywhere on the machine",
}

// TestBadFixtures wants helm's verdict on the fixtures too, but where ours is stricter on purpose.
func TestBadFixtures(t *testing.T) {
	helm := program(t, "HELM", "helm")
	bad := fixture.Path(t, "testdata", "charts", "bad")
	for _, name := range subfolders(t, bad) {
		if slices.Contains(dangerous, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandbox{filepath.Join(t.TempDir(), "a", "b", "repository"), fixture.Env(t)}
			fixture.Copy(t, filepath.Join(bad, name, "charts"), filepath.Join(s.dir, "charts"))
			fixture.Copy(t, fixture.Path(t, "testdata", "charts", "ok", "flat"), filepath.Join(s.dir, "..", "..", "ok", "flat"))
			fixture.Write(t, filepath.Join(s.dir, "..", "..", "outside.txt"), "outside\n")
			fixture.Commit(t, s.dir, "feat: a fault")
			_, report := corpusRun(t, s, nil, "--check", "lint-and-test", "--check", "chart-schema")
			errors := installErrors(report)
			for _, chart := range subfolders(t, filepath.Join(s.dir, "charts")) {
				dir := filepath.Join(s.dir, "charts", chart)
				if _, err := os.Stat(filepath.Join(dir, "Chart", "Chart.yaml")); err == nil {
					dir = filepath.Join(dir, "Chart")
				}
				want := s.helmInPlace(t, helm, dir)
				if why, stricter := ours[name]; stricter && want.step == "" {
					if len(errors[chart]) == 0 {
						t.Errorf("chartgate passes %s, which is not safe: %s", chart, why)
					}
					continue
				}
				same(t, want, errors[chart])
			}
		})
	}
}

// same fails the test unless chartgate's errors and helm's verdict agree.
func same(t *testing.T, helm verdict, errors []string) {
	t.Helper()
	if (len(errors) > 0) != (helm.step != "") {
		t.Errorf("verdicts differ\nhelm: %s%s\nchartgate: %s", orPass(helm.step), helm.log, orPass(strings.Join(errors, "\n")))
	}
}

// apply edits the chart in dir.
func (f fault) apply(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, filepath.FromSlash(f.file))
	content := f.new
	if f.old != "" {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if content = strings.Replace(string(data), f.old, f.new, 1); content == string(data) {
			t.Fatalf("%s does not hold %q", f.file, f.old)
		}
	}
	fixture.Write(t, name, content)
	if f.file == "Chart.yaml" {
		_ = os.Remove(filepath.Join(dir, "Chart.lock")) // else it is out of step, and nothing else is looked at
	}
}
