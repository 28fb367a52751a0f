package lintandtest

import (
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
)

// rules explains what the check reports. Those that are Helm's keep its messages and its severities.
func rules() []lint.Rule {
	return []lint.Rule{
		{ID: "load", Severity: finding.Error, What: "A folder that looks like a chart and that Helm cannot load.",
			Why: "Nothing else can be said of it, and nobody can install it.", Fix: "Mend the file and line that the message names; keep folders that are no charts out with exclude: in chartgate.yaml."},
		{ID: "chart-file", Severity: finding.Error, What: "What helm lint says of Chart.yaml: name, apiVersion, version, maintainers, sources, icon, type.",
			Why: "Helm refuses the chart, or misreads it.", Fix: "Write what the message asks for."},
		{ID: "icon", Severity: finding.Info, What: "A chart without an icon.", Why: "Catalogues show one.", Fix: "Set icon in Chart.yaml to a URL."},
		{ID: "values-file", Severity: finding.Info, What: "A chart without values.yaml.", Why: "Its readers look there for what can be set.", Fix: "Add one, with a comment for every value."},
		{ID: "lock", Severity: finding.Error, What: "A Chart.lock that does not fit Chart.yaml; as a warning, ranges of versions without a lock.",
			Why: "helm dependency build refuses the first; the second gives another chart on another day.", Fix: "Run helm dependency update and commit Chart.lock."},
		{ID: "dependency", Severity: finding.Error, What: "A dependency that cannot be had.", Why: "The chart cannot be packaged.",
			Fix: "See what was tried: a name, a version, a login or a mirror is wrong, or the repository is away."},
		{ID: "duplicate-dependency", Severity: finding.Error, What: "Two dependencies of one name or alias.", Why: "One hides the other.", Fix: "Give one an alias."},
		{ID: "undeclared-dependency", Severity: finding.Error, What: "A chart in charts/ that Chart.yaml does not name.",
			Why: "It is installed, and no lock or update knows of it.", Fix: "Name it under dependencies, or remove it."},
		{ID: "template-extension", Severity: finding.Error, What: "A file in templates/ that is neither .yaml, .yml, .tpl nor .txt.", Why: "Helm renders it all the same.", Fix: "Rename it or move it out of templates/."},
		{ID: "crd-install-hook", Severity: finding.Warning, What: "A manifest with the hook crd-install.", Why: "Helm 3 ignores it.", Fix: "Move the definition to crds/."},
		{ID: "release-time", Severity: finding.Error, What: "A template that reads .Release.Time.", Why: "Helm 3 has none.", Fix: "Use now."},
		{ID: "render", Severity: finding.Error, What: "Templates that fail to render with one of the chart's values sets.", Why: "That installation would fail.", Fix: "Mend the template at the line named, or the values."},
		{ID: "value-missing", Severity: finding.Error, What: "A template that asks for a value with required or fail. Under bare defaults of a chart with ci/ values it is a warning.",
			Why: "That installation would fail.", Fix: "Set the value in the values set."},
		{ID: "values", Severity: finding.Error, What: "A values file that is not a mapping, or not YAML, or that is not there.", Why: "Helm refuses it.", Fix: "Mend the line named."},
		{ID: "limit", Severity: finding.Error, What: "Templates that loop, recurse or print more than any chart needs.", Why: "They would hang or exhaust whoever installs them.", Fix: "Bound the loop, the recursion or the output."},
		{ID: "manifest-yaml", Severity: finding.Error, What: "A rendered manifest that is not YAML.", Why: "Helm cannot install it.", Fix: "Look at the indentation of what the template inserts."},
		{ID: "top-indent", Severity: finding.Warning, What: "A rendered template that begins with white space.", Why: "Parsers differ about it.", Fix: "Trim it with {{-."},
		{ID: "object-name", Severity: finding.Warning, What: "An object whose name Kubernetes would refuse.", Why: "The cluster rejects it.", Fix: "Keep to lower-case letters, digits and dashes, and to the length of the kind."},
		{ID: "deprecated-api", Severity: finding.Warning, What: "An API that the Kubernetes version has deprecated or dropped.", Why: "It stops working with an upgrade.", Fix: "Use the version that the message names."},
		{ID: "match-selector", Severity: finding.Error, What: "A workload without a selector.", Why: "The cluster rejects it.", Fix: "Add spec.selector.matchLabels."},
		{ID: "list-annotations", Severity: finding.Error, What: "helm.sh/resource-policy inside of a List.", Why: "Helm ignores it there.", Fix: "Write the objects one by one."},
	}
}
