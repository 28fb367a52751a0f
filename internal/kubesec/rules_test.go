package kubesec_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/controlplaneio/kubesec/v2/pkg/ruler"
	"sigs.k8s.io/yaml"

	"github.com/chartgate/chartgate/internal/kubesec"
)

func TestEveryRuleIsExplained(t *testing.T) {
	rules := kubesec.Rules()
	if got, want := len(rules), len(ruler.NewRuleset(nil).Rules); got != want {
		t.Fatalf("%d rules, kubesec has %d", got, want)
	}
	for _, r := range rules {
		for part, text := range map[string]string{"title": r.Title, "does": r.Does, "why": r.Why, "fix": r.Fix, "example": r.Example} {
			if text == "" {
				t.Errorf("%s has no %s", r.ID, part)
			}
		}
		var example map[string]any
		if err := yaml.UnmarshalStrict([]byte(r.Example), &example); err != nil {
			t.Errorf("%s: the example is not YAML: %v", r.ID, err)
		}
		if got, ok := kubesec.Find(r.ID); !ok || got.ID != r.ID {
			t.Errorf("Find(%q) = %v, %v", r.ID, got.ID, ok)
		}
		if r.Critical() && strings.HasPrefix(r.Does, "Earned") || !r.Critical() && strings.HasPrefix(r.Does, "Matches") {
			t.Errorf("%s has %d points, but says %q", r.ID, r.Points, r.Does)
		}
	}
	if _, ok := kubesec.Find("Nothing"); ok {
		t.Error("Find knows a rule called Nothing")
	}
}

// What a rule counts is written in its Doc by hand; kubesec's answers to two
// containers that have everything, one of them an init container, confirm it.
func TestScopes(t *testing.T) {
	const container = `[{"securityContext":{"privileged":true,"readOnlyRootFilesystem":true,"allowPrivilegeEscalation":true,
		"runAsNonRoot":true,"runAsUser":20000,"runAsGroup":20000,"capabilities":{"add":["SYS_ADMIN"],"drop":["ALL"]}},
		"resources":{"requests":{"cpu":1,"memory":1},"limits":{"cpu":1,"memory":1}}}]`
	doc := func(init, containers string) []byte {
		return []byte(`{"kind":"Pod","spec":{"initContainers":` + init + `,"containers":` + containers + `}}`)
	}
	raw := ruler.NewRuleset(nil).Rules
	for _, r := range kubesec.Rules() {
		i := slices.IndexFunc(raw, func(x ruler.Rule) bool { return x.ID == r.ID })
		main, init := raw[i].Predicate(doc("[]", container)), raw[i].Predicate(doc(container, "[]"))
		want := kubesec.ScopeObject
		switch {
		case strings.HasPrefix(r.ID, "VolumeClaim"): // satisfied by having no claims
		case main > 0 && init > 0:
			want = kubesec.ScopeAllContainers
		case main > 0:
			want = kubesec.ScopeContainers
		}
		if r.Scope != want {
			t.Errorf("%s: scope %d, kubesec counts as %d", r.ID, r.Scope, want)
		}
	}
}

// Where some containers match and some do not, there are as many as kubesec
// counts; and the same result comes out each time.
func TestDeterministic(t *testing.T) {
	s := kubesec.New(kubesec.Options{})
	var first []byte
	for range 20 {
		results, err := s.Scan(context.Background(), object(t, mixedPod))
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(results)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if string(data) != string(first) {
			t.Fatalf("two scans differ:\n%s\n%s", first, data)
		}
	}
}
