//go:build e2e_kubernetes && linux

package kubernetes

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
)

// TestAgainstBuildctl says how long a build through the driver takes beside one of buildctl, which goes through
// kubectl exec, on the same daemon: the middle of several runs by turns. kubectl has to get the pod, which the
// Role does not allow.
func TestAgainstBuildctl(t *testing.T) {
	for _, name := range []string{"kubectl", "buildctl"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
	m := newTeam(t, kube.FormAdmin)
	getPods(t, m)
	d := m.started(t)
	pod := m.pods()[0].Name
	ours := func(dir string) { build(t, d, image("web", dir)).built() }
	theirs := func(dir string) {
		cmd := exec.Command("buildctl", "--addr", fmt.Sprintf("kube-pod://%s?namespace=%s&container=buildkitd", pod, m.ns),
			"build", "--progress=plain", "--frontend=dockerfile.v0", "--local=context="+dir, "--local=dockerfile="+dir, "--output=type=image")
		cmd.Env = append(os.Environ(), "KUBECONFIG="+m.kubeconfig)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("buildctl: %v\n%s", err, out)
		}
	}
	same := sources(t, "true")
	ours(same)
	theirs(same)
	run := 0
	fresh := func() string { // has a step that nobody has built
		run++
		return sources(t, fmt.Sprintf("echo %d > /made", run))
	}
	for name, dir := range map[string]func() string{"nothing changed": func() string { return same }, "one step changed": fresh} {
		t.Run(name, func(t *testing.T) {
			var us, them []time.Duration
			for range 7 {
				us = append(us, timed(dir(), ours))
				them = append(them, timed(dir(), theirs))
			}
			slices.Sort(us)
			slices.Sort(them)
			a, b := us[len(us)/2], them[len(them)/2]
			t.Logf("chartgate %s (%s to %s), buildctl %s (%s to %s)", short(a), short(us[0]), short(us[6]), short(b), short(them[0]), short(them[6]))
		})
	}
}

// getPods lets the team's jobs get pods.
func getPods(t *testing.T, m *team) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: "kubectl", Namespace: m.ns}
	_, err := it.Admin.RbacV1().Roles(m.ns).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}}}}, metav1.CreateOptions{})
	must(t, err)
	_, err = it.Admin.RbacV1().RoleBindings(m.ns).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "kubectl"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "system:serviceaccounts:" + m.ns}}}, metav1.CreateOptions{})
	must(t, err)
}

func timed(dir string, build func(string)) time.Duration {
	began := time.Now()
	build(dir)
	return time.Since(began)
}

func short(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
