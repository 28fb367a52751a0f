//go:build e2e_kubernetes && linux

package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit"
	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestTwoCreate: two jobs that want the same builder at once both get it, and there is one.
func TestTwoCreate(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	done := make(chan error, 2)
	for n := range 2 {
		d := m.driver()
		t.Cleanup(func() { must(t, d.Close(context.Background())) })
		go func() {
			if err := d.Start(t.Context()); err != nil {
				done <- err
				return
			}
			r := build(t, d, image("web", sources(t, fmt.Sprintf("echo %d > /made", n)))).wait()[0]
			done <- r.Err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(told(err))
		}
	}
	deployments, err := it.Admin.AppsV1().Deployments(m.ns).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	if len(deployments.Items) != 1 || len(m.pods()) != 1 {
		t.Errorf("%d builders, %d pods", len(deployments.Items), len(m.pods()))
	}
}

// TestTwenty: of twenty builds on two pods, one of which is deleted half-way, all end right, or name the pod.
func TestTwenty(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	d := m.started(t, "replicas=2")
	m.await("two pods", 60*time.Second, func() error {
		builders, err := m.jobs.List(t.Context())
		if err == nil && builders[0].Ready != 2 {
			err = fmt.Errorf("%+v", builders)
		}
		return err
	})
	var images []*buildkit.Image
	for n := range 20 {
		images = append(images, image(fmt.Sprintf("image-%02d", n), sources(t, fmt.Sprintf("echo step-$((%d+100))-runs && sleep 20 && echo %d > /made", n, n))))
	}
	victim := m.pods()[0].Name
	began := time.Now()
	j := build(t, d, images...)
	for n := range 20 {
		j.until(fmt.Sprintf("step-%d-runs", n+100))
	}
	m.deletePod(victim, true)
	on := map[string]int{}
	for _, r := range j.wait() {
		on[r.Builder]++
		if r.State == buildkit.Built {
			continue
		}
		if !strings.Contains(told(r.Err), victim) {
			t.Errorf("%s: %s: %s", r.Image.Name, r.State, told(r.Err))
		}
	}
	again := strings.Count(j.out.String(), "building it again")
	t.Logf("20 builds in %s, %d of them twice, since %s was deleted; on %v", time.Since(began).Round(time.Second/10), again, victim, on)
	if again == 0 {
		t.Error("no build was on the pod that was deleted")
	}
}

// TestDrift: a builder that is not as the options want it is made so; one that is stays as it is.
func TestDrift(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	m.started(t)
	before := m.pods()[0].UID
	m.started(t)
	if now := m.pods(); len(now) != 1 || now[0].UID != before {
		t.Error("the same options gave another pod")
	}
	deployments := it.Admin.AppsV1().Deployments(m.ns)
	scale, err := deployments.GetScale(t.Context(), "buildkit-acme", metav1.GetOptions{})
	must(t, err)
	scale.Spec.Replicas = 0
	_, err = deployments.UpdateScale(t.Context(), "buildkit-acme", scale, metav1.UpdateOptions{})
	must(t, err)
	d := m.started(t, "requests.cpu=50m", "ttl=1h")
	build(t, d, image("web", sources(t, "true"))).built()
	w, err := deployments.Get(t.Context(), "buildkit-acme", metav1.GetOptions{})
	must(t, err)
	cpu := w.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu().String()
	if *w.Spec.Replicas != 1 || cpu != "50m" || w.Annotations[kube.AnnotationTTL] != "1h0m0s" {
		t.Errorf("%d replicas, requests.cpu %s, ttl %s", *w.Spec.Replicas, cpu, w.Annotations[kube.AnnotationTTL])
	}
}

