//go:build e2e_kubernetes && linux

package kubernetes

import (
	"context"
	"strings"
	"testing"

	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var deleteNow = metav1.DeleteOptions{GracePeriodSeconds: new(int64)}

// trial is something that wants a right: it returns what a user reads. Without the right that
// names it, and with all rights it is other does not.
type trial func(t *testing.T, m *team, transport string) string

// trials has one for each right of the list, by its name.
func trials() map[string]trial {
	all := map[string]trial{
		"list pods":        startOn("deployments"),
		"get pods/exec":    dial,
		"create pods/exec": dial,
		"get pods/log":     startBroken,
		"list events":      startBroken,
	}
	for _, kind := range []string{"deployments", "statefulsets"} {
		all["get "+kind+".apps"] = startOn(kind)
		all["create "+kind+".apps"] = create(kind)
		all["patch "+kind+".apps"] = startOn(kind)
		all["list "+kind+".apps"] = list
		all["delete "+kind+".apps"] = remove(kind)
	}
	return all
}

// TestRights: the Role is minimal, for each transport apart. Each right taken out of it makes something fail that
// goes well with it, and the message names the right.
func TestRights(t *testing.T) {
	all := trials()
	for _, transport := range []string{"websocket", "spdy"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			m := newTeam(t, kube.FormAdmin)
			for _, kind := range []string{"deployments", "statefulsets"} {
				m.started(t, kindOptions(kind)...)
			}
			for _, right := range kube.Rights(kube.FormAdmin) {
				try := all[right.String()]
				if try == nil {
					t.Errorf("nothing shows what %s is for", right)
					continue
				}
				t.Run(strings.NewReplacer(" ", "_", "/", "_").Replace(right.String()), func(t *testing.T) {
					if text := try(t, m, transport); names(text, right) {
						t.Fatalf("the right is said to be missing, and is not:\n%s", text)
					}
					m.without(t, right)
					text := try(t, m, transport)
					if unused := transport == "spdy" && right.String() == "get pods/exec"; names(text, right) == unused {
						t.Errorf("without the right to %s:\n%s", right, text)
					}
				})
			}
		})
	}
}

// names says whether a text names a right as missing.
func names(text string, right kube.Right) bool {
	return strings.Contains(text, "may not "+right.String()+" ")
}

// kindOptions are those of the builder of a kind that is there for the whole test.
func kindOptions(kind string) []string {
	return []string{"kind=" + kindOf(kind), "builder=standing-" + kind}
}

func kindOf(resource string) string {
	if resource == "statefulsets" {
		return kube.KindStatefulSet
	}
	return kube.KindDeployment
}

func startOn(kind string) trial {
	return func(t *testing.T, m *team, transport string) string {
		d := m.driver(append(kindOptions(kind), "transport="+transport)...)
		defer d.Close(context.Background())
		return told(d.Start(t.Context()))
	}
}

func create(kind string) trial {
	return func(t *testing.T, m *team, transport string) string {
		d := m.driver("kind="+kindOf(kind), "keep=false", "transport="+transport)
		defer d.Close(context.Background())
		return told(d.Start(t.Context()))
	}
}

func list(t *testing.T, m *team, _ string) string {
	_, err := m.jobs.List(t.Context())
	return told(err)
}

func remove(kind string) trial {
	return func(t *testing.T, m *team, _ string) string {
		d := m.driver("kind="+kindOf(kind), "keep=false", "builder=passing-"+kind)
		must(t, d.Start(t.Context()))
		_, byHand := m.jobs.Remove(t.Context(), "passing-"+kind)
		text := told(byHand)
		if atEnd := told(d.Close(t.Context())); (atEnd == "") != (text == "") {
			t.Errorf("rm: %s; at the end of the run: %s", text, atEnd)
		}
		if _, err := m.admin.Remove(t.Context(), "passing-"+kind); (err == nil) != (text != "") {
			t.Errorf("afterwards: %v", err)
		}
		return text
	}
}

func dial(t *testing.T, m *team, transport string) string {
	d := m.driver(append(kindOptions("deployments"), "transport="+transport)...)
	defer d.Close(context.Background())
	must(t, d.Start(t.Context()))
	b, err := d.Builder(t.Context(), "key")
	must(t, err)
	conn, err := b.Dial(t.Context())
	if err == nil {
		conn.Close()
	}
	return told(err)
}

// startBroken starts a builder whose daemon ends at once: the error shows its log and events.
func startBroken(t *testing.T, m *team, transport string) string {
	d := m.driver("keep=false", "transport="+transport, "buildkitd-flags=--no-such-flag", "timeout=8s")
	defer d.Close(context.Background())
	err := d.Start(t.Context())
	text := told(err)
	if err == nil || !strings.Contains(text, "no-such-flag") && !names(text, kube.Right{Resource: "pods/log", Verb: "get"}) {
		t.Errorf("a daemon that ends at once: %s", text)
	}
	return text
}
