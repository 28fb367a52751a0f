//go:build e2e_kubernetes && linux

package kubernetes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// process is one of a pod's, seen from the node: the tests share its process namespace.
type process struct {
	dir     string // /proc/NUMBER
	command string // its arguments, separated by spaces
}

// processes are those of a pod, its containers' all together.
func processes(t *testing.T, pod *corev1.Pod) []process {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	var out []process
	for _, dir := range dirs {
		group, _ := os.ReadFile(filepath.Join(dir, "cgroup"))
		if !strings.Contains(string(group), string(pod.UID)) {
			continue // of another pod, or gone
		}
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if len(command) > 0 {
			out = append(out, process{dir, strings.TrimSpace(strings.ReplaceAll(string(command), "\x00", " "))})
		}
	}
	return out
}

// running are the pod's processes whose command matches.
func running(t *testing.T, pod *corev1.Pod, command string) []process {
	re := regexp.MustCompile(command)
	return slices.DeleteFunc(processes(t, pod), func(p process) bool { return !re.MatchString(p.command) })
}

func (p process) read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, file))
	must(t, err)
	return string(b)
}

// field is a line of /proc/NUMBER/status.
func (p process) field(t *testing.T, name string) string {
	for line := range strings.Lines(p.read(t, "status")) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	t.Fatalf("no %s in the status", name)
	return ""
}

// TestRootless: what runs in the cluster has no privilege: neither the pod's specification nor the processes do.
func TestRootless(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	d := m.started(t)
	build(t, d, image("web", sources(t, "true"))).built()
	pod := &m.pods()[0]

	spec := pod.Spec
	if spec.HostNetwork || spec.HostPID || spec.HostIPC {
		t.Error("the pod shares namespaces of its node")
	}
	for _, v := range spec.Volumes {
		if v.HostPath != nil || v.Projected != nil {
			t.Errorf("the volume %s is of the node, or a token", v.Name)
		}
	}
	for _, c := range append(slices.Clone(spec.InitContainers), spec.Containers...) {
		s := c.SecurityContext
		if s == nil {
			continue
		}
		if s.Privileged != nil && *s.Privileged || s.ProcMount != nil && *s.ProcMount != corev1.DefaultProcMount {
			t.Errorf("the container %s is privileged, or sees all of /proc", c.Name)
		}
		if s.Capabilities != nil && len(s.Capabilities.Add) > 0 {
			t.Errorf("the container %s is given %v", c.Name, s.Capabilities.Add)
		}
		for _, port := range c.Ports {
			if port.HostPort != 0 {
				t.Errorf("the container %s has a port of the node", c.Name)
			}
		}
	}
	if u := spec.SecurityContext.RunAsUser; u == nil || *u == 0 || spec.SecurityContext.RunAsNonRoot == nil || !*spec.SecurityContext.RunAsNonRoot {
		t.Error("the pod may run as root")
	}

	outer := running(t, pod, `^rootlesskit `)
	daemon := running(t, pod, `(^|/)buildkitd `)
	daemon = slices.DeleteFunc(daemon, func(p process) bool { return strings.HasPrefix(p.command, "rootlesskit") })
	if len(outer) == 0 || len(daemon) == 0 {
		t.Fatalf("processes: %v", processes(t, pod))
	}
	if uid, caps := outer[0].field(t, "Uid"), outer[0].field(t, "CapEff"); uid != "1000 1000 1000 1000" || caps != "0000000000000000" {
		t.Errorf("rootlesskit runs as %s with the capabilities %s", uid, caps)
	}
	maps := strings.Join(strings.Fields(daemon[0].read(t, "uid_map")), " ")
	if maps != "0 1000 1 1 100000 65536" {
		t.Errorf("the daemon's uid_map: %s", maps)
	}
	if uid := daemon[0].field(t, "Uid"); uid != "1000 1000 1000 1000" {
		t.Errorf("the daemon's root is %s on the node", uid)
	}
	t.Logf("buildkitd: uid_map %s; as the node sees it, it runs as %s", maps, daemon[0].field(t, "Uid"))
}

var exception = regexp.MustCompile(`(?:baseline:latest": |\), )([A-Za-z ]+) \(`)

// TestBaseline: the level baseline refuses the pod for two reasons and no other, and the error says so.
func TestBaseline(t *testing.T) {
	m := newTeam(t, kube.FormAdmin, "pod-security.kubernetes.io/enforce=baseline")
	began := time.Now()
	d := m.driver("keep=false")
	defer d.Close(context.Background())
	err := d.Start(t.Context())
	text := told(err)
	if err == nil || !strings.Contains(text, `violates PodSecurity "baseline:latest"`) || !strings.Contains(text, "hint: ") {
		t.Fatalf("in a namespace of the level baseline: %s", text)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s to see that", took)
	}
	found := map[string]bool{}
	for _, hit := range exception.FindAllStringSubmatch(text, -1) {
		found[hit[1]] = true
	}
	if len(found) != 2 || !found["seccompProfile"] || !found["forbidden AppArmor profile"] {
		t.Errorf("exceptions from baseline: %v in\n%s", found, text)
	}
	if n := len(m.pods()); n != 0 {
		t.Errorf("%d pods", n)
	}
}

