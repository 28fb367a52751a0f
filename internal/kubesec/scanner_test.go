package kubesec_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/chartgate/chartgate/internal/kubesec"
)

func object(t testing.TB, manifest string) map[string]any {
	t.Helper()
	var obj map[string]any
	if err := yaml.Unmarshal([]byte(manifest), &obj); err != nil {
		t.Fatalf("parsing the test's manifest: %v", err)
	}
	return obj
}

func scanOne(t testing.TB, manifest string) kubesec.Result {
	t.Helper()
	results, err := kubesec.New(kubesec.Options{}).Scan(context.Background(), object(t, manifest))
	if err != nil {
		t.Fatalf("Scan: %v", err)
	}
	if len(results) != 1 {
		t.Fatalf("Scan gave %d results, want 1", len(results))
	}
	return results[0]
}

func find(hits []kubesec.RuleHit, id string) (kubesec.RuleHit, bool) {
	i := slices.IndexFunc(hits, func(h kubesec.RuleHit) bool { return h.ID == id })
	if i < 0 {
		return kubesec.RuleHit{}, false
	}
	return hits[i], true
}

func ids(hits []kubesec.RuleHit) []string {
	out := []string{}
	for _, h := range hits {
		out = append(out, h.ID)
	}
	return out
}

// mixedPod has one container in order, one that is not, and an init container.
const mixedPod = `
apiVersion: v1
kind: Pod
metadata: {name: mixed, namespace: shop}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 20000}
  initContainers:
    - name: init
      image: i
      securityContext: {privileged: true}
      resources: {requests: {cpu: 1}}
    - name: sidecar
      image: i
      restartPolicy: Always
      securityContext: {allowPrivilegeEscalation: true}
  containers:
    - name: good
      image: i
      securityContext:
        readOnlyRootFilesystem: true
        capabilities: {drop: [all]}
      resources: {limits: {memory: 1Gi}}
    - name: bad
      image: i
      securityContext:
        runAsNonRoot: false
        privileged: true
        runAsUser: 5
        capabilities: {add: [CAP_SYS_ADMIN], drop: []}
    - image: nameless
`

func TestContainersAreNamed(t *testing.T) {
	res := scanOne(t, mixedPod)
	tests := []struct {
		list, id            string
		containers, lacking []string
	}{
		{"critical", "Privileged", []string{"init", "bad"}, nil},
		{"critical", "AllowPrivilegeEscalation", []string{"sidecar"}, nil},
		{"critical", "CapSysAdmin", []string{"bad"}, nil},
		{"passed", "RunAsNonRoot", []string{"init", "sidecar", "good", "containers[2]"}, []string{"bad"}},
		{"passed", "RunAsUser", []string{"init", "sidecar", "good", "containers[2]"}, []string{"bad"}},
		{"passed", "ReadOnlyRootFilesystem", []string{"good"}, []string{"init", "sidecar", "bad", "containers[2]"}},
		{"passed", "CapDropAny", []string{"good"}, []string{"init", "sidecar", "bad", "containers[2]"}},
		{"passed", "CapDropAll", []string{"good"}, []string{"init", "sidecar", "bad", "containers[2]"}},
		{"passed", "LimitsMemory", []string{"good"}, []string{"bad", "containers[2]"}},
		{"advise", "RequestsCPU", []string{"good", "bad", "containers[2]"}, nil}, // the init container's request does not count
		{"advise", "RunAsGroup", []string{"init", "sidecar", "good", "bad", "containers[2]"}, nil},
		{"advise", "ServiceAccountName", nil, nil},
	}
	lists := map[string][]kubesec.RuleHit{"critical": res.Critical, "passed": res.Passed, "advise": res.Advise}
	for _, tt := range tests {
		hit, ok := find(lists[tt.list], tt.id)
		if !ok {
			t.Errorf("%s is not under %s: %v", tt.id, tt.list, ids(lists[tt.list]))
			continue
		}
		if d := cmp.Diff(tt.containers, hit.Containers); d != "" {
			t.Errorf("%s: containers (-want +got):\n%s", tt.id, d)
		}
		if d := cmp.Diff(tt.lacking, hit.Lacking); d != "" {
			t.Errorf("%s: lacking (-want +got):\n%s", tt.id, d)
		}
	}
	if got, want := res.Object(), "Pod/mixed.shop"; got != want {
		t.Errorf("Object() = %q, want %q", got, want)
	}
	if want := -30 - 30 - 7 + 6; res.Score != want {
		t.Errorf("score %d, want %d", res.Score, want)
	}
}

