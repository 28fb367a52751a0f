package kubernetes

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestManifests(t *testing.T) {
	config := filepath.Join(t.TempDir(), "buildkitd.toml")
	write(t, config, "[registry.\"mirror.example\"]\n  http = true\n")
	no := false
	for _, c := range []struct {
		name  string
		users *bool
		pairs []string
	}{
		{"default", nil, []string{"host-users", "true"}},
		{"users", &no, nil},
		{"everything", nil, []string{"protected", "true", storageOption, "20Gi", "persistent-volume-claim.storage-class", "fast", "replicas", "3", "image", "registry.example/buildkit:1",
			"image-pull-policy", "Always", "image-pull-secrets", "one,two", "requests.cpu", "500m", "requests.memory", "1Gi", "limits.memory", "4Gi", "limits.ephemeral-storage", "10Gi",
			"nodeselector", "disk=ssd", "tolerations", "key=builds,operator=Exists,effect=NoSchedule;key=spot,value=yes,tolerationSeconds=60,effect=NoExecute", "annotations", "team=platform",
			"labels", "cost=builds", "serviceaccount", "builder", "schedulername", "mine", "priority-class", "low", "runtime-class", "gvisor", "ttl", "1h", "drain", "1m",
			"buildkitd-flags", "--debug --oci-max-parallelism 4", "config", config, "env.HTTPS_PROXY", "http://proxy:3128", "env.A", "b"}},
		{"memory", nil, []string{"buildkit-root-volume-memory", "2Gi", "drain", "0s"}},
	} {
		o := options(t, c.pairs...)
		w, err := o.workload(c.users, noon)
		if err != nil {
			t.Fatal(err)
		}
		var object any = w.deployment()
		if w.kind == KindStatefulSet {
			object = w.statefulSet()
		}
		got, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", c.name+".yaml")
		if *update {
			write(t, golden, string(got))
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// Whatever the options, the pod has no privilege and no way to the API server or the node.
func TestPodsStayRootless(t *testing.T) {
	for _, pairs := range [][]string{nil, {storageOption, "1Gi"}, {"host-users", "false"}, {"serviceaccount", "x", "runtime-class", "y"}} {
		for _, users := range []*bool{nil, new(bool)} {
			o := options(t, pairs...)
			pod, err := o.pod(users)
			if err != nil {
				t.Fatal(err)
			}
			s := pod.Spec
			if s.HostNetwork || s.HostPID || s.HostIPC || *s.AutomountServiceAccountToken || !*s.SecurityContext.RunAsNonRoot || *s.SecurityContext.RunAsUser != ownUser {
				t.Errorf("%v: %+v", pairs, s)
			}
			for _, c := range append(s.InitContainers, s.Containers...) {
				if sc := c.SecurityContext; sc != nil && (sc.Privileged != nil || sc.Capabilities != nil || sc.RunAsUser != nil || sc.ProcMount != nil) {
					t.Errorf("%v: container %s: %+v", pairs, c.Name, sc)
				}
			}
			for _, v := range s.Volumes {
				if v.EmptyDir == nil && v.DownwardAPI == nil {
					t.Errorf("%v: volume %+v", pairs, v)
				}
			}
			mapped := hasMount(s.Containers[0], "/etc/subuid") && hasMount(s.Containers[0], "/etc/subgid")
			if own := s.HostUsers != nil && !*s.HostUsers; mapped != own {
				t.Errorf("%v: ids below 65536 are handed out: %v, in a user namespace of the pod: %v", pairs, mapped, own)
			}
		}
	}
}

func hasMount(c corev1.Container, path string) bool {
	for _, m := range c.VolumeMounts {
		if m.MountPath == path {
			return true
		}
	}
	return false
}

func TestSubordinateIDsFit(t *testing.T) {
	if subordinate != "1000:1:999\n1000:1001:64535\n" {
		t.Errorf("%q: all of 1 to 65535 but the daemon's own", subordinate)
	}
}

// What the hash covers is what a restart of the pods is worth.
func TestSpecHash(t *testing.T) {
	hash := func(at time.Time, users *bool, pairs ...string) string {
		o := options(t, pairs...)
		w, err := o.workload(users, at)
		if err != nil {
			t.Fatal(err)
		}
		if w.meta.Annotations[AnnotationSpec] != w.template.Annotations[AnnotationSpec] {
			t.Error("workload and pods have different hashes")
		}
		return w.meta.Annotations[AnnotationSpec]
	}
	base := hash(noon, nil)
	for _, same := range [][]string{{"replicas", "3"}, {"ttl", "1h"}, {"timeout", "1h"}, {"transport", "spdy"}, {"loadbalance", "random"}} {
		if hash(noon.Add(time.Hour), nil, same...) != base {
			t.Errorf("%v changes the pods", same)
		}
	}
	for _, other := range [][]string{{"image", "x"}, {"limits.memory", "1Gi"}, {"labels", "a=b"}, {"env.A", "b"}, {"protected", "true"}, {"drain", "1m"}} {
		if hash(noon, nil, other...) == base {
			t.Errorf("%v does not change the pods", other)
		}
	}
	if hash(noon, new(bool)) == base {
		t.Error("a user namespace does not change the pods")
	}
	if n := len(base); n != 16 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Errorf("%q", base)
	}
}
