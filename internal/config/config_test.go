package config

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/xeipuuv/gojsonschema"
)

const full = `charts: [charts/*, extra/**]
rules: {kubesec/RunAsUser: off}
kubesec:
  min-score: 3
values-sets:
  web:
    - name: ha
      files: [a.yaml]
      api-versions: [monitoring.coreos.com/v1]
mirrors:
  oci://registry.example.com/x: vendor/x
publish: {to: [oci://registry.example.com/charts]}
`

func noEnv(string) string { return "" }

func load(t *testing.T, data string, env func(string) string) (*Config, error) {
	t.Helper()
	return Load(fstest.MapFS{FileName: {Data: []byte(data)}}, "", env)
}

func TestLoad(t *testing.T) {
	c, err := load(t, full, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Charts = []string{"charts/*", "extra/**"}
	want.Rules = map[string]string{"kubesec/RunAsUser": "off"}
	want.Kubesec.MinScore = 3
	want.ValuesSets = map[string][]ValuesSet{"web": {{Name: "ha", Files: []string{"a.yaml"}, APIVersions: []string{"monitoring.coreos.com/v1"}}}}
	want.Mirrors = map[string]string{"oci://registry.example.com/x": "vendor/x"}
	want.Publish.To = []string{"oci://registry.example.com/charts"}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsHavePlaces(t *testing.T) {
	for name, tc := range map[string]struct{ data, want string }{
		"unknown key":      {"charts: [a]\nruels: {}\n", `chartgate.yaml:2:1: unknown key "ruels" (did you mean "rules"?)`},
		"nested key":       {"kubesec:\n  minscore: 1\n", `chartgate.yaml:2:3: unknown key "minscore" (did you mean "min-score"?)`},
		"key in a list":    {"values-sets:\n  web:\n    - nmae: x\n", `chartgate.yaml:3:7: unknown key "nmae" (did you mean "name"?)`},
		"severity":         {"rules:\n  a/b: fatal\n", `chartgate.yaml:2:8: rule "a/b": unknown severity "fatal" (use error, warning, info or off)`},
		"fail-on":          {"fail-on: info\n", `chartgate.yaml:1:10: unknown severity "info"`},
		"wrong type":       {"\njobs: many\n", `chartgate.yaml:2:7: `},
		"not YAML":         {"charts: [a\n", `chartgate.yaml:`},
		"unnamed set":      {"values-sets: {web: [{files: [a]}]}\n", "a values set without a name"},
		"two sets, a name": {"values-sets: {web: [{name: a}, {name: a}]}\n", `two values sets are named "a"`},
	} {
		_, err := load(t, tc.data, noEnv)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v; want %q", name, err, tc.want)
		}
	}
}

func TestVariablesWin(t *testing.T) {
	env := map[string]string{
		"CHARTGATE_KUBESEC_MIN_SCORE": "7",
		"CHARTGATE_CHARTS":            "a/*, b/*",
		"CHARTGATE_MIRRORS":           "oci://a/b=x,https://c=y",
		"CHARTGATE_PLAIN_HTTP":        "true",
		"CHARTGATE_VALUES_SETS":       "{web: [{name: z}]}",
	}
	c, err := load(t, full, func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if c.Kubesec.MinScore != 7 || !c.PlainHTTP || c.ValuesSets["web"][0].Name != "z" {
		t.Errorf("%+v", c)
	}
	if diff := cmp.Diff([]string{"a/*", "b/*"}, c.Charts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"oci://a/b": "x", "https://c": "y"}, c.Mirrors); diff != "" {
		t.Error(diff)
	}
	for name, value := range map[string]string{"CHARTGATE_JOBS": "x", "CHARTGATE_MIRRORS": "a", "CHARTGATE_FAIL_ON": "never"} {
		if _, err := load(t, "", func(k string) string {
			if k == name {
				return value
			}
			return ""
		}); err == nil {
			t.Errorf("%s=%s accepted", name, value)
		}
	}
}

func TestMissingFile(t *testing.T) {
	c, err := Load(fstest.MapFS{}, "", noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), c); diff != "" {
		t.Error(diff)
	}
	if _, err := Load(fstest.MapFS{}, "other.yaml", noEnv); err == nil {
		t.Error("a missing file that was asked for was accepted")
	}
}

func TestSchemaIsOne(t *testing.T) {
	schema, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	for doc, valid := range map[string]bool{
		`{"charts": ["a"], "values-sets": {"web": [{"name": "x"}]}}`: true,
		`{"ruels": {}}`:               false,
		`{"rules": {"a/b": "fatal"}}`: false,
	} {
		result, err := schema.Validate(gojsonschema.NewStringLoader(doc))
		if err != nil || result.Valid() != valid {
			t.Errorf("%s: %v, %v", doc, result.Errors(), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = Parse(data, FileName) })
}
