package kubesec_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartgate/chartgate/internal/kubesec"
)

func TestLists(t *testing.T) {
	const list = `
apiVersion: v1
kind: List
items:
  - {kind: Pod, metadata: {name: one}, spec: {hostIPC: true}}
  - {kind: Service, metadata: {name: two}}
  - {kind: Pod, metadata: {name: three}, spec: {containers: none}}
  - just text
  - kind: DeploymentList
    apiVersion: apps/v1
    items: [{kind: Deployment, metadata: {name: four}}]
`
	results, err := kubesec.New(kubesec.Options{}).Scan(context.Background(), object(t, list))
	var names []string
	for _, r := range results {
		names = append(names, r.Object())
	}
	if d := cmp.Diff([]string{"Pod/one.default", "Deployment/four.default"}, names); d != "" {
		t.Errorf("results (-want +got):\n%s", d)
	}
	want := "scoring Pod/three.default: containers is a string, want a list\nscoring List/undefined.default: items[3] is a string, want a mapping"
	if err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := kubesec.New(kubesec.Options{}).Scan(ctx, object(t, mixedPod)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestLimits(t *testing.T) {
	s := kubesec.New(kubesec.Options{MaxContainers: 4})
	_, err := s.Scan(context.Background(), object(t, mixedPod))
	if err == nil || !strings.Contains(err.Error(), "Pod/mixed.shop: the pod has 5 containers, more than the 4") {
		t.Errorf("error %v", err)
	}
	deep := object(t, mixedPod)
	for range 10 {
		deep = map[string]any{"kind": "List", "items": []any{deep}}
	}
	if _, err := kubesec.New(kubesec.Options{}).Scan(context.Background(), deep); err == nil || !strings.Contains(err.Error(), "nested more than 4 deep") {
		t.Errorf("error %v", err)
	}
}
