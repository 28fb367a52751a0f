package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// FromChart returns the files that `helm package` writes for a chart, in its order and byte for byte: Chart.yaml and Chart.lock as Helm marshals
// them, values.yaml as it was read, the schema, templates and other files, then the subcharts, unpacked under charts/NAME/.
// Subcharts come sorted by name, then version, where Helm's order is that of a map.
//
// The chart is not changed, its bytes are shared with the result. Two subcharts of one name give duplicate paths, as they do in Helm; see Duplicates.
func FromChart(c *helmchart.Chart) ([]File, error) {
	files, err := appendChart(nil, c, "", 0)
	if err != nil {
		return nil, fmt.Errorf("packaging chart %q: %w", c.Name(), err)
	}
	return files, nil
}

// maxGraph bounds the depth of a chart graph, which is a tree unless somebody made it wrongly.
const maxGraph = 64

func appendChart(files []File, c *helmchart.Chart, prefix string, depth int) ([]File, error) {
	if depth > maxGraph {
		return nil, fmt.Errorf("more than %d levels of subcharts", maxGraph)
	}
	if c.Metadata == nil {
		return nil, errors.New("chart has no Chart.yaml")
	}
	name := c.Metadata.Name
	if name == "" || path.Base(name) != name || name == "." || name == ".." {
		return nil, fmt.Errorf("%q cannot be the name of a chart", name)
	}
	files, err := appendMetadata(files, c, prefix)
	if err != nil {
		return nil, err
	}
	for _, f := range c.Raw {
		if f.Name == "values.yaml" {
			files = append(files, File{Name: prefix + f.Name, Data: f.Data})
		}
	}
	if c.Schema != nil {
		if !json.Valid(c.Schema) {
			return nil, fmt.Errorf("%svalues.schema.json is not valid JSON", prefix)
		}
		files = append(files, File{Name: prefix + "values.schema.json", Data: c.Schema})
	}
	for _, list := range [][]*helmchart.File{c.Templates, c.Files} {
		for _, f := range list {
			if err := checkName(f.Name); err != nil {
				return nil, err
			}
			files = append(files, File{Name: prefix + path.Clean(f.Name), Data: f.Data})
		}
	}
	for _, sub := range byName(c.Dependencies()) {
		files, err = appendChart(files, sub, prefix+"charts/"+sub.Name()+"/", depth+1)
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// appendMetadata adds Chart.yaml and Chart.lock. For a chart of the old API version, Chart.yaml holds no dependencies and there is no Chart.lock: its
// requirements.yaml and requirements.lock are among the other files.
func appendMetadata(files []File, c *helmchart.Chart, prefix string) ([]File, error) {
	meta := *c.Metadata
	if meta.APIVersion == helmchart.APIVersionV1 {
		meta.Dependencies = nil
	}
	data, err := yaml.Marshal(&meta)
	if err != nil {
		return nil, fmt.Errorf("marshalling %sChart.yaml: %w", prefix, err)
	}
	files = append(files, File{Name: prefix + "Chart.yaml", Data: data})
	if meta.APIVersion != helmchart.APIVersionV2 || c.Lock == nil {
		return files, nil
	}
	if data, err = yaml.Marshal(c.Lock); err != nil {
		return nil, fmt.Errorf("marshalling %sChart.lock: %w", prefix, err)
	}
	return append(files, File{Name: prefix + "Chart.lock", Data: data}), nil
}

// byName sorts a copy of charts by name, then version.
func byName(charts []*helmchart.Chart) []*helmchart.Chart {
	s := slices.Clone(charts)
	slices.SortStableFunc(s, func(a, b *helmchart.Chart) int {
		return slices.Compare([]string{a.Name(), version(a)}, []string{b.Name(), version(b)})
	})
	return s
}

func version(c *helmchart.Chart) string {
	if c.Metadata == nil {
		return ""
	}
	return c.Metadata.Version
}
