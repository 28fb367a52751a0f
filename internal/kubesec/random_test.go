package kubesec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/controlplaneio/kubesec/v2/pkg/ruler"
	"github.com/google/go-cmp/cmp"

	"github.com/chartgate/chartgate/internal/kubesec"
)

// generator makes workloads whose every field that a rule reads is absent,
// null, right or wrong, now and then of a type that it should not have.
type generator struct{ *rand.Rand }

func (g generator) set(m map[string]any, key string, values ...any) {
	if i := g.IntN(len(values) + 2); i < len(values) {
		m[key] = values[i]
	}
}

func (g generator) containers() []any {
	list := []any{}
	for i := range g.IntN(4) {
		c, sc, caps := map[string]any{}, map[string]any{}, map[string]any{}
		g.set(c, "name", fmt.Sprintf("c%d", i), "same", nil)
		for _, key := range []string{"privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "runAsNonRoot"} {
			g.set(sc, key, true, false, nil, "true")
		}
		for _, key := range []string{"runAsUser", "runAsGroup"} {
			g.set(sc, key, 0, 10000, 10001, nil, "20000")
		}
		g.set(caps, "add", []any{"NET_ADMIN"}, []any{"CAP_SYS_ADMIN", "A"}, []any{}, nil)
		g.set(caps, "drop", []any{"ALL"}, []any{"all"}, []any{"NET_RAW"}, []any{}, []any{nil}, nil)
		g.set(sc, "capabilities", caps, caps, nil)
		g.set(c, "securityContext", sc, sc, sc, nil)
		g.set(c, "resources", g.resources("cpu", "memory"), nil)
		g.set(c, "image", "example.com/unread:1")
		list = append(list, c)
	}
	return list
}

func (g generator) resources(keys ...string) map[string]any {
	res := map[string]any{}
	for _, side := range []string{"requests", "limits"} {
		amounts := map[string]any{}
		for _, key := range keys {
			g.set(amounts, key, "1", 1, nil)
		}
		g.set(res, side, amounts, amounts, nil)
	}
	return res
}

func (g generator) pod() map[string]any {
	pod, sc := map[string]any{}, map[string]any{}
	for _, key := range []string{"hostNetwork", "hostPID", "hostIPC", "automountServiceAccountToken"} {
		g.set(pod, key, true, false, nil)
	}
	g.set(pod, "hostAliases", []any{}, []any{map[string]any{"ip": "10.0.0.1"}}, nil)
	g.set(pod, "serviceAccountName", "web", "", nil)
	g.set(sc, "runAsNonRoot", true, false, nil)
	g.set(sc, "runAsUser", 1, 20000, nil)
	g.set(sc, "runAsGroup", 1, 20000, nil)
	g.set(pod, "securityContext", sc, sc, nil)
	host := func(path any) map[string]any {
		return map[string]any{"name": "v", "hostPath": map[string]any{"path": path}}
	}
	g.set(pod, "volumes", []any{host("/var/run/docker.sock"), map[string]any{"emptyDir": nil}}, []any{host(nil), host("/data/proc")}, []any{}, nil)
	g.set(pod, "initContainers", g.containers(), g.containers(), nil)
	g.set(pod, "containers", g.containers(), g.containers(), g.containers(), nil)
	return pod
}

func (g generator) object() map[string]any {
	meta, annotations := map[string]any{"name": "x", "namespace": "ns"}, map[string]any{}
	for _, kind := range []string{"seccomp.security.alpha", "container.apparmor.security.beta"} {
		g.set(annotations, kind+".kubernetes.io/pod", "unconfined", "runtime/default")
		g.set(annotations, kind+".kubernetes.io/web", "unconfined", "localhost/a", nil)
	}
	g.set(annotations, "note", "see seccomp.security.alpha.kubernetes.io/web:unconfined there", "plain")
	g.set(meta, "annotations", annotations, annotations, nil)
	kind := []string{"Pod", "Deployment", "DaemonSet", "StatefulSet", "StatefulSet"}[g.IntN(5)]
	obj := map[string]any{"apiVersion": "v1", "kind": kind, "metadata": meta}
	if kind == "Pod" {
		g.set(obj, "spec", g.pod(), g.pod(), g.pod(), nil)
		return obj
	}
	claim, spec := map[string]any{}, map[string]any{"resources": g.resources("storage")}
	g.set(spec, "accessModes", []any{"ReadWriteOnce"}, []any{"ReadWriteMany"}, []any{"ReadWriteOnce", "ReadWriteMany"}, nil)
	g.set(claim, "spec", spec, spec, nil)
	body := map[string]any{"template": map[string]any{"spec": g.pod()}}
	g.set(body, "volumeClaimTemplates", []any{claim}, []any{claim, map[string]any{}}, []any{}, nil)
	obj["spec"] = body
	return obj
}

func TestRandomObjects(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	for range 400 {
		data, err := json.Marshal(g.object())
		if err != nil {
			t.Fatal(err)
		}
		results, err := kubesec.New(kubesec.Options{}).ScanJSON(context.Background(), data)
		if err != nil || len(results) != 1 {
			t.Fatalf("%s: %d results, %v", data, len(results), err)
		}
		compare(t, data)
		compareContainers(t, data, results[0])
		if t.Failed() {
			return
		}
	}
}

// compareContainers asks kubesec about every container alone, in the whole
// object, and expects those for which it says yes to be the ones named.
func compareContainers(t *testing.T, data []byte, res kubesec.Result) {
	t.Helper()
	raw := ruler.NewRuleset(nil).Rules
	for _, hit := range slices.Concat(res.Critical, res.Passed, res.Advise) {
		rule, _ := kubesec.Find(hit.ID)
		if rule.Scope == kubesec.ScopeObject {
			continue
		}
		i := slices.IndexFunc(raw, func(r ruler.Rule) bool { return r.ID == hit.ID })
		match, lack := alone(t, data, rule.Scope, raw[i].Predicate)
		want := [2][]string{match, lack}
		if _, critical := find(res.Critical, hit.ID); critical {
			want[1] = nil
		}
		if _, advise := find(res.Advise, hit.ID); advise {
			want = [2][]string{lack, match}
		}
		if d := cmp.Diff(want, [2][]string{hit.Containers, hit.Lacking}); d != "" {
			t.Errorf("%s of %s (-kubesec +chartgate):\n%s", hit.ID, data, d)
		}
	}
}

func alone(t *testing.T, data []byte, scope kubesec.Scope, predicate func([]byte) int) (match, lack []string) {
	t.Helper()
	var obj map[string]any
	if err := json.Unmarshal(data, &obj); err != nil {
		t.Fatal(err)
	}
	pod, _ := obj["spec"].(map[string]any)
	if obj["kind"] != "Pod" {
		pod = pod["template"].(map[string]any)["spec"].(map[string]any)
	}
	all := maps.Clone(pod)
	for _, key := range []string{"initContainers", "containers"} {
		list, _ := all[key].([]any)
		if key == "initContainers" && scope == kubesec.ScopeContainers {
			continue
		}
		for i, c := range list {
			delete(pod, "initContainers")
			delete(pod, "containers")
			pod[key] = []any{c}
			doc, err := json.Marshal(obj)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := c.(map[string]any)["name"].(string)
			if name == "" {
				name = fmt.Sprintf("%s[%d]", key, i)
			}
			if predicate(doc) > 0 {
				match = append(match, name)
			} else {
				lack = append(lack, name)
			}
		}
	}
	return match, lack
}
