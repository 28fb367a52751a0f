package kubernetes

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func named(names ...string) (out []*corev1.Pod) {
	for _, n := range names {
		out = append(out, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: n}})
	}
	return out
}

// When a pod goes, only its own keys move; all pods get their share.
func TestStickyChoice(t *testing.T) {
	const keys = 3000
	three, two := named("b-1", "b-2", "b-3"), named("b-3", "b-1")
	share := map[string]int{}
	for i := range keys {
		key := fmt.Sprintf("group/project:images/%d", i)
		was := highest(three, key).Name
		share[was]++
		if now := highest(two, key).Name; was != "b-2" && now != was {
			t.Fatalf("%s moved from %s to %s", key, was, now)
		}
	}
	for name, n := range share {
		if n < keys/4 || n > keys/2 {
			t.Errorf("%s has %d of %d keys", name, n, keys)
		}
	}
}

func TestBuilder(t *testing.T) {
	is := existing(t)
	api := fake.NewClientset(is, podOf("b-1", &is.Spec.Template), podOf("b-2", &is.Spec.Template), podOf("b-3", &is.Spec.Template))
	d, _ := onFake(t, api)
	first, err := d.Builder(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if b, err := d.Builder(t.Context(), "key"); err != nil || b.Name != first.Name {
			t.Fatal(b, err)
		}
	}
	random, _ := onFake(t, api, "loadbalance", "random")
	seen := map[string]bool{}
	for range 200 {
		b, err := random.Builder(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		seen[b.Name] = true
	}
	if len(seen) != 3 {
		t.Errorf("random chose %v", seen)
	}
}

// A builder that has lost its last pod, or was removed, is brought about again.
func TestBuilderComesBack(t *testing.T) {
	api := withController(fake.NewClientset())
	d, _ := onFake(t, api)
	b, err := d.Builder(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	if b.Name != "pod team/buildkit-acme-1" {
		t.Error(b.Name)
	}
}