func TestRulesOfThePod(t *testing.T) {
	const head = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: a"
	tests := []struct {
		id, annotations, spec, list string
	}{
		{"HostNetwork", "", "hostNetwork: true", "critical"},
		{"HostPID", "", "hostPID: true", "critical"},
		{"HostIPC", "", "hostIPC: true", "critical"},
		{"HostIPC", "", "hostIPC: null", ""},
		{"HostAliases", "", "hostAliases: [{ip: 10.0.0.1, hostnames: [a]}]", "critical"},
		{"HostAliases", "", "hostAliases: []", "critical"},
		{"HostAliases", "", "hostAliases: null", ""},
		{"DockerSock", "", "volumes: [{name: a, emptyDir: {}}, {name: s, hostPath: {path: /var/run/docker.sock}}]", "critical"},
		{"DockerSock", "", "volumes: [{name: s, hostPath: {path: /var/run}}]", ""},
		{"ProcMount", "", "volumes: [{name: s, hostPath: {path: /proc/1}}]", "critical"},
		{"ServiceAccountName", "", "serviceAccountName: web", "passed"},
		{"ServiceAccountName", "", "serviceAccountName: null", "advise"},
		{"AutomountServiceAccountToken", "", "automountServiceAccountToken: false", "passed"},
		{"AutomountServiceAccountToken", "", "automountServiceAccountToken: true", "advise"},
		{"SeccompAny", "seccomp.security.alpha.kubernetes.io/pod: runtime/default", "", "passed"},
		{"SeccompAny", "seccomp.security.alpha.kubernetes.io/pod: unconfined", "", "advise"},
		{"SeccompUnconfined", "seccomp.security.alpha.kubernetes.io/pod: unconfined", "", "critical"},
		{"SeccompUnconfined", "other: value", "", ""},
		{"ApparmorAny", "container.apparmor.security.beta.kubernetes.io/web: runtime/default", "", "passed"},
		{"ApparmorAny", "checksum/config: abc", "", "advise"},
	}
	for _, tt := range tests {
		manifest := head
		if tt.annotations != "" {
			manifest += ", annotations: {" + tt.annotations + "}"
		}
		res := scanOne(t, manifest+"}\nspec: {template: {spec: {containers: [{name: c}], "+tt.spec+"}}}")
		for list, hits := range map[string][]kubesec.RuleHit{"critical": res.Critical, "passed": res.Passed, "advise": res.Advise} {
			hit, got := find(hits, tt.id)
			if want := list == tt.list; got != want {
				t.Errorf("%s with %q %q: under %s: %v, want %v", tt.id, tt.annotations, tt.spec, list, got, want)
			}
			if hit.Containers != nil {
				t.Errorf("%s names containers %v, but is about the pod", tt.id, hit.Containers)
			}
		}
	}
}

func TestVolumeClaims(t *testing.T) {
	tests := []struct {
		claims string
		passed []string
	}{
		{"", []string{"VolumeClaimAccessModeReadWriteOnce", "VolumeClaimRequestsStorage"}},
		{"volumeClaimTemplates: [{spec: null}]", nil},
		{"volumeClaimTemplates: [{spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]",
			[]string{"VolumeClaimAccessModeReadWriteOnce", "VolumeClaimRequestsStorage"}},
		{"volumeClaimTemplates: [{spec: {accessModes: [ReadWriteOnce, ReadOnlyMany], resources: {requests: {storage: null}}}}]",
			[]string{"VolumeClaimRequestsStorage"}},
	}
	for _, tt := range tests {
		res := scanOne(t, "kind: StatefulSet\nmetadata: {name: db}\nspec: {template: {spec: {containers: []}}, "+tt.claims+"}")
		for _, id := range []string{"VolumeClaimAccessModeReadWriteOnce", "VolumeClaimRequestsStorage"} {
			if _, got := find(res.Passed, id); got != slices.Contains(tt.passed, id) {
				t.Errorf("%q: %s passed: %v", tt.claims, id, got)
			}
		}
	}
}

