package lintandtest

import (
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/chartgate/chartgate/internal/finding"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
)

var (
	crdInstallHook = regexp.MustCompile(`"?helm\.sh/hook"?:\s+crd-install`)
	releaseTime    = regexp.MustCompile(`\.Release\.Time`)
)

// templateFile is what `helm lint` says of a template's source.
func templateFile(name string, data []byte) []finding.Finding {
	var out []finding.Finding
	switch ext := path.Ext(name); ext {
	case ".yaml", ".yml", ".tpl", ".txt":
	default:
		out = append(out, finding.Finding{Rule: "template-extension", Severity: finding.Error,
			Message: fmt.Sprintf("file extension '%s' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt", ext)})
	}
	if at := crdInstallHook.FindIndex(data); at != nil {
		f := finding.Finding{Rule: "crd-install-hook", Severity: finding.Warning,
			Message: "manifest is a crd-install hook. This hook is no longer supported in v3 and all CRDs should also exist the crds/ directory at the top level of the chart"}
		f.Line = 1 + strings.Count(string(data[:at[0]]), "\n")
		out = append(out, f)
	}
	if at := releaseTime.FindIndex(data); at != nil {
		f := finding.Finding{Rule: "release-time", Severity: finding.Error,
			Message: ".Release.Time has been removed in v3, please replace with the `now` function in your templates"}
		f.Line = 1 + strings.Count(string(data[:at[0]]), "\n")
		out = append(out, f)
	}
	return out
}

// object is as much of a manifest as Helm's lint rules look at.
type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string
	Metadata   struct {
		Namespace string
		Name      string
	}
}

// rendered is what `helm lint` says of a rendered .yaml template. Lines are those of the
// rendered text; the caller maps them to the template.
func rendered(text string, kube kubeVersion) []finding.Finding {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var out []finding.Finding
	if line, n := firstLine(text); strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
		f := finding.Finding{Rule: "top-indent", Severity: finding.Warning,
			Message: fmt.Sprintf("document starts with an illegal indent: %q, which may cause parsing problems", line)}
		f.Line = n
		out = append(out, f)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for doc := 0; ; doc++ {
		var o *object
		err := decoder.Decode(&o)
		if err == io.EOF {
			return out
		}
		if err != nil {
			return append(out, parseFault(text, doc, err))
		}
		if o == nil {
			continue
		}
		for _, f := range objectRules(o, text, kube) {
			f.Line = documentLine(text, doc)
			f.Object = o.Kind + "/" + o.Metadata.Name
			out = append(out, f)
		}
	}
}

func objectRules(o *object, text string, kube kubeVersion) []finding.Finding {
	var out []finding.Finding
	var faults field.ErrorList
	for _, msg := range nameValidator(o.Kind)(o.Metadata.Name, false) {
		faults = append(faults, field.Invalid(field.NewPath("metadata").Child("name"), o.Metadata.Name, msg))
	}
	if len(faults) > 0 {
		out = append(out, finding.Finding{Rule: "object-name", Severity: finding.Warning,
			Message: fmt.Sprintf("object name does not conform to Kubernetes naming requirements: %q: %v", o.Metadata.Name, faults.ToAggregate())})
	}
	if msg := deprecated(o, kube); msg != "" {
		out = append(out, finding.Finding{Rule: "deprecated-api", Severity: finding.Warning, Message: msg})
	}
	switch o.Kind {
	case "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet":
		if !strings.Contains(text, "matchLabels") && !strings.Contains(text, "matchExpressions") {
			out = append(out, finding.Finding{Rule: "match-selector", Severity: finding.Error,
				Message: fmt.Sprintf("a %s must contain matchLabels or matchExpressions, and %q does not", o.Kind, o.Metadata.Name)})
		}
	case "List":
		if msg := listFault(text); msg != "" {
			out = append(out, finding.Finding{Rule: "list-annotations", Severity: finding.Error, Message: msg})
		}
	}
	return out
}

// listFault finds annotations that Helm ignores inside of a List.
func listFault(text string) string {
	var list struct {
		Items []struct {
			Metadata struct{ Annotations map[string]string }
		}
	}
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		return "unable to parse YAML: " + err.Error()
	}
	for _, item := range list.Items {
		if _, ok := item.Metadata.Annotations["helm.sh/resource-policy"]; ok {
			return "Annotation 'helm.sh/resource-policy' within List objects are ignored"
		}
	}
	return ""
}
