package lintandtest

import (
	"fmt"
	"path/filepath"

	"github.com/Masterminds/semver/v3"
	"github.com/asaskevich/govalidator"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// chartFile is what `helm lint` says of Chart.yaml (Helm's pkg/lint/rules/chartfile.go), in its words.
// Helm stops at nothing but a file that does not parse; neither do we.
func chartFile(c *chart.Chart) []finding.Finding {
	file, ok := c.File("Chart.yaml")
	if !ok {
		return nil // the chart does not load, which is said already
	}
	var m helmchart.Metadata
	if yaml.Unmarshal(file.Data, &m) != nil {
		return nil
	}
	raw := map[string]any{}
	_ = yaml.Unmarshal(file.Data, &raw)
	doc, _ := source.ParseYAML(file.Data)
	var out []finding.Finding
	report := func(msg string, path ...any) {
		if msg == "" {
			return
		}
		pos, _ := doc.Pos(path...)
		out = append(out, finding.Finding{Rule: "chart-file", Severity: finding.Error, File: file.Path, Pos: pos, Message: msg})
	}
	report(nameFault(&m), "name")
	report(apiVersionFault(&m), "apiVersion")
	report(notString(raw, "version"), "version")
	report(versionFault(&m), "version")
	report(notString(raw, "appVersion"), "appVersion")
	report(maintainerFault(&m), "maintainers")
	for i, s := range m.Sources {
		if s == "" || !govalidator.IsRequestURL(s) {
			report(fmt.Sprintf("invalid source URL '%s'", s), "sources", i)
			break
		}
	}
	if m.Icon != "" && !govalidator.IsRequestURL(m.Icon) {
		report(fmt.Sprintf("invalid icon URL '%s'", m.Icon), "icon")
	}
	if m.Type != "" && m.APIVersion != helmchart.APIVersionV2 {
		report(fmt.Sprintf("chart type is not valid in apiVersion '%s'. It is valid in apiVersion '%s'", m.APIVersion, helmchart.APIVersionV2), "type")
	}
	if len(m.Dependencies) > 0 && m.APIVersion != helmchart.APIVersionV2 {
		report(fmt.Sprintf("dependencies are not valid in the Chart file with apiVersion '%s'. They are valid in apiVersion '%s'", m.APIVersion, helmchart.APIVersionV2), "dependencies")
	}
	if m.Icon == "" {
		out = append(out, finding.Finding{Rule: "icon", Severity: finding.Info, File: file.Path, Pos: source.Pos{Line: 1, Column: 1}, Message: "icon is recommended"})
	}
	return out
}

func nameFault(m *helmchart.Metadata) string {
	switch {
	case m.Name == "":
		return "name is required"
	case filepath.Base(m.Name) != m.Name:
		return fmt.Sprintf("chart name %q is invalid", m.Name)
	}
	return ""
}

func apiVersionFault(m *helmchart.Metadata) string {
	switch m.APIVersion {
	case "":
		return `apiVersion is required. The value must be either "v1" or "v2"`
	case helmchart.APIVersionV1, helmchart.APIVersionV2:
		return ""
	}
	return fmt.Sprintf(`apiVersion '%s' is not valid. The value must be either "v1" or "v2"`, m.APIVersion)
}

func versionFault(m *helmchart.Metadata) string {
	if m.Version == "" {
		return "version is required"
	}
	v, err := semver.NewVersion(m.Version)
	if err != nil {
		return fmt.Sprintf("version '%s' is not a valid SemVer", m.Version)
	}
	positive, err := semver.NewConstraint(">0.0.0-0")
	if err != nil {
		return err.Error()
	}
	if ok, why := positive.Validate(v); !ok && len(why) > 0 {
		return fmt.Sprintf("version %v", why[0])
	}
	return ""
}

func notString(raw map[string]any, key string) string {
	v, ok := raw[key]
	if !ok {
		return ""
	}
	if _, isString := v.(string); isString {
		return ""
	}
	return fmt.Sprintf("%s should be of type string but it's of type %T", key, v)
}

func maintainerFault(m *helmchart.Metadata) string {
	for _, p := range m.Maintainers {
		switch {
		case p == nil:
			return "a maintainer entry is empty"
		case p.Name == "":
			return "each maintainer requires a name"
		case p.Email != "" && !govalidator.IsEmail(p.Email):
			return fmt.Sprintf("invalid email '%s' for maintainer '%s'", p.Email, p.Name)
		case p.URL != "" && !govalidator.IsURL(p.URL):
			return fmt.Sprintf("invalid url '%s' for maintainer '%s'", p.URL, p.Name)
		}
	}
	return ""
}
