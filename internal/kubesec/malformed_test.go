package kubesec_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/kubesec"
)

func TestMalformed(t *testing.T) {
	const meta = `"kind":"Pod","metadata":{"name":"p"},`
	tests := []struct{ json, want string }{
		{`[]`, "parsing manifest: it is a list, want a mapping"},
		{`"text"`, "parsing manifest: it is a string, want a mapping"},
		{`{`, "parsing manifest: unexpected end of JSON input"},
		{`{"kind":"Pod","n":1e999}`, "parsing manifest: json: cannot unmarshal number 1e999"},
		{`{}`, "scoring Unknown: the object has no kind"},
		{`{"kind":null}`, "scoring Unknown: the object has no kind"},
		{`{"kind":7}`, "scoring Unknown: kind is a number, want a string"},
		{`{"kind":"Pod","apiVersion":{}}`, "scoring Pod/undefined.default: apiVersion is a mapping, want a string"},
		{`{"kind":"Pod","metadata":"p"}`, "scoring Pod/undefined.default: metadata is a string, want a mapping"},
		{`{"kind":"Pod","metadata":{"name":["p"]}}`, "scoring Pod/undefined.default: metadata.name is a list, want a string"},
		{`{"kind":"Pod","metadata":{"name":12,"annotations":[]}}`, "scoring Pod/12.default: metadata.annotations is a list, want a mapping"},
		{`{"kind":"Pod","metadata":{"name":"p","annotations":{"a":{}}}}`, `scoring Pod/p.default: annotation "a" is a mapping, want a string`},
		{`{` + meta + `"spec":"none"}`, "scoring Pod/p.default: spec is a string, want a mapping"},
		{`{` + meta + `"spec":{"hostPID":"true"}}`, "pod.hostPID is a string, want true or false"},
		{`{` + meta + `"spec":{"hostNetwork":1}}`, "pod.hostNetwork is a number, want true or false"},
		{`{` + meta + `"spec":{"automountServiceAccountToken":{}}}`, "pod.automountServiceAccountToken is a mapping, want a single value"},
		{`{` + meta + `"spec":{"securityContext":[]}}`, "pod.securityContext is a list, want a mapping"},
		{`{` + meta + `"spec":{"volumes":{}}}`, "volumes is a mapping, want a list"},
		{`{` + meta + `"spec":{"volumes":[null]}}`, "volumes[0] is null, want a mapping"},
		{`{` + meta + `"spec":{"volumes":[{"hostPath":"/proc"}]}}`, "volumes[0].hostPath is a string, want a mapping"},
		{`{` + meta + `"spec":{"volumes":[{"hostPath":{"path":["/proc"]}}]}}`, "volumes[0].hostPath.path is a list, want a single value"},
		{`{` + meta + `"spec":{"containers":{"a":{}}}}`, "containers is a mapping, want a list"},
		{`{` + meta + `"spec":{"initContainers":[null]}}`, "initContainers[0] is null, want a mapping"},
		{`{` + meta + `"spec":{"containers":[{"name":"c","securityContext":"x"}]}}`, `containers[0] ("c").securityContext is a string, want a mapping`},
		{`{` + meta + `"spec":{"containers":[{"securityContext":{"capabilities":[]}}]}}`, "containers[0].securityContext.capabilities is a list, want a mapping"},
		{`{` + meta + `"spec":{"containers":[{"securityContext":{"capabilities":{"add":"SYS_ADMIN"}}}]}}`, "containers[0].securityContext.capabilities.add is a string, want a list"},
		{`{` + meta + `"spec":{"containers":[{"securityContext":{"capabilities":{"drop":[{}]}}}]}}`, "containers[0].securityContext.capabilities.drop[0] is a mapping, want a single value"},
		{`{` + meta + `"spec":{"containers":[{"securityContext":{"privileged":[true]}}]}}`, "containers[0].securityContext.privileged is a list, want a single value"},
		{`{` + meta + `"spec":{"containers":[{"resources":"none"}]}}`, "containers[0].resources is a string, want a mapping"},
		{`{` + meta + `"spec":{"containers":[{"resources":{"limits":"none"}}]}}`, "containers[0].resources.limits is a string, want a mapping"},
		{`{"kind":"Deployment","spec":{"template":[]}}`, "scoring Deployment/undefined.default: spec.template is a list, want a mapping"},
		{`{"kind":"CronJob","spec":{"jobTemplate":{"spec":"x"}}}`, "scoring CronJob/undefined.default: spec.jobTemplate.spec is a string, want a mapping"},
		{`{"kind":"Job","spec":{"template":{"spec":[]}}}`, "scoring Job/undefined.default: spec.template.spec is a list, want a mapping"},
		{`{"kind":"StatefulSet","spec":{"volumeClaimTemplates":"x"}}`, "spec.volumeClaimTemplates is a string, want a list"},
		{`{"kind":"StatefulSet","spec":{"volumeClaimTemplates":["x"]}}`, "spec.volumeClaimTemplates[0] is a string, want a mapping"},
		{`{"kind":"StatefulSet","spec":{"volumeClaimTemplates":[{"spec":1}]}}`, "spec.volumeClaimTemplates[0].spec is a number, want a mapping"},
		{`{"kind":"List","items":"x"}`, "scoring List/undefined.default: items is a string, want a list"},
	}
	s := kubesec.New(kubesec.Options{})
	for _, tt := range tests {
		results, err := s.ScanJSON(context.Background(), []byte(tt.json))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v, %v\nwant %s", tt.json, results, err, tt.want)
		}
		var obj *kubesec.ObjectError
		if strings.HasPrefix(tt.want, "scoring") && !errors.As(err, &obj) {
			t.Errorf("%s: %T is not an ObjectError", tt.json, err)
		}
	}
}

// Values that JSON cannot carry come from YAML: .nan, keys that are numbers.
func TestMalformedValues(t *testing.T) {
	pod := func(key string, v any) map[string]any {
		return map[string]any{"kind": "Pod", "metadata": map[string]any{"name": "p"}, "spec": map[string]any{key: v}}
	}
	tests := []struct {
		obj  map[string]any
		want string
	}{
		{pod("securityContext", map[string]any{"runAsUser": math.NaN()}), "scoring Pod/p.default: encoding the object: json: unsupported value: NaN"},
		{pod("securityContext", map[any]any{1: 2}), "scoring Pod/p.default: pod.securityContext is a mapping with keys that are not strings, want a mapping"},
		{nil, "scoring Unknown: the object has no kind"},
	}
	for _, tt := range tests {
		_, err := kubesec.New(kubesec.Options{}).Scan(context.Background(), tt.obj)
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
