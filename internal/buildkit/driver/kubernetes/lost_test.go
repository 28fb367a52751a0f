package kubernetes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func TestLost(t *testing.T) {
	ended := func(reason string, code int32) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			s := &p.Status.ContainerStatuses[0]
			s.RestartCount++
			s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*corev1.Pod) // nil: the pod has gone
		want   []string          // none: the pod is well
		retry  bool
		hint   string
	}{
		{"well", func(*corev1.Pod) {}, nil, false, ""},
		{"deleted", nil, []string{"the builder went away in mid-build: pod team/p: the pod was deleted", "pod p: Killing: by somebody"}, true, "again"},
		{"being deleted", func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: noon} }, []string{"the pod is being deleted"}, true, ""},
		{"another of its name", func(p *corev1.Pod) { p.UID = "new" }, []string{"the pod was deleted"}, true, ""},
		{"evicted by the kubelet", func(p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Evicted", "The node was low on resource: ephemeral-storage."
		}, []string{"the pod was ended: Evicted: The node was low on resource: ephemeral-storage."}, true, "requests.ephemeral-storage"},
		{"evicted through the API", func(p *corev1.Pod) {
			p.DeletionTimestamp = &metav1.Time{Time: noon}
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI", Message: "Eviction API: evicting"})
		}, []string{"the pod was ended: EvictionByEvictionAPI: Eviction API: evicting"}, true, ""},
		{"out of memory", ended("OOMKilled", 137), []string{"ran out of memory (OOMKilled)", "fake logs"}, false, "limits.memory"},
		{"crashed", ended("Error", 2), []string{"the daemon ended (Error, exit code 2)", "fake logs"}, true, ""},
		{"crashed and waiting", func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 255}}
		}, []string{"the daemon ended (Error, exit code 255)"}, true, ""},
		{"node gone", func(p *corev1.Pod) {
			p.Status.Conditions[0].Status = corev1.ConditionUnknown
		}, []string{`its node "node" does not answer`}, true, ""},
	} {
		pod := podOf("p", &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{LabelBuilder: "buildkit-acme"}}})
		target := targetOf(pod)
		objects := []runtime.Object{warning("Pod", "p", "Killing", "by somebody")}
		if c.change != nil {
			c.change(pod)
			objects = append(objects, pod)
		}
		d, _ := onFake(t, fake.NewClientset(objects...))
		lost := d.lost(t.Context(), target, d.pace.lost)
		if lost == nil || len(c.want) == 0 {
			if (lost == nil) != (len(c.want) == 0) {
				t.Errorf("%s: %v", c.name, lost)
			}
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(lost.Error(), want) {
				t.Errorf("%s: %q is not in %v", c.name, want, lost)
			}
		}
		if lost.Retry != c.retry || !strings.Contains(lost.Hint, c.hint) {
			t.Errorf("%s: retry %v, hint %q", c.name, lost.Retry, lost.Hint)
		}
	}
}

// Kubelets tell late what became of a container.
func TestLostIsPatient(t *testing.T) {
	pod := podOf("p", &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{LabelBuilder: "buildkit-acme"}}})
	api := fake.NewClientset(pod)
	n := 0
	api.PrependReactor("list", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "" {
			return false, nil, nil
		}
		if n++; n < 4 {
			return true, &corev1.PodList{Items: []corev1.Pod{*pod}}, nil
		}
		late := pod.DeepCopy()
		late.Status.ContainerStatuses[0].RestartCount = 1
		late.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}
		return true, &corev1.PodList{Items: []corev1.Pod{*late}}, nil
	})
	d, _ := onFake(t, api)
	d.pace.lost = time.Second
	if lost := d.lost(t.Context(), targetOf(pod), d.pace.lost); lost == nil || n != 4 {
		t.Errorf("%v after %d", lost, n)
	}
}

// An API server that does not answer is why a build broke off, as far as anybody knows; a job
// that is cancelled asks nothing.
func TestLostNotKnown(t *testing.T) {
	api := fake.NewClientset()
	api.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("dial tcp 10.0.0.1:6443: connect: connection refused")
	})
	d, _ := onFake(t, api)
	lost := d.lost(t.Context(), target{namespace: "team", pod: "p"}, 0)
	if lost == nil || lost.Retry || !strings.Contains(lost.Error(), "cannot be reached: dial tcp 10.0.0.1:6443") || lost.Hint == "" {
		t.Errorf("%+v", lost)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if lost := d.lost(ctx, target{namespace: "team", pod: "p"}, 0); lost != nil {
		t.Error(lost)
	}
}
