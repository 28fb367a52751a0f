package chartschema

import (
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/lint/linttest"
	"github.com/chartgate/chartgate/internal/render/valuesschema"
	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chartutil"
)

const meta = "apiVersion: v2\nname: web\nversion: 1.0.0\ntype: application\n"

func TestChartSchema(t *testing.T) {
	complete := map[string]string{"charts/web/Chart.yaml": meta, "charts/web/README.md": "# web\n", "charts/web/deploy.sh": "", "charts/web/.helmignore": "orgs/\n", "charts/web/orgs/a/values.yaml": "replicas: 1\n"}
	schema := `{"type": "object", "properties": {"replicas": {"type": "integer", "minimum": 1}, "db": {"required": ["host"]}}}`
	for name, tc := range map[string]struct {
		change map[string]string
		want   []string
	}{
		"complete":      {nil, nil},
		"fields":        {map[string]string{"charts/web/Chart.yaml": "name: web\n"}, []string{"charts/web/Chart.yaml:1:1 error chart-file: apiVersion, type and version are missing"}},
		"forms":         {map[string]string{"charts/web/Chart.yaml": strings.Replace(meta, "1.0.0", "v1", 1)}, []string{`charts/web/Chart.yaml:3:10 error chart-file: version: "v1" does not have the right form`}},
		"type":          {map[string]string{"charts/web/Chart.yaml": strings.Replace(meta, "application", "other", 1)}, []string{`charts/web/Chart.yaml:4:7 error chart-file: type must be one of the following: "application", "library"`}},
		"dependency":    {map[string]string{"charts/web/Chart.yaml": meta + "dependencies:\n- {name: a, repository: ''}\n"}, []string{"charts/web/Chart.yaml:6:3 error chart-file: version of dependencies.0 is missing"}},
		"folder":        {map[string]string{"charts/web/Chart.yaml": strings.Replace(meta, "web", "www", 1)}, []string{`charts/web/Chart.yaml:2:7 error name: the chart is named "www" and its folder "web"`}},
		"standard":      {map[string]string{"charts/web/README.md": "-", "charts/web/deploy.sh": "-"}, []string{"charts/web/README.md:0:0 warning readme: README.md is missing", "charts/web/deploy.sh:0:0 warning deploy-script: deploy.sh is missing"}},
		"leak":          {map[string]string{"charts/web/.helmignore": ""}, []string{"charts/web/orgs/a/values.yaml:0:0 error organisation-leak: orgs/a/values.yaml would enter the archive"}},
		"schema":        {map[string]string{"charts/web/values.schema.json": "{\n  \"type\": 1}"}, []string{"charts/web/values.schema.json:1:1 error values-schema: "}},
		"schema's URL":  {map[string]string{"charts/web/values.schema.json": "{\"properties\": {\"a\":\n {\"$ref\": \"https://example.com/s.json\"}}}"}, []string{"charts/web/values.schema.json:2:12 error schema-reference: it refers to https://example.com/s.json, and references never leave the chart"}},
		"schema's file": {map[string]string{"charts/web/values.schema.json": `{"$ref": "../../secret.json#/a"}`}, []string{"charts/web/values.schema.json:1:17 error schema-reference: it refers to secret.json, and references never leave the chart"}},
		"values": {map[string]string{"charts/web/values.schema.json": schema, "charts/web/values.yaml": "replicas: 2\ndb:\n  port: 1\n", "charts/web/orgs/a/values.yaml": "# a\nreplicas: 0\n"}, []string{
			"charts/web/orgs/a/values.yaml:2:1 error values: replicas: minimum: got 0, want 1",
			"charts/web/values.yaml:2:1 error values: db: missing property 'host'"}},
		"values of a subchart": {map[string]string{"charts/web/charts/sub/Chart.yaml": strings.Replace(meta, "web", "sub", 1), "charts/web/charts/sub/values.schema.json": schema, "charts/web/values.yaml": "sub:\n  replicas: many\n"}, []string{
			"charts/web/values.yaml:2:3 error values: sub.replicas: got string, want integer"}},
		"a chart that does not load": {map[string]string{"charts/web/values.yaml": "- a\n", "charts/web/Chart.yaml": strings.Replace(meta, "web", "www", 1)}, []string{`charts/web/Chart.yaml:2:7 error name: the chart is named "www" and its folder "web"`}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for k, v := range complete {
				files[k] = v
			}
			for k, v := range tc.change {
				files[k] = v
				if v == "-" {
					delete(files, k)
				}
			}
			found, outcomes := linttest.Run(t, New(), files, nil)
			if len(found) != len(tc.want) {
				t.Fatalf("%q, want %q", linttest.Lines(found), tc.want)
			}
			for i, f := range found {
				got := strings.Replace(linttest.Lines(found)[i], f.File, linttest.Place(f), 1)
				if !strings.HasPrefix(got, tc.want[i]) {
					t.Errorf("%q\nwant %q", got, tc.want[i])
				}
			}
			broken := linttest.Subjects(t, files, nil)[0].Resolved == nil
			if broken != (outcomes[0].State == "skipped") || name == "a chart that does not load" && !broken {
				t.Errorf("%+v", outcomes)
			}
		})
	}
}

// Helm's own validator must give the same verdict on values as ours.
func TestSameVerdictAsHelm(t *testing.T) {
	for _, schema := range []string{
		`{"properties": {"a": {"type": "integer"}}}`,
		`{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"const": 1}}}`,
		`{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {"x": {"enum": [1, "b"]}}, "properties": {"a": {"$ref": "#/$defs/x"}}}`,
		`{"required": ["b"]}`, `{"additionalProperties": false}`, `{"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}`, `false`, `true`, `{"type": 1}`, `{`,
		`{"properties": {"a": {"$ref": "urn:nobody:knows"}}}`,
	} {
		for _, values := range []map[string]any{{}, {"a": int64(1)}, {"a": 1.5}, {"a": "b"}, {"b": nil}, {"a": map[string]any{}, "b": []any{true}}} {
			helm := chartutil.ValidateAgainstSingleSchema(values, []byte(schema))
			faults, err := validate([]byte(schema), values)
			if err != nil {
				t.Fatal(err)
			}
			_, malformed := valuesschema.Compile([]byte(schema))
			if (helm != nil) != (len(faults) > 0 || malformed != nil) {
				t.Errorf("%s of %v: helm says %v, we %v, %v", schema, values, helm, faults, malformed)
			}
		}
	}
}

func TestNamesakes(t *testing.T) {
	found, _ := linttest.Run(t, New(), map[string]string{"charts/web/Chart.yaml": meta, "charts/www/Chart.yaml": meta}, nil)
	n := 0
	for _, f := range found {
		if f.Rule == "duplicate-name" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%q", cmp.Diff(nil, linttest.Lines(found)))
	}
}
