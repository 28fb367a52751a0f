package chartschema

import (
	"fmt"
	"path"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/finding"
)

// standard looks for what the house standard wants beside a chart.
func standard(c *chart.Chart) []finding.Finding {
	var out []finding.Finding
	miss := func(rule, name, message, hint string) {
		out = append(out, finding.Finding{Rule: rule, Severity: finding.Warning, File: path.Join(c.Root, name), Message: message, Hint: hint})
	}
	if !has(c, "README.md") {
		miss("readme", "README.md", "README.md is missing", "say what the chart installs, and which values a team must set")
	}
	if c.IsLibrary() {
		return out // nobody deploys a library
	}
	switch e, ok := c.Entry("deploy.sh"); {
	case !ok:
		miss("deploy-script", "deploy.sh", "deploy.sh is missing", "a script that installs the chart for one organisation")
	case e.Mode&0o111 == 0:
		miss("deploy-script", "deploy.sh", "deploy.sh is not executable", "chmod +x deploy.sh; git update-index --chmod=+x deploy.sh")
	}
	if !hasPrefix(c, "orgs/") {
		miss("organisations", "orgs", "orgs/ is missing", "keep each organisation's values in orgs/ORG/values.yaml")
	}
	return out
}

// leaks finds files of an organisation that would be published: whoever
// pulls the chart would read them.
func leaks(c *chart.Chart) []finding.Finding {
	var out []finding.Finding
	for _, f := range c.Files() {
		if !chart.IsOrgFile(f.Name) {
			continue
		}
		out = append(out, finding.Finding{Rule: "organisation-leak", Severity: finding.Error, File: c.RepoPath(f.Name),
			Message: fmt.Sprintf("%s would enter the archive", f.Name),
			Hint:    "add a line orgs/ to .helmignore, or move the chart to " + path.Join(c.Root, "Chart")})
	}
	return out
}

func has(c *chart.Chart, name string) bool {
	if _, ok := c.Entry(name); ok {
		return true
	}
	_, ok := c.Entry(path.Join(path.Base(c.Path), name))
	return ok && c.Layout == chart.House
}

func hasPrefix(c *chart.Chart, prefix string) bool {
	for _, e := range c.Entries() {
		if strings.HasPrefix(e.Path, prefix) {
			return true
		}
	}
	return false
}
