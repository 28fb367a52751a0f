package valuesschema

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

func chartWith(schema string, subs ...*helmchart.Chart) *helmchart.Chart {
	c := &helmchart.Chart{Metadata: &helmchart.Metadata{Name: "top"}}
	if schema != "" {
		c.Schema = []byte(schema)
	}
	for _, s := range subs {
		c.AddDependency(s)
	}
	return c
}

// TestSameWordsAsHelm compares with Helm's own validation; it finds faults in the
// order of maps.
func TestSameWordsAsHelm(t *testing.T) {
	sub := chartWith(`{"properties": {"size": {"enum": ["s", "l"]}}, "additionalProperties": false}`)
	sub.Metadata.Name = "sub"
	for _, c := range []*helmchart.Chart{
		chartWith(""), chartWith(`{`), chartWith(`{"type": 1}`), chartWith(`true`), chartWith(`false`), chartWith(`{"required": ["a", "b"]}`),
		chartWith(`{"properties": {"a": {"type": "integer", "maximum": 3}, "b": {"pattern": "^x"}}}`, sub), chartWith("", sub),
		chartWith(`{"anyOf": [{"required": ["z"]}, {"properties": {"a": {"const": 9}}, "required": ["a"]}]}`),
		chartWith(`{"properties": {"a": {"$ref": "urn:nobody:knows"}}}`), chartWith(`{"properties": {"a": {"$ref": "#/none"}}}`), chartWith(`{"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": {"maximum": 3, "exclusiveMaximum": true}}}`),
	} {
		for _, values := range []map[string]any{nil, {}, {"a": int64(1), "b": "x"}, {"a": 4.5, "b": "y"}, {"a": "x", "b": []any{nil}}, {"sub": map[string]any{"size": "m", "more": 1}}, {"sub": "text"}, {"sub": nil, "a": int64(3)}} {
			helm := chartutil.ValidateAgainstSchema(c, values)
			if helm != nil {
				helm = fmt.Errorf("values don't meet the specifications of the schema(s) in the following chart(s):\n%w", helm)
			}
			own := Check(c, values)
			if words(own) != words(helm) {
				t.Errorf("%s of %v:\n%v\nHelm says:\n%v", c.Schema, values, own, helm)
			}
			if again := Check(c, values); own != nil && again.Error() != own.Error() {
				t.Errorf("%v, and then %v", own, again)
			}
		}
	}
}

// words are the lines of an error, sorted.
func words(err error) string {
	if err == nil {
		return ""
	}
	lines := strings.Split(err.Error(), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestReferencesStay(t *testing.T) {
	for ref, want := range map[string]string{"https://example.com/s.json": "https://example.com/s.json", "file:///etc/passwd": "etc/passwd", "../x.json#/a": "x.json", "http://127.0.0.1:1/x": "http://127.0.0.1:1/x"} {
		_, err := Compile([]byte(`{"$ref": "` + ref + `"}`))
		if got := ReferenceIn(err); got == nil || got.URL != want {
			t.Errorf("%s: %v", ref, err)
		}
		said := Check(chartWith(`{"$ref": "`+ref+`"}`), nil)
		if said == nil || !strings.Contains(said.Error(), "references never leave the chart") {
			t.Errorf("%s: %v", ref, said)
		}
	}
	if ReferenceIn(nil) != nil {
		t.Error("a reference in no error")
	}
}
