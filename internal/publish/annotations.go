package publish

import (
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// annotations are those of the manifest that `helm push` makes, but for the time of creation, which would give each push a digest of its own.
// Chart.yaml's annotations win over what is derived from its other fields, except for title and version.
func annotations(m *helmchart.Metadata) map[string]string {
	all := map[string]string{}
	set := func(key, value string) {
		if strings.TrimSpace(value) != "" {
			all[key] = value
		}
	}
	set(ocispec.AnnotationDescription, m.Description)
	set(ocispec.AnnotationURL, m.Home)
	if len(m.Sources) > 0 {
		set(ocispec.AnnotationSource, m.Sources[0])
	}
	set(ocispec.AnnotationAuthors, authors(m.Maintainers))
	for key, value := range m.Annotations {
		all[key] = value
	}
	// Two that cannot be overridden: a registry's pages find the chart by them.
	set(ocispec.AnnotationTitle, m.Name)
	set(ocispec.AnnotationVersion, m.Version)
	return all
}

// authors lists the maintainers as Helm writes them: "Ada (ada@example.com), Bob".
func authors(maintainers []*helmchart.Maintainer) string {
	var all []string
	for _, m := range maintainers {
		if m == nil {
			all = append(all, "")
			continue
		}
		s := m.Name
		if m.Email != "" {
			s += " (" + m.Email + ")"
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}
