package kubernetes

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// TestRBAC reads the manifest as the API server would, and finds the rights of the list and no other.
func TestRBAC(t *testing.T) {
	for _, form := range []Form{FormAdmin, FormUse} {
		text, err := RBAC("acme/α: \"x\"", "acme-ci", "chartgate", form)
		if err != nil {
			t.Fatal(err)
		}
		docs := bytes.Split(text, []byte("\n---\n"))
		if len(docs) != 4 {
			t.Fatalf("%d documents:\n%s", len(docs), text)
		}
		var (
			account corev1.ServiceAccount
			role    rbacv1.Role
			binding rbacv1.RoleBinding
		)
		for i, into := range []any{&account, &role, &binding} {
			if err := yaml.UnmarshalStrict(docs[i+1], into); err != nil {
				t.Fatalf("%v\n%s", err, docs[i+1])
			}
		}
		var got, want []string
		for _, rule := range role.Rules {
			for _, verb := range rule.Verbs {
				got = append(got, Right{Group: rule.APIGroups[0], Resource: rule.Resources[0], Verb: verb}.String())
			}
			if len(rule.APIGroups) != 1 || len(rule.Resources) != 1 {
				t.Errorf("more than one resource in %v", rule)
			}
		}
		for _, r := range Rights(form) {
			want = append(want, r.String())
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "*") }) {
			t.Error("a wildcard")
		}
		if binding.RoleRef.Name != role.Name || binding.Subjects[0].Name != account.Name || binding.Subjects[0].Namespace != "acme-ci" {
			t.Errorf("the binding is not between the two: %+v", binding)
		}
		for _, labels := range []map[string]string{account.Labels, role.Labels, binding.Labels} {
			if labels[LabelOrg] != LabelValue("acme/α: \"x\"") || labels[LabelManagedBy] != ManagedBy {
				t.Error(labels)
			}
		}
	}
}

// TestRBACIsTidy: what is printed goes into repositories, whose YAML is linted.
func TestRBACIsTidy(t *testing.T) {
	for _, form := range []Form{FormAdmin, FormUse} {
		text, err := RBAC("acme", "acme", "chartgate-acme", form)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if len(line) > maxLine || strings.TrimRight(line, " ") != line {
				t.Errorf("line %d: %q", i+1, line)
			}
		}
	}
}

// TestUseIsLess: whoever may only use builders cannot create, change or remove one.
func TestUseIsLess(t *testing.T) {
	admin := map[string]bool{}
	for _, r := range Rights(FormAdmin) {
		if admin[r.String()] {
			t.Errorf("%s is there twice", r)
		}
		admin[r.String()] = true
	}
	for _, r := range Rights(FormUse) {
		if !admin[r.String()] {
			t.Errorf("admin lacks %s", r)
		}
		if r.Group == "apps" && r.Verb != "get" {
			t.Errorf("use grants %s", r)
		}
	}
}

func TestRBACOfNothing(t *testing.T) {
	for _, c := range []struct {
		org, namespace, account string
		form                    Form
		want                    string
	}{
		{"", "ns", "sa", FormUse, `"" is no organisation`},
		{"a\nb: c", "ns", "sa", FormUse, "is no organisation"},
		{"a\x1b[2J", "ns", "sa", FormUse, "is no organisation"},
		{"acme", "ns\nkind: ClusterRole", "sa", FormUse, "is no name of a namespace"},
		{"acme", "ns", "sa: x", FormUse, `"sa: x" is no name of a service account`},
		{"acme", "ns", "sa", "root", `"root" is no form of it: admin or use`},
	} {
		text, err := RBAC(c.org, c.namespace, c.account, c.form)
		if err == nil || !strings.Contains(err.Error(), c.want) || text != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestRightsMarkdown(t *testing.T) {
	table := RightsMarkdown()
	for _, line := range []string{
		"| `create deployments.apps` | yes |  | to create the builder where there is none | no build |",
		"| `create pods/exec` | yes | yes | to reach the daemon over SPDY, and since Kubernetes 1.35 over WebSocket | no build |",
	} {
		if !strings.Contains(table, line+"\n") {
			t.Errorf("no line %s in\n%s", line, table)
		}
	}
}
