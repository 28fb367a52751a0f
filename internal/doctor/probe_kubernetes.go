package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
)

// cluster is what the API server answered.
type cluster struct {
	client *kubernetes.Client
	form   kubernetes.Form
	access []kubernetes.Access
	err    error
}

// review asks the API server, once.
func (m *Machine) review(ctx context.Context) *cluster {
	m.onceCluster.Do(func() {
		c := &cluster{form: kubernetes.FormAdmin}
		if m.option(Kubernetes, "use-existing") == "true" {
			c.form = kubernetes.FormUse
		}
		if c.client, c.err = m.Cluster(); c.err == nil {
			c.access, c.err = c.client.Review(ctx, c.form)
		}
		m.cluster = c
	})
	return m.cluster
}

func apiServer(ctx context.Context, m *Machine) Result {
	c := m.review(ctx)
	if c.err == nil {
		return ok("%s answers, and builders go into the namespace %q", c.client.Server, c.client.Namespace)
	}
	return failure(c.err)
}

// failure is the result of an error of a driver: its first line, the others and its hint.
func failure(err error) Result {
	first, rest, _ := strings.Cut(err.Error(), "\n")
	r := problem("%s", first).because("%s", rest)
	if hint := driver.HintOf(err); hint != "" {
		r = r.mend(Fix{"what to do", []string{hint}})
	}
	return r
}

func rights(ctx context.Context, m *Machine) Result {
	c := m.review(ctx)
	if c.err != nil {
		return skipped("the API server was not asked")
	}
	unused := "statefulsets"
	if m.option(Kubernetes, "kind") == kubernetes.KindStatefulSet || m.option(Kubernetes, "persistent-volume-claim.requests.storage") != "" {
		unused = "deployments"
	}
	var needed, lesser []string
	for _, a := range c.access {
		switch {
		case a.Allowed:
		case a.Right.Without != "":
			lesser = append(lesser, fmt.Sprintf("%s: %s", a.Right, a.Right.Without))
		case a.Right.Resource == unused:
			lesser = append(lesser, fmt.Sprintf("%s: builders that are %s cannot be had", a.Right, unused))
		default:
			needed = append(needed, fmt.Sprintf("%s, to %s", a.Right, a.Right.Why))
		}
	}
	if len(needed)+len(lesser) == 0 {
		return ok("all %d that the driver needs in the namespace %q", len(c.access), c.client.Namespace)
	}
	fix := Fix{"as an administrator of the namespace", []string{m.rbac(c) + " | kubectl apply -f -",
		"# and --service-account NAME, where jobs run as another than the one that this makes"}}
	if len(needed) == 0 {
		return warning("builds work; %d rights are missing in the namespace %q", len(lesser), c.client.Namespace).
			because("%s", strings.Join(lesser, "\n")).mend(fix)
	}
	r := problem("%d of %d rights are missing in the namespace %q", len(needed)+len(lesser), len(c.access), c.client.Namespace).
		because("%s", strings.Join(append(needed, lesser...), "\n")).mend(fix)
	if c.form == kubernetes.FormAdmin && usable(c.access) {
		r = r.mend(Fix{"or the command line, where somebody else creates the builder", []string{"chartgate build --driver kubernetes --builder NAME --driver-opt use-existing=true"}})
	}
	return r
}

// rbac is the command that prints what is missing.
func (m *Machine) rbac(c *cluster) string {
	org := m.Org
	if org == "" {
		org = "ORG"
	}
	command := fmt.Sprintf("chartgate builder rbac --org %s --namespace %s", org, c.client.Namespace)
	if c.form == kubernetes.FormUse {
		command += " --form use"
	}
	return command
}

// usable says whether a builder that exists could be used.
func usable(access []kubernetes.Access) bool {
	allowed := map[string]bool{}
	for _, a := range access {
		allowed[a.Right.String()] = a.Allowed
	}
	for _, r := range kubernetes.Rights(kubernetes.FormUse) {
		if r.Without == "" && r.Resource != "statefulsets" && !allowed[r.String()] {
			return false
		}
	}
	return true
}

func remoteBuilder(ctx context.Context, m *Machine) Result {
	if err := m.Remote(ctx); err != nil {
		return failure(err)
	}
	endpoint := m.option(Remote, "endpoint")
	if endpoint == "" {
		endpoint = m.Env("BUILDKIT_HOST")
	}
	return ok("the daemon at %s answers", endpoint)
}