// mayUnshare is a seccomp profile that lets a process make a user namespace and mount in it, which the runtime's
// default forbids to those without CAP_SYS_ADMIN. Loading kernel modules, setting clocks and the like stay forbidden.
const mayUnshare = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO", "names": [
  "acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "create_module", "delete_module", "finit_module",
  "init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "perf_event_open", "quotactl", "reboot",
  "request_key", "settimeofday", "swapoff", "swapon", "syslog", "userfaultfd", "vhangup"]}]}`

// TestBaselineWithProfiles: the pod is admitted by baseline, and gets to build, with a seccomp profile of
// the node's instead of none. AppArmor's default is taken where the node has AppArmor; this one has not.
func TestBaselineWithProfiles(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	d := m.started(t)
	build(t, d, image("web", sources(t, "true"))).built()
	live := m.pods()[0]

	profiles := filepath.Join(it.Dir, "kubelet", "seccomp")
	must(t, os.MkdirAll(profiles, 0o755))
	must(t, os.WriteFile(filepath.Join(profiles, "rootless.json"), []byte(mayUnshare), 0o644))
	local := "rootless.json"
	baseline := newTeam(t, kube.FormAdmin, "pod-security.kubernetes.io/enforce=baseline")
	for _, c := range []struct {
		name    string
		seccomp *corev1.SeccompProfile
		ready   bool
	}{
		{"runtime-default", &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}, false},
		{"localhost", &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeLocalhost, LocalhostProfile: &local}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: c.name, Labels: kube.Labels("other", "acme", false)}, Spec: *live.Spec.DeepCopy()}
			pod.Spec.NodeName = ""
			pod.Spec.SecurityContext.SeccompProfile, pod.Spec.SecurityContext.AppArmorProfile = c.seccomp, nil
			pods := it.Admin.CoreV1().Pods(baseline.ns)
			_, err := pods.Create(t.Context(), pod, metav1.CreateOptions{})
			must(t, err)
			defer func() { _ = pods.Delete(context.Background(), c.name, deleteNow) }()
			baseline.await("the daemon to answer or to end", 60*time.Second, func() error {
				now, err := pods.Get(t.Context(), c.name, metav1.GetOptions{})
				if err != nil {
					return err
				}
				for _, s := range now.Status.ContainerStatuses {
					if s.Ready != c.ready && (s.Ready || s.RestartCount > 0) {
						t.Fatalf("ready: %v; %+v", s.Ready, s.State)
					}
					if s.Ready || s.RestartCount > 0 {
						return nil
					}
				}
				return fmt.Errorf("%+v", now.Status)
			})
		})
	}
}

// TestUserNamespaces: with host-users=auto a builder comes about, whether or not the node can give its pods user
// namespaces; with false there is one of its own, or an error that says why not.
func TestUserNamespaces(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	d := m.started(t, "host-users=auto")
	build(t, d, image("web", sources(t, "true"))).built()
	pod := &m.pods()[0]
	own := pod.Spec.HostUsers != nil && !*pod.Spec.HostUsers
	t.Logf("host-users=auto: a user namespace of its own: %v", own)

	strict := m.driver("host-users=false", "keep=false", "timeout=20s")
	defer strict.Close(context.Background())
	err := strict.Start(t.Context())
	switch {
	case own != (err == nil):
		t.Errorf("auto gives %v, false gives %s", own, told(err))
	case err != nil && !strings.Contains(told(err), "user namespaces"):
		t.Errorf("it does not say why: %s", told(err))
	}
	if own {
		daemon := running(t, pod, `^buildkitd `)
		t.Logf("uid_map %s", daemon[0].read(t, "uid_map"))
	}
}

// TestProcessSandbox: in a user namespace of its own a pod may have a /proc that is not masked, under the level baseline
// too, and a daemon in it keeps RUN steps in a process namespace each: none of them can reach the daemon,
// and one that is cancelled ends with all its children.
func TestProcessSandbox(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	m.started(t, "host-users=auto")
	pod := &m.pods()[0]
	if pod.Spec.HostUsers == nil || *pod.Spec.HostUsers {
		t.Skip("this node gives its pods no user namespaces")
	}
	deployments := it.Admin.AppsV1().Deployments(m.ns)
	w, err := deployments.Get(t.Context(), "buildkit-acme", metav1.GetOptions{})
	must(t, err)
	unmasked := corev1.UnmaskedProcMount
	c := &w.Spec.Template.Spec.Containers[0]
	c.SecurityContext.ProcMount = &unmasked
	c.Args = slices.DeleteFunc(c.Args, func(arg string) bool { return arg == "--oci-worker-no-process-sandbox" })
	_, err = deployments.Update(t.Context(), w, metav1.UpdateOptions{})
	must(t, err)
	m.await("the new pod", 60*time.Second, func() error {
		pods := m.pods()
		if len(pods) != 1 || pods[0].UID == pod.UID || !pods[0].Status.ContainerStatuses[0].Ready {
			return fmt.Errorf("%d pods", len(pods))
		}
		pod = &pods[0]
		return nil
	})
	// Of baseline's two exceptions none is for it.
	admitted := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "admitted"}, Spec: *pod.Spec.DeepCopy()}
	admitted.Spec.SecurityContext.SeccompProfile, admitted.Spec.SecurityContext.AppArmorProfile = nil, nil
	baseline := newTeam(t, kube.FormAdmin, "pod-security.kubernetes.io/enforce=baseline")
	_, err = it.Admin.CoreV1().Pods(baseline.ns).Create(t.Context(), admitted, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	must(t, err)

	d := m.started(t, "use-existing=true")
	j := build(t, d, image("web", sources(t, "echo processes: $(/bin/busybox ls /proc | /bin/busybox grep -c '^[0-9]') && "+slow(120))))
	j.until(begun)
	if !strings.Contains(j.out.String(), "processes: 4") && !strings.Contains(j.out.String(), "processes: 3") {
		t.Errorf("a RUN step sees more than its own processes:\n%s", j.out)
	}
	j.cancel()
	j.wait()
	m.idle(pod, 20*time.Second)
}
