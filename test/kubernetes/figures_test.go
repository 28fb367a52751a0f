//go:build e2e_kubernetes && linux

package kubernetes

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
)

// TestAgainstBuildctl: a build through the driver takes no longer than one of buildctl, which goes through kubectl
// exec, on the same daemon: within 5 % and 50 ms, in the middle of several runs by turns.
func TestAgainstBuildctl(t *testing.T) {
	for _, name := range []string{"kubectl", "buildctl"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
	m := newTeam(t, kube.FormAdmin)
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
			if a > b+b/20+50*time.Millisecond {
				t.Errorf("chartgate takes %s, buildctl %s", short(a), short(b))
			}
		})
	}
}

func timed(dir string, build func(string)) time.Duration {
	began := time.Now()
	build(dir)
	return time.Since(began)
}

func short(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