func TestPodTemplates(t *testing.T) {
	const pod = "{metadata: {annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}, spec: {hostPID: true, containers: [{name: c, securityContext: {privileged: true}}]}}"
	tests := []struct{ name, manifest, object string }{
		{"CronJob", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: job}\nspec: {jobTemplate: {spec: {template: " + pod + "}}}", "CronJob/job.default"},
		{"Job", "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: job-, namespace: ns}\nspec: {template: " + pod + "}", "Job/job-.ns"},
		{"ReplicaSet", "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: job}\nspec: {template: " + pod + "}", "ReplicaSet/job.default"},
		{"ReplicationController", "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: job}\nspec: {template: " + pod + "}", "ReplicationController/job.default"},
		{"PodTemplate", "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: job}\ntemplate: " + pod, "PodTemplate/job.default"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := scanOne(t, tt.manifest)
			if res.Object() != tt.object || res.Kind != tt.name || !res.PodTemplate {
				t.Errorf("got %s (kind %s, pod template %v), want %s", res.Object(), res.Kind, res.PodTemplate, tt.object)
			}
			if d := cmp.Diff([]string{"Privileged", "HostPID", "SeccompUnconfined"}, ids(res.Critical)); d != "" {
				t.Errorf("critical (-want +got):\n%s", d)
			}
			if res.Score != -40 {
				t.Errorf("score %d, want -40", res.Score)
			}
			hit, _ := find(res.Critical, "Privileged")
			if d := cmp.Diff([]string{"c"}, hit.Containers); d != "" {
				t.Errorf("containers (-want +got):\n%s", d)
			}
			plain, err := kubesec.New(kubesec.Options{AsKubesec: true}).Scan(context.Background(), object(t, tt.manifest))
			if err != nil || plain != nil {
				t.Errorf("as kubesec: %v, %v, want nothing", plain, err)
			}
		})
	}
}

func TestNotScored(t *testing.T) {
	for _, manifest := range []string{
		"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: []}",
		"apiVersion: v1\nkind: ConfigMap\ndata: {a: b}",
		"apiVersion: example.com/v1\nkind: Backup\nspec: a string",
		"apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nspec: {tasks: []}",
		"apiVersion: example.com/v1\nkind: Deployment\nspec: {region: north}",
		"apiVersion: example.com/v1\nkind: Pod\nspec: {legs: 4}",
		"apiVersion: example.com/v1\nkind: PriceList\nitems: [{kind: Pod}]",
		"apiVersion: v1\nkind: List\nitems: []",
		"apiVersion: v1\nkind: List",
	} {
		results, err := kubesec.New(kubesec.Options{}).Scan(context.Background(), object(t, manifest))
		if err != nil || len(results) != 0 {
			t.Errorf("%q: %v, %v, want nothing", manifest, results, err)
		}
	}
	if results, err := kubesec.New(kubesec.Options{}).ScanJSON(context.Background(), []byte("null")); err != nil || results != nil {
		t.Errorf("null: %v, %v, want nothing", results, err)
	}
}

func TestForeignWorkloadIsScored(t *testing.T) {
	res := scanOne(t, "apiVersion: apps.kruise.io/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec: {template: {spec: {hostPID: true, containers: [{name: c}]}}}")
	if _, ok := find(res.Critical, "HostPID"); !ok {
		t.Errorf("a pod behind another API group went unseen: %+v", res)
	}
}
