package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	remind   = 15 * time.Second // between two lines that say the same
	pullTime = 20 * time.Second // for which an image that cannot be pulled is forgiven
)

// errWithout is a workload that is to be changed, to do without user namespaces.
var errWithout = errors.New("user namespaces cannot be had")

// await returns when a pod of the workload as it is now is ready. ctx is what may be waited; outer is
// the caller's, in which is found out why it was in vain.
func (d *Driver) await(ctx, outer context.Context, w *workload) error {
	began, said, saidAt := d.clock(), "", time.Time{}
	for {
		pods, err := d.client.pods(ctx, d.o.Builder)
		if err != nil && (ctx.Err() == nil && !passing(err) || outer.Err() != nil) {
			return d.client.apiError(outer, d.failed("listing the pods of", nil, "").Op, "list", "pods", d.o.Org, err)
		}
		if n := len(d.usable(pods, w)); n > 0 {
			if said != "" {
				d.host.Log(fmt.Sprintf("builder %s: %s ready after %s", d.o.Builder, plural(n, "pod"), d.clock().Sub(began).Round(100*time.Millisecond)))
			}
			return nil
		}
		if err == nil {
			fresh, err := d.client.workload(ctx, d.o.Kind, d.o.Builder)
			if gone(err) || err == nil && fresh.meta.DeletionTimestamp != nil {
				return errAgain
			}
			if err == nil {
				w = fresh
			}
			waited := d.clock().Sub(began)
			if why := hopeless(w, pods, waited); why != "" {
				if d.doesWithoutUsers(d.usersTrouble(ctx, pods)) {
					return errWithout
				}
				return d.notReady(outer, errors.New(why), w, pods)
			}
			if waited > 2*time.Second && d.doesWithoutUsers(d.usersTrouble(ctx, pods)) {
				return errWithout
			}
			if line := progress(w, pods); line != said || d.clock().Sub(saidAt) >= remind {
				d.host.Log(fmt.Sprintf("builder %s: %s", d.o.Builder, line))
				said, saidAt = line, d.clock()
			}
		}
		if !sleep(ctx, d.pace.poll) {
			if outer.Err() != nil {
				return d.failed("waiting for", context.Cause(outer), "")
			}
			return d.notReady(outer, context.Cause(ctx), w, pods)
		}
	}
}

// usable are the pods that builds may go to: ready, not about to end, and of the workload's present
// specification. w is nil where any will do.
func (d *Driver) usable(pods []corev1.Pod, w *workload) []*corev1.Pod {
	var out []*corev1.Pod
	for i := range pods {
		p := &pods[i]
		if !isReady(p) || w != nil && !current(w, p) {
			continue
		}
		if p.Labels[LabelProtected] != fmt.Sprint(d.o.Protected) || d.o.Org != "" && p.Labels[LabelOrg] != LabelValue(d.o.Org) {
			continue // somebody else's, whatever it calls itself
		}
		out = append(out, p)
	}
	return out
}

// current says whether a pod is there to stay: of the workload's present specification, and not about to end.
func current(w *workload, p *corev1.Pod) bool {
	return p.DeletionTimestamp == nil && p.Annotations[AnnotationSpec] == w.template.Annotations[AnnotationSpec]
}

func isReady(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil || p.Status.Phase != corev1.PodRunning {
		return false
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// state is what of a pod's status tells how far it is.
type state struct {
	phase, reason, message string // of the container, or of the pod where it has none yet
	restarts               int32
	container              string // whose state it is
	running                bool
}

func stateOf(p *corev1.Pod) state {
	s := state{phase: string(p.Status.Phase), reason: p.Status.Reason, message: p.Status.Message, container: containerName}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			s.reason, s.message = c.Reason, c.Message
		}
	}
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range list {
			switch {
			case c.State.Waiting != nil && c.State.Waiting.Reason != "PodInitializing":
				s.reason, s.message, s.container = c.State.Waiting.Reason, c.State.Waiting.Message, c.Name
			case c.State.Terminated != nil && c.State.Terminated.ExitCode != 0:
				s.reason, s.message, s.container = c.State.Terminated.Reason, ended(c.State.Terminated), c.Name
			case c.State.Running != nil:
				s.running = true
			}
			if c.RestartCount > s.restarts {
				s.restarts = c.RestartCount
			}
		}
	}
	return s
}

func (s state) String() string {
	switch {
	case s.reason != "" && s.message != "":
		return s.reason + ": " + foreign(s.message)
	case s.reason != "":
		return s.reason
	case s.running:
		return "started, and not answering yet"
	}
	return s.phase
}

// progress is one line about what is waited for.
func progress(w *workload, pods []corev1.Pod) string {
	var parts []string
	for i := range pods {
		if current(w, &pods[i]) {
			parts = append(parts, fmt.Sprintf("pod %s: %s", pods[i].Name, stateOf(&pods[i])))
		}
	}
	if len(parts) == 0 {
		for _, c := range w.conditions {
			if c.kind == "ReplicaFailure" && c.status == "True" {
				return "no pod: " + c.reason + ": " + foreign(c.message)
			}
		}
		return "waiting for its first pod"
	}
	if len(parts) > 3 {
		parts = append(parts[:3], fmt.Sprintf("%d more", len(parts)-3))
	}
	return strings.Join(parts, "; ")
}

// hopeless says why waiting longer is in vain; "" if it may not be.
func hopeless(w *workload, pods []corev1.Pod, waited time.Duration) string {
	for _, c := range w.conditions {
		if c.kind == "ReplicaFailure" && c.status == "True" && strings.Contains(c.message, "violates PodSecurity") {
			return "the namespace does not admit its pods"
		}
	}
	why := ""
	for i := range pods {
		if !current(w, &pods[i]) {
			continue
		}
		switch s := stateOf(&pods[i]); {
		case s.reason == "InvalidImageName", s.reason == "ErrImageNeverPull", s.reason == "CreateContainerConfigError":
			why = fmt.Sprintf("pod %s cannot start: %s", pods[i].Name, s.reason)
		case s.reason == "ImagePullBackOff" && waited > pullTime:
			why = fmt.Sprintf("the image of pod %s cannot be pulled", pods[i].Name)
		case s.reason == "CrashLoopBackOff" && s.restarts >= 2:
			why = fmt.Sprintf("pod %s starts and ends again and again", pods[i].Name)
		default:
			return "" // this one may still make it
		}
	}
	return why
}
