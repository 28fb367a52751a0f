package kubernetes

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// RBAC is buildkit-rbac.yaml: a ServiceAccount, a Role with the rights of the form and nothing else, and the
// RoleBinding between the two. An organisation has a namespace of its own, since a Role cannot tell
// builders apart. A name that cannot be one is an error.
func RBAC(org, namespace, serviceAccount string, form Form) ([]byte, error) {
	if err := checkRBAC(org, namespace, serviceAccount, form); err != nil {
		return nil, err
	}
	role := RoleName(form)
	var b strings.Builder
	what := "creates, adjusts, uses and removes the builders"
	if form == FormUse {
		what = "builds on the builders that somebody else created"
	}
	comment(&b, "", fmt.Sprintf("What chartgate build --driver kubernetes may do in namespace %s: it %s of %s, and nothing else. Made by:", namespace, what, strconv.Quote(org)))
	fmt.Fprintf(&b, "#   chartgate builder rbac --org %s --namespace %s \\\n#     --service-account %s --form %s\n", strconv.Quote(org), namespace, serviceAccount, form)
	meta := func(apiVersion, kind, name string) {
		fmt.Fprintf(&b, "---\napiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n  namespace: %s\n  labels:\n", apiVersion, kind, name, namespace)
		fmt.Fprintf(&b, "    %s: %s\n    %s: %s\n    %s: %q\n", LabelManagedBy, ManagedBy, LabelName, AppName, LabelOrg, LabelValue(org))
	}
	meta("v1", "ServiceAccount", serviceAccount)
	meta("rbac.authorization.k8s.io/v1", "Role", role)
	b.WriteString("rules:\n")
	writeRules(&b, Rights(form))
	meta("rbac.authorization.k8s.io/v1", "RoleBinding", role)
	fmt.Fprintf(&b, "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: %s\n", role)
	fmt.Fprintf(&b, "subjects:\n  - kind: ServiceAccount\n    name: %s\n    namespace: %s\n", serviceAccount, namespace)
	return []byte(b.String()), nil
}

// RoleName is the name of a form's Role and RoleBinding.
func RoleName(form Form) string { return ManagedBy + "-builder-" + string(form) }

// ServiceAccountName is that of an organisation's jobs where none is given.
func ServiceAccountName(org string) string { return slug("chartgate-"+org, 63) }

func writeRules(b *strings.Builder, rights []Right) {
	last := ""
	for _, r := range rights {
		if r.Name() != last {
			last = r.Name()
			fmt.Fprintf(b, "  - apiGroups: [%q]\n    resources: [%s]\n    verbs:\n", r.Group, r.Resource)
		}
		comment(b, "      ", "to "+r.Why)
		if r.Without != "" {
			comment(b, "      ", "(optional: without it, "+r.Without+")")
		}
		fmt.Fprintf(b, "      - %s\n", r.Verb)
	}
}

// maxLine is how long lines may be by yamllint's defaults.
const maxLine = 80

// comment writes a text as comments that are no longer than maxLine, as far as its words allow.
func comment(b *strings.Builder, indent, text string) {
	line := indent + "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > maxLine && !strings.HasSuffix(line, "#") {
			b.WriteString(line + "\n")
			line = indent + "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

func checkRBAC(org, namespace, serviceAccount string, form Form) error {
	switch {
	case org == "" || len(org) > 255 || org != printable(org) || strings.ContainsAny(org, "\n\t"):
		return fmt.Errorf("printing the Role: %q is no organisation", foreign(org))
	case len(validation.IsDNS1123Label(namespace)) > 0:
		return fmt.Errorf("printing the Role: %q is no name of a namespace", namespace)
	case len(validation.IsDNS1123Subdomain(serviceAccount)) > 0:
		return fmt.Errorf("printing the Role: %q is no name of a service account", serviceAccount)
	case form != FormAdmin && form != FormUse:
		return fmt.Errorf("printing the Role: %q is no form of it: %s or %s", form, FormAdmin, FormUse)
	}
	return nil
}
