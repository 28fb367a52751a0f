package kubernetes

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestExpiry(t *testing.T) {
	created := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	hour := time.Hour
	for _, c := range []struct {
		name, lastUse, ttl string
		removing           bool
		at                 time.Time
		want               bool
	}{
		{"never used, in time", "", "1h", false, created.Add(hour), false},
		{"never used, too late", "", "1h", false, created.Add(hour + time.Second), true},
		{"used since", "2026-11-22T06:30:00Z", "1h", false, created.Add(hour + time.Second), false},
		{"used long ago", "2026-11-22T06:30:00Z", "1h", false, created.Add(2 * hour), true},
		{"a use before it was there", "2001-01-01T00:00:00Z", "1h", false, created.Add(hour), false},
		{"for ever", "", "0s", false, created.Add(1000 * hour), false},
		{"nothing said", "", "", false, created.Add(1000 * hour), false},
		{"no duration", "", "soon", false, created.Add(1000 * hour), false},
		{"a negative one", "", "-1h", false, created.Add(1000 * hour), false},
		{"no time", "soon", "1h", false, created.Add(2 * hour), true},
		{"on its way out", "", "1h", true, created.Add(2 * hour), false},
	} {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "b", CreationTimestamp: metav1.NewTime(created),
			Annotations: map[string]string{AnnotationLastUse: c.lastUse, AnnotationTTL: c.ttl}}}
		if c.removing {
			d.DeletionTimestamp = &metav1.Time{Time: created}
		}
		if got := ofDeployment(d); got.Expired(c.at) != c.want {
			t.Errorf("%s: %v, expires %s", c.name, got.Expired(c.at), got.Expires)
		}
	}
}

func TestInfo(t *testing.T) {
	three := int32(3)
	s := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "buildkit-acme", Namespace: "ns", Labels: Labels("buildkit-acme", "acme", true),
			Annotations: map[string]string{AnnotationOrg: "acme\x1b[2J"}},
		Spec: appsv1.StatefulSetSpec{Replicas: &three, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Image: "localhost:5000/moby/buildkit:v0.33.0-rootless@sha256:00"}}}}},
		Status: appsv1.StatefulSetStatus{ReadyReplicas: 2},
	}
	b := ofStatefulSet(s)
	if b.Kind != KindStatefulSet || b.Ready != 2 || b.Wanted != 3 || b.Org != "acme[2J" || !b.Protected || b.Version != "v0.33.0-rootless" {
		t.Errorf("%+v", b)
	}
	for image, want := range map[string]string{"": "", "a": "", "a:1": "1", "h:5000/a": "", "h:5000/a:b@sha256:0": "b", "a@sha256:0": ""} {
		if got := tagOf(image); got != want {
			t.Errorf("%s: %q", image, got)
		}
	}
}
