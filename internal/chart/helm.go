package chart

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/source"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// parseHelm gives Helm's own reading of the files. On an error the chart holds
// what Chart.yaml says, as far as that can be read.
func parseHelm(files []archive.File) (*helmchart.Chart, error) {
	c, err := archive.Load(files, archive.Limits{})
	if err == nil {
		return c, nil
	}
	for _, f := range files {
		if f.Name == "Chart.yaml" {
			m := new(helmchart.Metadata)
			if yaml.Unmarshal(f.Data, m) == nil {
				return &helmchart.Chart{Metadata: m}, err
			}
		}
	}
	return nil, err
}

// CloneHelm copies a Helm chart so that nothing that Helm mutates is shared
// with the original: metadata, values, dependencies and lock. The bytes of
// templates and files are shared; Helm only reads those.
func CloneHelm(c *helmchart.Chart) *helmchart.Chart {
	out := &helmchart.Chart{
		Raw:       slices.Clone(c.Raw),
		Metadata:  cloneMetadata(c.Metadata),
		Templates: slices.Clone(c.Templates),
		Values:    cloneMap(c.Values),
		Schema:    c.Schema,
		Files:     slices.Clone(c.Files),
	}
	if c.Lock != nil {
		lock := *c.Lock
		lock.Dependencies = cloneDependencies(c.Lock.Dependencies)
		out.Lock = &lock
	}
	for _, d := range c.Dependencies() {
		out.AddDependency(CloneHelm(d))
	}
	return out
}

func cloneMetadata(m *helmchart.Metadata) *helmchart.Metadata {
	if m == nil {
		return nil
	}
	out := *m
	out.Sources = slices.Clone(m.Sources)
	out.Keywords = slices.Clone(m.Keywords)
	out.Annotations = maps.Clone(m.Annotations)
	out.Dependencies = cloneDependencies(m.Dependencies)
	out.Maintainers = slices.Clone(m.Maintainers)
	for i, p := range out.Maintainers {
		if p != nil {
			q := *p
			out.Maintainers[i] = &q
		}
	}
	return &out
}

func cloneDependencies(deps []*helmchart.Dependency) []*helmchart.Dependency {
	out := slices.Clone(deps)
	for i, d := range out {
		if d == nil {
			continue
		}
		e := *d
		e.Tags = slices.Clone(d.Tags)
		e.ImportValues, _ = cloneValue(d.ImportValues).([]any)
		out[i] = &e
	}
	return out
}

func cloneMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = cloneValue(v)
	}
	return out
}

func cloneValue(v any) any {
	switch t := v.(type) {
	case map[string]any:
		return cloneMap(t)
	case []any:
		if t == nil {
			return t
		}
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = cloneValue(e)
		}
		return out
	}
	return v
}

// explain finds the file and the line of an error of Helm's loader.
func (c *Chart) explain(err error) *LoadError {
	msg := err.Error()
	e := &LoadError{File: c.RepoPath("Chart.yaml"), Pos: source.Pos{Line: 1, Column: 1}, Message: msg}
	if _, ok := c.File("Chart.yaml"); !ok {
		e.Hint = "a chart has a Chart.yaml beside its templates"
		return e
	}
	if sub, ok := strings.CutPrefix(msg, "error unpacking subchart "); ok {
		name, _, _ := strings.Cut(sub, " in ")
		e.File, e.Pos = c.RepoPath(path.Join("charts", name)), source.Pos{}
		e.Hint = "remove it from charts/, or mend it"
		return e
	}
	for _, name := range []string{"Chart.yaml", "Chart.lock", "values.yaml", "requirements.yaml", "requirements.lock"} {
		if rest, ok := strings.CutPrefix(msg, "cannot load "+name+": "); ok {
			e.File, e.Message = c.RepoPath(name), msg
			if pos := source.ErrorPos(err); !pos.IsZero() {
				e.Pos = pos
			}
			if strings.Contains(rest, "cannot unmarshal") && name == "values.yaml" {
				e.Hint = "a values file is a mapping of names to values"
				file, _ := c.File(name)
				doc, _ := source.ParseYAML(file.Data)
				e.Pos, _ = doc.Pos()
			}
		}
	}
	return e
}
