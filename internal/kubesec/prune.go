package kubesec

import (
	"fmt"
	"strings"
)

// The rules decode the whole document again at each question, so they are
// shown only what they ask for: a tenth of a usual Deployment, and nothing of
// a kind that they would trip over. Values are kept as they are, and so is the
// difference between an absent leaf and an explicit null, which some rules
// count as set.

// prunedPod is a pod reduced to what the rules read.
type prunedPod struct {
	spec             map[string]any // without containers
	init, containers []prunedContainer
}

type prunedContainer struct {
	name   string
	fields map[string]any
}

func prunePod(r *reader, pod map[string]any, maxContainers int) prunedPod {
	spec := map[string]any{}
	r.copyBool(spec, pod, "pod", "hostNetwork", "hostPID", "hostIPC")
	r.copyScalar(spec, pod, "pod", "automountServiceAccountToken")
	r.copyPresence(spec, pod, "hostAliases", "serviceAccountName")
	if sc := r.mapping(pod, "securityContext", "pod.securityContext"); sc != nil {
		keep := map[string]any{}
		r.copyScalar(keep, sc, "pod.securityContext", "runAsNonRoot", "runAsUser", "runAsGroup")
		spec["securityContext"] = keep
	}
	if volumes := pruneVolumes(r, pod); volumes != nil {
		spec["volumes"] = volumes
	}
	p := prunedPod{spec: spec}
	n := len(r.list(pod, "initContainers", "initContainers")) + len(r.list(pod, "containers", "containers"))
	if n > maxContainers {
		r.err = fmt.Errorf("the pod has %d containers, more than the %d that are looked at", n, maxContainers)
		return p
	}
	p.init = pruneContainers(r, pod, "initContainers")
	p.containers = pruneContainers(r, pod, "containers")
	return p
}

// pruneVolumes keeps the host paths, which is all that rules ask of volumes.
func pruneVolumes(r *reader, pod map[string]any) []any {
	var kept []any
	for i, v := range r.list(pod, "volumes", "volumes") {
		path := describe("volumes", i)
		volume, ok := v.(map[string]any)
		if !ok {
			r.fail(path, v, "a mapping")
			return nil
		}
		host := r.mapping(volume, "hostPath", path+".hostPath")
		keep := map[string]any{}
		r.copyScalar(keep, host, path+".hostPath", "path")
		if len(keep) > 0 {
			kept = append(kept, map[string]any{"hostPath": keep})
		}
	}
	return kept
}

func pruneContainers(r *reader, pod map[string]any, key string) []prunedContainer {
	list := r.list(pod, key, key)
	pruned := make([]prunedContainer, 0, len(list))
	for i, v := range list {
		path := describe(key, i)
		c, ok := v.(map[string]any)
		if !ok {
			r.fail(path, v, "a mapping")
			return pruned
		}
		name, _ := c["name"].(string)
		if name == "" {
			name = path
		} else {
			path = fmt.Sprintf("%s (%q)", path, name)
		}
		pruned = append(pruned, prunedContainer{name: name, fields: pruneContainer(r, c, path)})
	}
	return pruned
}

func pruneContainer(r *reader, c map[string]any, path string) map[string]any {
	fields := map[string]any{}
	if sc := r.mapping(c, "securityContext", path+".securityContext"); sc != nil {
		at := path + ".securityContext"
		keep := map[string]any{}
		r.copyScalar(keep, sc, at, "runAsNonRoot", "runAsUser", "runAsGroup", "privileged",
			"readOnlyRootFilesystem", "allowPrivilegeEscalation")
		if caps := r.mapping(sc, "capabilities", at+".capabilities"); caps != nil {
			lists := map[string]any{}
			r.copyScalars(lists, caps, at+".capabilities", "add")
			r.copyScalars(lists, caps, at+".capabilities", "drop")
			keep["capabilities"] = lists
		}
		fields["securityContext"] = keep
	}
	if res := pruneResources(r, c, path, "cpu", "memory"); res != nil {
		fields["resources"] = res
	}
	return fields
}

func pruneResources(r *reader, owner map[string]any, path string, keys ...string) map[string]any {
	resources := r.mapping(owner, "resources", path+".resources")
	if resources == nil {
		return nil
	}
	keep := map[string]any{}
	for _, side := range []string{"requests", "limits"} {
		if amounts := r.mapping(resources, side, path+".resources."+side); amounts != nil {
			kept := map[string]any{}
			r.copyPresence(kept, amounts, keys...)
			keep[side] = kept
		}
	}
	return keep
}

func pruneClaims(r *reader, claims []any) []any {
	kept := make([]any, 0, len(claims))
	for i, v := range claims {
		path := describe("spec.volumeClaimTemplates", i)
		claim, ok := v.(map[string]any)
		if !ok {
			r.fail(path, v, "a mapping")
			return kept
		}
		keep := map[string]any{}
		if _, given := claim["spec"]; given {
			keep["spec"] = nil // a null counts as a claim
		}
		if spec := r.mapping(claim, "spec", path+".spec"); spec != nil {
			fields := map[string]any{}
			r.copyScalars(fields, spec, path+".spec", "accessModes")
			if res := pruneResources(r, spec, path+".spec", "storage"); res != nil {
				fields["resources"] = res
			}
			keep["spec"] = fields
		}
		kept = append(kept, keep)
	}
	return kept
}

// pruneAnnotations keeps annotations whole when a rule could find something in
// them: kubesec searches the text that Go prints for the mapping, so what
// stands beside a key matters to it.
func pruneAnnotations(r *reader, annotations map[string]any) map[string]any {
	if annotations == nil {
		return nil
	}
	relevant := false
	for key, v := range annotations {
		if composite(v) {
			r.fail(fmt.Sprintf("annotation %q", key), v, "a string")
			return nil
		}
		text, _ := v.(string)
		relevant = relevant || profiled(key) || profiled(text)
	}
	if !relevant {
		return map[string]any{}
	}
	return annotations
}

func profiled(text string) bool {
	return strings.Contains(text, "seccomp.security.alpha.kubernetes.io/") ||
		strings.Contains(text, "container.apparmor.security.beta.kubernetes.io/")
}