// TestManage: builders are listed, removed when idle for too long, and only when they are ours.
func TestManage(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	m.started(t, "ttl=10m")
	m.started(t, "ttl=10m", "protected=true", "kind=StatefulSet")
	m.started(t, "ttl=0s", "builder=for-ever")
	builders, err := m.jobs.List(t.Context())
	must(t, err)
	var names []string
	for _, b := range builders {
		names = append(names, b.Name)
		if b.Org != "acme" || b.Ready != 1 || b.Wanted != 1 || len(b.Pods) != 1 || !b.Pods[0].Ready || b.Pods[0].Node != "node" ||
			b.Version != "rootless" || time.Since(b.LastUse) > time.Minute {
			t.Errorf("%+v", b)
		}
		if (b.TTL == 0) != b.Expires.IsZero() {
			t.Errorf("ttl %s, expires %s", b.TTL, b.Expires)
		}
	}
	if want := []string{"buildkit-acme", "buildkit-acme-protected", "for-ever"}; !slices.Equal(names, want) || builders[1].Kind != kube.KindStatefulSet || !builders[1].Protected {
		t.Errorf("builders: %v", names)
	}

	stranger, err := it.Admin.AppsV1().Deployments(m.ns).Get(t.Context(), "for-ever", metav1.GetOptions{})
	must(t, err)
	stranger = stranger.DeepCopy()
	stranger.ObjectMeta = metav1.ObjectMeta{Name: "somebody-elses"}
	_, err = it.Admin.AppsV1().Deployments(m.ns).Create(t.Context(), stranger, metav1.CreateOptions{})
	must(t, err)

	removed, kept, err := m.jobs.Prune(t.Context(), time.Now())
	if err != nil || len(removed)+len(kept) != 0 {
		t.Errorf("of builders in use: removed %v, kept %v, %v", removed, kept, err)
	}
	m.annotate("buildkit-acme", map[string]string{kube.AnnotationLastUse: kube.FormatTime(time.Now().Add(-time.Hour))})
	removed, kept, err = m.jobs.Prune(t.Context(), time.Now())
	if err != nil || len(kept) != 0 || len(removed) != 0 && removed[0].Name != "buildkit-acme" {
		t.Fatalf("removed %v, kept %v, %v", removed, kept, err)
	}
	if len(removed) != 1 {
		// Created less than ten minutes ago, it is not idle for that long, whatever its last use says.
		removed, kept, err = m.jobs.Prune(t.Context(), time.Now().Add(11*time.Minute))
		if err != nil || len(removed) != 2 || len(kept) != 0 {
			t.Errorf("removed %v, kept %v, %v", removed, kept, err)
		}
	}
	if _, err := m.jobs.Remove(t.Context(), "somebody-elses"); err == nil || !strings.Contains(err.Error(), "is not chartgate's") {
		t.Errorf("removing what is not ours: %v", err)
	}
	if _, err := m.jobs.Remove(t.Context(), "for-ever"); err != nil {
		t.Error(told(err))
	}
	if _, err := m.jobs.Remove(t.Context(), "for-ever"); err == nil || !strings.Contains(err.Error(), "there is no such builder") {
		t.Errorf("removing it again: %v", err)
	}
	m.await("their pods to end", 60*time.Second, func() error {
		for _, pod := range m.pods() {
			if !strings.HasPrefix(pod.Name, "somebody-elses-") {
				return fmt.Errorf("%s is still there", pod.Name)
			}
		}
		return nil
	})
	if d, err := it.Admin.AppsV1().Deployments(m.ns).Get(t.Context(), "somebody-elses", metav1.GetOptions{}); err != nil || d.DeletionTimestamp != nil {
		t.Errorf("what is not ours is gone: %v", err)
	}
}

// TestApply: an account without the rights for it is told what to do instead.
func TestApply(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	docs, err := kube.RBAC("acme", m.ns, "more", kube.FormAdmin)
	must(t, err)
	_, err = m.jobs.Apply(t.Context(), docs)
	var forbidden *kube.ForbiddenError
	if !errors.As(err, &forbidden) || forbidden.Verb != "patch" || forbidden.Resource != "serviceaccounts" || !strings.Contains(told(err), "kubectl apply -f buildkit-rbac.yaml") {
		t.Error(told(err))
	}
	// As an administrator, a second time changes nothing.
	before, err := it.Admin.RbacV1().Roles(m.ns).Get(t.Context(), kube.RoleName(kube.FormAdmin), metav1.GetOptions{})
	must(t, err)
	m.bind(kube.FormAdmin)
	after, err := it.Admin.RbacV1().Roles(m.ns).Get(t.Context(), before.Name, metav1.GetOptions{})
	if err != nil || after.ResourceVersion != before.ResourceVersion {
		t.Errorf("the Role was changed: %v", err)
	}
}
