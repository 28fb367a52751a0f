package kubesec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// identity is what an object is called.
type identity struct {
	apiVersion, kind, name, namespace string
}

// String is the object's name in kubesec's reports.
func (id identity) String() string {
	kind, name, namespace := id.kind, id.name, id.namespace
	if kind == "" {
		return "Unknown"
	}
	if name == "" {
		name = "undefined"
	}
	if namespace == "" {
		namespace = "default"
	}
	return kind + "/" + name + "." + namespace
}

func (id identity) group() string {
	group, _, ok := strings.Cut(id.apiVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// ObjectName is what kubesec calls an object, of any kind and however it is
// malformed, in its reports.
func ObjectName(obj map[string]any) string {
	kind := obj["kind"]
	if kind == nil {
		return "Unknown"
	}
	meta, _ := obj["metadata"].(map[string]any)
	name, namespace := printed(meta["name"]), printed(meta["namespace"])
	if meta["name"] == nil {
		name = "undefined"
	}
	if meta["namespace"] == nil {
		namespace = "default"
	}
	return printed(kind) + "/" + name + "." + namespace
}

// printed writes a value as Go prints what encoding/json makes of it: kubesec
// knows no integers.
func printed(v any) string {
	switch n := v.(type) {
	case int:
		return fmt.Sprint(float64(n))
	case int64:
		return fmt.Sprint(float64(n))
	case uint64:
		return fmt.Sprint(float64(n))
	}
	return fmt.Sprint(v)
}

// identify reads an object's name; what could be read comes with an error.
func identify(obj map[string]any) (identity, error) {
	r := &reader{}
	id := identity{kind: r.text(obj, "kind", "kind"), apiVersion: r.text(obj, "apiVersion", "apiVersion")}
	meta := r.mapping(obj, "metadata", "metadata")
	id.name = r.label(meta, "name")
	if id.name == "" {
		id.name = r.label(meta, "generateName")
	}
	id.namespace = r.label(meta, "namespace")
	if r.err == nil && id.kind == "" {
		r.err = errors.New("the object has no kind")
	}
	return id, r.err
}

// isList tells a v1 List, or one of the typed lists (DeploymentList) that an
// API server answers, from a custom resource whose name happens to end so.
func isList(obj map[string]any, id identity) bool {
	if id.kind == "List" {
		return true
	}
	_, hasItems := obj["items"].([]any)
	return hasItems && strings.HasSuffix(id.kind, "List") && knownGroup(id.group())
}

// knownGroup says whether an API group is one that Kubernetes' own workloads
// live in. A manifest without apiVersion is judged by its kind.
func knownGroup(group string) bool {
	return slices.Contains([]string{"", "apps", "batch", "extensions"}, group)
}

// subject is an object as the rules see it.
type subject struct {
	identity
	seenAs      string         // the kind that the rules are told
	annotations map[string]any // of the object whose kind that is
	pod         map[string]any // the pod's spec
	claims      []any          // volumeClaimTemplates
	claimsGiven bool
	synthetic   bool
}

// subject finds the pod of an object; false if it has none.
func (s *Scanner) subject(obj map[string]any, id identity) (subject, bool, error) {
	if slices.Contains(s.native, id.kind) {
		return s.nativeSubject(obj, id)
	}
	path := templatePath(id)
	if s.asKubesec || path == nil {
		return subject{}, false, nil
	}
	sub, err := templateSubject(obj, id, path)
	return sub, true, err
}

// nativeSubject shows the rules an object of a kind that they know.
func (s *Scanner) nativeSubject(obj map[string]any, id identity) (subject, bool, error) {
	r := &reader{}
	meta, spec := r.mapping(obj, "metadata", "metadata"), r.mapping(obj, "spec", "spec")
	sub := subject{identity: id, seenAs: id.kind, pod: spec}
	sub.annotations = r.mapping(meta, "annotations", "metadata.annotations")
	if id.kind != "Pod" {
		sub.pod = r.mapping(r.mapping(spec, "template", "spec.template"), "spec", "spec.template.spec")
	}
	_, sub.claimsGiven = spec["volumeClaimTemplates"]
	sub.claims = r.list(spec, "volumeClaimTemplates", "spec.volumeClaimTemplates")
	if !s.asKubesec && !knownGroup(id.group()) && sub.pod["containers"] == nil {
		return subject{}, false, nil // a custom resource that shares a name, not a workload
	}
	return sub, true, r.err
}

// templateSubject shows the rules a Pod made from an object's pod template.
func templateSubject(obj map[string]any, id identity, keys []string) (subject, error) {
	r := &reader{}
	template, path := obj, ""
	for _, key := range keys {
		path = join(path, key)
		template = r.mapping(template, key, path)
	}
	meta := r.mapping(template, "metadata", path+".metadata")
	return subject{
		identity:    id,
		seenAs:      "Pod",
		annotations: r.mapping(meta, "annotations", path+".metadata.annotations"),
		pod:         r.mapping(template, "spec", path+".spec"),
		synthetic:   true,
	}, r.err
}

// templatePath says where Kubernetes' workloads that kubesec does not know
// keep their pod template; nil for everything else.
func templatePath(id identity) []string {
	switch group := id.group(); {
	case id.kind == "CronJob" && (group == "batch" || id.apiVersion == ""):
		return []string{"spec", "jobTemplate", "spec", "template"}
	case id.kind == "Job" && (group == "batch" || id.apiVersion == ""):
		return []string{"spec", "template"}
	case id.kind == "ReplicaSet" && knownGroup(group):
		return []string{"spec", "template"}
	case id.kind == "ReplicationController" && group == "":
		return []string{"spec", "template"}
	case id.kind == "PodTemplate" && group == "":
		return []string{"template"}
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// describe is the path of a list's i-th element.
func describe(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
