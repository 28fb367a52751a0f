package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// allowances are all that can be asked for at once or apart.
func allowances() []allowance {
	var out []allowance
	for i := 1; i < 32; i++ {
		out = append(out, allowance{seccomp: i&1 > 0, apparmor: i&2 > 0, privileges: i&4 > 0, user: i&8 > 0, proc: i&16 > 0})
	}
	return out
}

// A pod that the printed manifest describes allows what was asked for, and no more.
func TestPodManifest(t *testing.T) {
	for _, a := range allowances() {
		var pod corev1.Pod
		text := strings.Join(podManifest(a), "\n")
		if err := yaml.UnmarshalStrict([]byte(text), &pod); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		s := pod.Spec.Containers[0].SecurityContext
		got := allowance{
			user:       s.RunAsUser != nil && *s.RunAsUser == 1000 && *s.RunAsGroup == 1000,
			privileges: s.AllowPrivilegeEscalation != nil && *s.AllowPrivilegeEscalation,
			seccomp:    s.SeccompProfile != nil && s.SeccompProfile.Type == corev1.SeccompProfileTypeUnconfined,
			apparmor:   s.AppArmorProfile != nil && s.AppArmorProfile.Type == corev1.AppArmorProfileTypeUnconfined,
			proc:       s.ProcMount != nil && *s.ProcMount == corev1.UnmaskedProcMount && pod.Spec.HostUsers != nil && !*pod.Spec.HostUsers,
		}
		if got != a || s.Privileged != nil || s.Capabilities != nil {
			t.Errorf("%+v for %+v\n%s", got, a, text)
		}
	}
}

func TestRunnerForPods(t *testing.T) {
	for _, a := range allowances() {
		text := strings.Join(runnerForPods(a), "\n")
		var config struct {
			Runners []struct {
				Environment []string
				Kubernetes  struct {
					Escalation  bool              `toml:"allow_privilege_escalation"`
					Annotations map[string]string `toml:"pod_annotations"`
					Pod         struct {
						User int `toml:"run_as_user"`
					} `toml:"pod_security_context"`
					Spec []struct{ Patch string } `toml:"pod_spec"`
				}
			}
		}
		if _, err := toml.Decode(text, &config); err != nil || len(config.Runners) != 1 {
			t.Fatalf("%v\n%s", err, text)
		}
		k := config.Runners[0].Kubernetes
		got := allowance{user: k.Pod.User == 1000, privileges: k.Escalation, apparmor: k.Annotations["container.apparmor.security.beta.kubernetes.io/build"] == "unconfined"}
		if len(k.Spec) == 1 {
			var patch corev1.PodSpec
			if err := yaml.UnmarshalStrict([]byte(k.Spec[0].Patch), &patch); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			s := patch.Containers[0].SecurityContext
			got.seccomp = s.SeccompProfile != nil
			got.proc = s.ProcMount != nil && patch.HostUsers != nil && !*patch.HostUsers
			if fmt.Sprint(config.Runners[0].Environment) != "[FF_USE_ADVANCED_POD_SPEC_CONFIGURATION=true]" {
				t.Errorf("the patch is not switched on\n%s", text)
			}
		}
		if got != a {
			t.Errorf("%+v for %+v\n%s", got, a, text)
		}
	}
}

func TestRunnerForDocker(t *testing.T) {
	for _, a := range allowances() {
		text := strings.Join(runnerForDocker(a), "\n")
		var config struct {
			Runners []struct {
				Docker struct {
					Privileged bool
					User       string
					Options    []string `toml:"security_opt"`
				}
			}
		}
		if _, err := toml.Decode(text, &config); err != nil || len(config.Runners) != 1 || config.Runners[0].Docker.Privileged {
			t.Fatalf("%v\n%s", err, text)
		}
		d, flags := config.Runners[0].Docker, dockerFlags(a)
		for option, wanted := range map[string]bool{"seccomp=unconfined": a.seccomp, "apparmor=unconfined": a.apparmor,
			"no-new-privileges=false": a.privileges, "systempaths=unconfined": a.proc} {
			given := strings.Contains(strings.Join(d.Options, " "), option)
			if given != wanted || strings.Contains(flags, "--security-opt "+option) != wanted {
				t.Errorf("%s: %v for %+v\n%s\n%s", option, given, a, text, flags)
			}
		}
		if (d.User == "1000:1000") != a.user || strings.Contains(flags, "--user 1000:1000") != a.user {
			t.Errorf("user %q for %+v", d.User, a)
		}
	}
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		change func(*rig)
		want   Place
	}{
		{func(*rig) {}, Host},
		{(*rig).inContainer, Container},
		{(*rig).inPod, Pod},
		{func(r *rig) { r.inContainer(); r.files["/var/run/secrets/kubernetes.io/serviceaccount/token"] = "x" }, Pod},
		{func(r *rig) { r.env["container"] = "podman" }, Container},
	} {
		r := fine()
		c.change(&r)
		if got := r.machine().Place(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
