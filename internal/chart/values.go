package chart

import (
	"path"
	"strings"

	"github.com/chartgate/chartgate/internal/source"
)

// ValuesSet is one way in which a chart is installed: values files in order,
// later ones winning, on top of the chart's own values.yaml, and the release.
type ValuesSet struct {
	Name    string // unique in a chart: "defaults", "ci/ha", "orgs/acme", or what the configuration says
	Files   []source.File
	Release ReleaseOptions
}

// ReleaseOptions are what `helm template` takes from flags. Zero fields mean
// Helm's defaults: release "release-name", namespace "default", the newest
// Kubernetes version that is known, no API versions beyond Helm's own.
type ReleaseOptions struct {
	Name        string
	Namespace   string
	KubeVersion string
	APIVersions []string
	IsUpgrade   bool
}

// DefaultsSet is the name of the values set without files.
const DefaultsSet = "defaults"

// ValuesSets are the sets that a chart has by convention: its bare defaults,
// each ci/*-values.yaml, and each orgs/ORG/values.yaml of its Root.
func (c *Chart) ValuesSets() []ValuesSet {
	sets := []ValuesSet{{Name: DefaultsSet}}
	paths := c.Paths()
	for _, p := range paths {
		if name, ok := c.ciName(p); ok {
			sets = append(sets, ValuesSet{Name: name, Files: []source.File{c.sourceFile(p)}})
		}
	}
	for _, p := range paths {
		if name, ok := orgName(p); ok {
			sets = append(sets, ValuesSet{Name: name, Files: []source.File{c.sourceFile(p)}})
		}
	}
	return sets
}

// HasCI reports whether the chart has values of its own for tests, so that its
// bare defaults need not render.
func (c *Chart) HasCI() bool {
	for _, p := range c.Paths() {
		if _, ok := c.ciName(p); ok {
			return true
		}
	}
	return false
}

func (c *Chart) sourceFile(name string) source.File {
	e, _ := c.Entry(name)
	return source.File{Path: path.Join(c.Root, e.Path), Data: e.Data}
}

// ciName names the values set of ci/NAME-values.yaml, beside Chart.yaml or,
// in the house layout, beside the chart's folder.
func (c *Chart) ciName(p string) (string, bool) {
	rel := p
	if c.Layout == House {
		rel = strings.TrimPrefix(p, path.Base(c.Path)+"/")
	}
	dir, file := path.Split(rel)
	name, ok := strings.CutSuffix(file, "-values.yaml")
	return "ci/" + name, ok && dir == "ci/" && name != ""
}

// orgName names the values set of orgs/ORG/values.yaml.
func orgName(p string) (string, bool) {
	parts := strings.Split(p, "/")
	if len(parts) == 3 && parts[0] == "orgs" && parts[2] == "values.yaml" {
		return "orgs/" + parts[1], true
	}
	return "", false
}

// IsOrgFile reports whether a path below Root belongs to one organisation:
// such a file must never be in the archive.
func IsOrgFile(p string) bool { return strings.HasPrefix(p, "orgs/") }
