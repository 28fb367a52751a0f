package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// lost asks the API server what became of a pod. Kubelets tell with a delay, so that it asks again for as long as
// patience lasts while the pod looks well. nil is a pod that is.
func (d *Driver) lost(ctx context.Context, t target, patience time.Duration) *driver.LostError {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for until := d.clock().Add(patience); ; {
		pods, err := d.client.pods(ctx, d.o.Builder)
		if err != nil {
			return d.unknown(ctx, t, err)
		}
		var pod *corev1.Pod
		for i := range pods {
			if pods[i].Name == t.pod {
				pod = &pods[i]
			}
		}
		if lost := d.fate(ctx, t, pod); lost != nil {
			return lost
		}
		if !d.clock().Before(until) || !sleep(ctx, d.pace.poll) {
			return nil
		}
	}
}

// unknown is what is said where the API server does not say what became of a pod: that it is the
// way to the pod which is gone, or nothing.
func (d *Driver) unknown(ctx context.Context, t target, err error) *driver.LostError {
	var reach *driver.Error
	if !errors.As(d.client.apiError(ctx, "asking what became of the pod", "list", "pods", d.o.Org, err), &reach) {
		return nil // cancelled: the error of transport itself has to do
	}
	return &driver.LostError{Builder: t.name(), Reason: reach.Err.Error(), Hint: reach.Hint}
}

// fate is what became of the pod t, which is now pod, or nil if there is none of its name.
func (d *Driver) fate(ctx context.Context, t target, pod *corev1.Pod) *driver.LostError {
	l := &driver.LostError{Builder: t.name(), Retry: true, Hint: "build again: what is left of the builder, or a new pod, takes over"}
	if pod == nil || pod.UID != t.uid {
		l.Reason = "the pod was deleted"
		l.Detail = d.aboutPod(ctx, t.pod)
		return l
	}
	s := stateOf(pod)
	last := lastEnd(pod)
	why, message := disruption(pod)
	switch {
	case pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "":
		l.Reason = fmt.Sprintf("the pod was ended: %s: %s", pod.Status.Reason, foreign(pod.Status.Message))
		l.Hint = hintOfEnd(pod.Status.Reason + " " + pod.Status.Message)
	case why != "":
		l.Reason = fmt.Sprintf("the pod was ended: %s: %s", why, foreign(message))
	case pod.DeletionTimestamp != nil:
		l.Reason = "the pod is being deleted"
		l.Detail = d.aboutPod(ctx, t.pod)
	case last != nil && (s.restarts > t.restarts || !s.running):
		l.Reason, l.Detail = d.crashed(ctx, pod, s, last)
		if last.Reason == "OOMKilled" {
			l.Retry, l.Hint = false, "raise the option limits.memory, or build fewer images at once" // it would only happen again
		}
	case pod.Status.Phase != corev1.PodRunning:
		l.Reason = fmt.Sprintf("the pod is %s: %s", pod.Status.Phase, s)
	case nodeGone(pod):
		l.Reason = fmt.Sprintf("its node %q does not answer any more", t.node)
	default:
		return nil
	}
	return l
}

// crashed tells how the daemon's container ended, with the end of its log.
func (d *Driver) crashed(ctx context.Context, pod *corev1.Pod, s state, last *corev1.ContainerStateTerminated) (reason, detail string) {
	s.running = s.running && s.restarts == 0 // the log of the run that ended
	log, refused := d.client.log(ctx, pod, s)
	if refused != "" {
		log = append(log, refused)
	}
	if last.Reason == "OOMKilled" {
		return "the daemon was killed because the pod ran out of memory (OOMKilled)", strings.Join(log, "\n")
	}
	return fmt.Sprintf("the daemon ended (%s, %s)", last.Reason, ended(last)), strings.Join(log, "\n")
}

// lastEnd is how the daemon's container last ended; nil if it never did.
func lastEnd(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name != containerName && len(pod.Status.ContainerStatuses) > 1 {
			continue
		}
		if c.State.Terminated != nil {
			return c.State.Terminated
		}
		return c.LastTerminationState.Terminated
	}
	return nil
}

// disruption is who ended the pod, where the cluster itself did: an eviction, a preemption, a taint.
func disruption(pod *corev1.Pod) (reason, message string) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return c.Reason, c.Message
		}
	}
	return "", ""
}

// nodeGone says whether the node's lifecycle controller has given the pod up: it is not ready, though its container
// has not ended.
func nodeGone(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionFalse && c.Reason == "NodeNotReady" || c.Type == corev1.PodReady && c.Status == corev1.ConditionUnknown {
			return true
		}
	}
	return false
}

// aboutPod are the last warnings about a pod.
func (d *Driver) aboutPod(ctx context.Context, pod string) string {
	events, refused := d.client.events(ctx, pod, []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: pod}}})
	return strings.Join(append(events, indented(nil, refused)...), "\n")
}

// hintOfEnd is what keeps a pod from being evicted.
func hintOfEnd(words string) string {
	switch {
	case strings.Contains(words, "ephemeral"):
		return "raise the options requests.ephemeral-storage and limits.ephemeral-storage, or keep the state on a volume: " + storageOption
	case strings.Contains(words, "memory"):
		return "raise the option requests.memory"
	}
	return "build again: what is left of the builder, or a new pod, takes over"
}
