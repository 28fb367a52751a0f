package chartschema

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/xeipuuv/gojsonschema"
	"sigs.k8s.io/yaml"
)

//go:embed chart.schema.json
var chartSchemaJSON []byte

var chartSchema = sync.OnceValues(func() (*gojsonschema.Schema, error) {
	return gojsonschema.NewSchema(gojsonschema.NewBytesLoader(chartSchemaJSON))
})

// chartFile validates Chart.yaml and compares its name with the folder's.
func chartFile(c *chart.Chart) ([]finding.Finding, error) {
	file, ok := c.File("Chart.yaml")
	if !ok {
		return nil, nil // the chart does not load, which lint-and-test says
	}
	raw, err := yaml.YAMLToJSON(file.Data)
	if err != nil {
		return nil, nil // so does it of this
	}
	if string(raw) == "null" {
		raw = []byte("{}")
	}
	schema, err := chartSchema()
	if err != nil {
		return nil, fmt.Errorf("compiling the schema of Chart.yaml: %w", err)
	}
	result, err := schema.Validate(gojsonschema.NewBytesLoader(raw))
	if err != nil {
		return nil, fmt.Errorf("validating %q: %w", file.Path, err)
	}
	doc, _ := source.ParseYAML(file.Data)
	var out []finding.Finding
	var missing []string
	for _, e := range result.Errors() {
		if property, ok := e.Details()["property"].(string); ok && e.Type() == "required" && e.Field() == "(root)" {
			missing = append(missing, property)
			continue
		}
		out = append(out, fieldFinding(file, doc, e))
	}
	slices.SortStableFunc(out, func(a, b finding.Finding) int { return strings.Compare(a.Message, b.Message) })
	if len(missing) > 0 {
		out = append(out, missingFinding(file, missing))
	}
	if m := c.Metadata(); m != nil && m.Name != "" && m.Name != c.FolderName() && c.FolderName() != "." {
		pos, _ := doc.Value("name")
		out = append(out, finding.Finding{Rule: "name", Severity: finding.Error, File: file.Path, Pos: pos,
			Message: fmt.Sprintf("the chart is named %q and its folder %q", m.Name, c.FolderName()),
			Hint:    "give both one name: people look for a chart by its folder"})
	}
	return out, nil
}

// namesakes reports other charts of the repository with the chart's name.
func namesakes(s *lint.Subject) []finding.Finding {
	file, ok := s.Chart.File("Chart.yaml")
	if !ok {
		return nil
	}
	doc, _ := source.ParseYAML(file.Data)
	pos, _ := doc.Value("name")
	for _, other := range s.Repo.Named(s.Chart.Name()) {
		if other != s.Chart && other.Metadata() != nil {
			return []finding.Finding{{Rule: "duplicate-name", Severity: finding.Error, File: file.Path, Pos: pos,
				Message: fmt.Sprintf("%s has the name %q too", other.Path, s.Chart.Name()), Hint: "rename one of the two: both would be published to one place"}}
		}
	}
	return nil
}

func fieldFinding(file source.File, doc *source.YAML, e gojsonschema.ResultError) finding.Finding {
	path := pathOf(e.Context())
	f := finding.Finding{Rule: "chart-file", Severity: finding.Error, File: file.Path}
	key := strings.TrimPrefix(e.Field(), "(root)")
	f.Pos, _ = doc.Value(path...)
	f.Message = e.Description()
	if property, ok := e.Details()["property"].(string); ok && e.Type() == "required" {
		f.Message = fmt.Sprintf("%s of %s is missing", property, key)
		return f
	}
	if e.Type() == "pattern" {
		f.Message = fmt.Sprintf("%s: %q does not have the right form", key, fmt.Sprint(e.Value()))
		f.Hint = formHints[key]
		return f
	}
	if key != "" && !strings.HasPrefix(f.Message, key) {
		f.Message = key + ": " + f.Message
	}
	return f
}

// missingFinding is one finding for all that Chart.yaml lacks.
func missingFinding(file source.File, missing []string) finding.Finding {
	slices.Sort(missing)
	f := finding.Finding{Rule: "chart-file", Severity: finding.Error, File: file.Path, Pos: source.Pos{Line: 1, Column: 1}}
	var hints []string
	for _, m := range missing {
		hints = append(hints, missingHints[m])
	}
	f.Hint = strings.Join(hints, "; ")
	last := len(missing) - 1
	if last == 0 {
		f.Message = missing[0] + " is missing"
		return f
	}
	f.Message = strings.Join(missing[:last], ", ") + " and " + missing[last] + " are missing"
	return f
}

var missingHints = map[string]string{
	"apiVersion": "write apiVersion: v2",
	"name":       "write the name of the chart's folder",
	"version":    "write a version such as 0.1.0",
	"type":       "write type: application, or type: library",
}

var formHints = map[string]string{
	"name":    "lower-case letters, digits and dashes, beginning and ending with a letter or digit",
	"version": "MAJOR.MINOR.PATCH as in semver.org, without a leading v",
}

// pathOf turns "(root).dependencies.0.name" into steps of a YAML path.
func pathOf(c *gojsonschema.JsonContext) []any {
	var path []any
	for _, step := range strings.Split(c.String("\x00"), "\x00")[1:] {
		if i, err := strconv.Atoi(step); err == nil {
			path = append(path, i)
			continue
		}
		path = append(path, step)
	}
	return path
}
