//go:build e2e_kubernetes && linux

package kubernetes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// volume makes a folder of the node into a persistent volume of a class of its own.
func volume(t *testing.T) (class string) {
	t.Helper()
	class = fmt.Sprintf("node-%d", teams.Add(1))
	dir := filepath.Join(it.Dir, class)
	must(t, os.Mkdir(dir, 0o755)) // root's: Kubernetes makes it the pod's
	on := &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "kubernetes.io/hostname", Operator: corev1.NodeSelectorOpIn, Values: []string{"node"}}}}}}}
	_, err := it.Admin.CoreV1().PersistentVolumes().Create(t.Context(), &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: class},
		Spec: corev1.PersistentVolumeSpec{StorageClassName: class, Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, NodeAffinity: on,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: dir}}},
	}, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		_ = it.Admin.CoreV1().PersistentVolumes().Delete(context.Background(), class, metav1.DeleteOptions{})
	})
	return class
}

// TestPersistentState: what was built outlives the pod on a persistent volume, and the volume's claim goes with the builder.
func TestPersistentState(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	options := []string{"persistent-volume-claim.requests.storage=1Gi", "persistent-volume-claim.storage-class=" + volume(t)}
	d := m.started(t, options...)
	dir := sources(t, "echo done > /made")
	if r := build(t, d, image("web", dir)).built()[0]; r.Cached != 0 || r.Steps != 3 {
		t.Errorf("of the first build's %d steps %d were cached", r.Steps, r.Cached)
	}
	pod := m.pods()[0]
	m.deletePod(pod.Name, false)
	m.await("another pod", 60*time.Second, func() error {
		if now := m.pods(); len(now) != 1 || now[0].UID == pod.UID {
			return fmt.Errorf("%d pods", len(now))
		}
		return nil
	})
	again := m.started(t, options...)
	if r := build(t, again, image("web", dir)).built()[0]; r.Cached != r.Steps {
		t.Errorf("of %d steps %d were cached: the state did not outlive the pod", r.Steps, r.Cached)
	}
	claims := it.Admin.CoreV1().PersistentVolumeClaims(m.ns)
	if list, err := claims.List(t.Context(), metav1.ListOptions{LabelSelector: kube.Selector()}); err != nil || len(list.Items) != 1 {
		t.Errorf("claims: %v, %v", list.Items, err)
	}
	_, err := m.jobs.Remove(t.Context(), "buildkit-acme")
	must(t, err)
	m.await("the claim to go", 60*time.Second, func() error {
		list, err := claims.List(t.Context(), metav1.ListOptions{})
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("%d claims", len(list.Items))
		}
		return err
	})
}
