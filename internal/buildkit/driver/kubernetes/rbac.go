package kubernetes

import (
	"fmt"
	"slices"
	"strings"
)

// Form is how much a Role allows.
type Form string

const (
	// FormAdmin creates builders, keeps them as the options want them and removes them.
	FormAdmin Form = "admin"
	// FormUse builds on builders that somebody else created, as with the option use-existing.
	FormUse Form = "use"
)

// Right is one verb that the driver asks the API server for.
type Right struct {
	Group    string // "" is the core API group
	Resource string // with its subresource: "pods/exec"
	Verb     string
	Why      string // what it is for, in words that follow "to "
	Forms    []Form // the Roles that grant it
	// Without says what is missed where the right is not granted, and builds still run. It is empty for
	// rights without which there is no build.
	Without string
}

// Name is the resource as errors and kubectl name it: "deployments.apps", "pods/exec".
func (r Right) Name() string {
	if r.Group == "" {
		return r.Resource
	}
	return r.Resource + "." + r.Group
}

// String is the right as errors name it: "create pods/exec".
func (r Right) String() string { return r.Verb + " " + r.Name() }

// Rights are those of a form, in the order of the Role. The Role, the reference in the documentation and
// what doctor asks for are made of this list.
func Rights(form Form) []Right {
	var out []Right
	for _, r := range rights() {
		if slices.Contains(r.Forms, form) {
			out = append(out, r)
		}
	}
	return out
}

func rights() []Right {
	admin, both := []Form{FormAdmin}, []Form{FormAdmin, FormUse}
	var out []Right
	for _, resource := range []string{"deployments", "statefulsets"} {
		of := resource + " that are builders"
		out = append(out,
			Right{"apps", resource, "get", "find the builder", both, ""},
			Right{"apps", resource, "create", "create the builder where there is none", admin, ""},
			Right{"apps", resource, "patch", "note when it was last used, and adjust it where the options have changed", admin, ""},
			Right{"apps", resource, "list", "find idle builders, and for chartgate builder ls", admin,
				of + " are neither listed nor removed when idle"},
			Right{"apps", resource, "delete", "remove idle builders and those of one run alone, and for chartgate builder rm", admin,
				of + " stay when idle, and have to be removed by somebody else"})
	}
	return append(out,
		Right{"", "pods", "list", "find the builder's pods, see which are ready, and say why one went away in mid-build", both, ""},
		Right{"", "pods/exec", "get", "reach the daemon over WebSocket", both, ""},
		Right{"", "pods/exec", "create", "reach the daemon over SPDY, and since Kubernetes 1.35 over WebSocket", both, ""},
		Right{"", "pods/log", "get", "show what the daemon said last when it fails", both,
			"errors do not show the daemon's log"},
		Right{"", "events", "list", "say why a pod does not become ready", both,
			"errors do not show the events of pods"},
	)
}

// RightsMarkdown is the list as a table for the documentation.
func RightsMarkdown() string {
	var b strings.Builder
	b.WriteString("| Right | admin | use | What for | Without it |\n|---|---|---|---|---|\n")
	mark := map[bool]string{true: "yes", false: ""}
	for _, r := range rights() {
		without := r.Without
		if without == "" {
			without = "no build"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | to %s | %s |\n", r, mark[slices.Contains(r.Forms, FormAdmin)],
			mark[slices.Contains(r.Forms, FormUse)], r.Why, without)
	}
	return b.String()
}

func splitResource(resource string) (name, sub string) {
	name, sub, _ = strings.Cut(resource, "/")
	return name, sub
}
