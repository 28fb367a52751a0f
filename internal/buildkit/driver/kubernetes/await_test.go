package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// waiting makes a pod whose container waits.
func waiting(is *appsv1.Deployment, reason, message string, restarts int32) *corev1.Pod {
	p := podOf("buildkit-acme-a-1", &is.Spec.Template)
	p.Status = corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{Name: containerName, RestartCount: restarts,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}}
	return p
}

func warning(kind, name, reason, message string) *corev1.Event {
	return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: name + reason, Namespace: "team"}, Type: corev1.EventTypeWarning, Reason: reason, Message: message,
		InvolvedObject: corev1.ObjectReference{Kind: kind, Name: name}}
}

func TestNotReady(t *testing.T) {
	unscheduled := func(is *appsv1.Deployment) *corev1.Pod {
		p := podOf("buildkit-acme-a-1", &is.Spec.Template)
		p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
			Reason: "Unschedulable", Message: "0/3 nodes are available"}}}
		return p
	}
	for _, c := range []struct {
		name       string
		pod        func(*appsv1.Deployment) *corev1.Pod
		conditions []appsv1.DeploymentCondition
		events     []runtime.Object
		early      bool // before the timeout
		want       []string
		hint       string
	}{
		{name: "an image that is not there", early: true, pod: func(is *appsv1.Deployment) *corev1.Pod {
			return waiting(is, "ErrImageNeverPull", "not present with pull policy of Never", 0)
		}, want: []string{`starting builder "buildkit-acme" in namespace "team": pod buildkit-acme-a-1 cannot start: ErrImageNeverPull`, "not present with pull policy of Never"}, hint: "image-pull-policy=Never"},
		{name: "a daemon that crashes", early: true, pod: func(is *appsv1.Deployment) *corev1.Pod {
			return waiting(is, "CrashLoopBackOff", "back-off 20s", 3)
		}, want: []string{"starts and ends again and again", "pod buildkit-acme-a-1: CrashLoopBackOff: back-off 20s", "  fake logs"}},
		{name: "an image that is being pulled", pod: func(is *appsv1.Deployment) *corev1.Pod {
			return waiting(is, "ImagePullBackOff", "Back-off pulling image", 0)
		}, events: []runtime.Object{warning("Pod", "buildkit-acme-a-1", "Failed", "no route to registry\x1b[2J"), warning("Pod", "buildkit-acme-a-0", "Failed", "of a pod that has gone"),
			warning("Pod", "buildkit-acmes-1", "Failed", "another's")},
			want: []string{"nothing is ready after 1s", "ImagePullBackOff: Back-off pulling image", "  pod buildkit-acme-a-1: Failed: no route to registry[2J"}, hint: "image-pull-secrets"},
		{name: "no node", pod: unscheduled, want: []string{"nothing is ready after 1s", "pod buildkit-acme-a-1: Unschedulable: 0/3 nodes are available"}, hint: "nodeselector"},
		{name: "pod security", early: true, conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
			Message: `pods "x" is forbidden: violates PodSecurity "baseline:latest": seccompProfile`}},
			want: []string{"the namespace does not admit its pods", `Deployment buildkit-acme: FailedCreate: pods "x" is forbidden: violates PodSecurity`}, hint: "enforce=privileged"},
		{name: "quota", conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "exceeded quota: q"}},
			events: []runtime.Object{warning("ReplicaSet", "buildkit-acme-a", "FailedCreate", `pods "buildkit-acme-a-x" is forbidden: exceeded quota: q`)},
			want:   []string{"nothing is ready after 1s", "exceeded quota: q", "  replicaset buildkit-acme-a: FailedCreate"}, hint: "quota"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			is := existing(t)
			is.Status.Conditions = c.conditions
			objects := append([]runtime.Object{is}, c.events...)
			if c.pod != nil {
				objects = append(objects, c.pod(is))
			}
			d, _ := onFake(t, fake.NewClientset(objects...), "timeout", "1s")
			began := time.Now()
			err := d.Start(t.Context())
			var e *driver.Error
			if !errors.As(err, &e) || !strings.Contains(e.Hint, c.hint) {
				t.Fatalf("%v, hint %q", err, driver.HintOf(err))
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %v", want, err)
				}
			}
			for _, other := range []string{"of a pod that has gone", "another's", "\x1b"} {
				if strings.Contains(err.Error(), other) {
					t.Errorf("%q is in %v", other, err)
				}
			}
			if early := time.Since(began) < 900*time.Millisecond; early != c.early {
				t.Errorf("took %s", time.Since(began))
			}
		})
	}
}

// Where events and logs may not be read, the error says so and is otherwise the same.
func TestNotReadyWithoutRights(t *testing.T) {
	is := existing(t)
	api := fake.NewClientset(is, waiting(is, "CrashLoopBackOff", "back-off 20s", 3))
	no := func(a clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: a.GetResource().Resource}, "", errors.New("no"))
	}
	api.PrependReactor("list", "events", no)
	api.PrependReactor("get", "pods/log", no)
	d, _ := onFake(t, api)
	err := d.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), `events: not shown, since this account may not list events in namespace "team"`) || !strings.Contains(err.Error(), "CrashLoopBackOff") {
		t.Error(err)
	}
}

func TestStartCancelled(t *testing.T) {
	is := existing(t)
	d, _ := onFake(t, fake.NewClientset(is))
	ctx, cancel := context.WithCancelCause(t.Context())
	job := errors.New("the job was cancelled")
	time.AfterFunc(20*time.Millisecond, func() { cancel(job) })
	if err := d.Start(ctx); !errors.Is(err, job) {
		t.Error(err)
	}
}

// The API server may be away for a moment while pods start.
func TestStartOutlastsFaults(t *testing.T) {
	is := existing(t)
	api := fake.NewClientset(is, podOf("p", &is.Spec.Template))
	n := 0
	api.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		n++
		return n < 4, nil, apierrors.NewServiceUnavailable("being updated")
	})
	d, _ := onFake(t, api)
	if err := d.Start(t.Context()); err != nil {
		t.Error(err)
	}
	d.Close(t.Context())
}

// Auto tries user namespaces, and gives them up where a node has none.
func TestUserNamespaces(t *testing.T) {
	for _, c := range []struct {
		name, option string
		drops        bool   // the API server drops the field
		node         string // what the node's events say
		want         bool   // pods get one
		fails        string
	}{
		{"everywhere", "auto", false, "", true, ""},
		{"demanded", "false", false, "", true, ""},
		{"old server", "auto", true, "", false, ""},
		{"demanded of an old server", "false", true, "", false, "this cluster has no user namespaces for pods"},
		{"old runtime", "auto", false, "can't set `spec.hostUsers: false`, runtime does not support user namespaces", false, ""},
		{"demanded of an old runtime", "false", false, "runtime does not support user namespaces", true, "nothing is ready"},
		{"other trouble", "auto", false, "no such image", true, "nothing is ready"},
		{"not wanted", "true", false, "", false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			api, pods := fake.NewClientset(), 0
			broken := func(d *appsv1.Deployment) bool { return c.node != "" && d.Spec.Template.Spec.HostUsers != nil }
			react := func(a clienttesting.Action) (bool, runtime.Object, error) {
				if create, ok := a.(clienttesting.CreateActionImpl); ok {
					if d := create.Object.(*appsv1.Deployment); c.drops {
						d.Spec.Template.Spec.HostUsers = nil
					}
					if len(create.CreateOptions.DryRun) > 0 {
						return true, create.Object, nil
					}
				}
				handled, obj, err := clienttesting.ObjectReaction(api.Tracker())(a)
				if d, ok := obj.(*appsv1.Deployment); ok && err == nil {
					pods++
					pod := podOf(fmt.Sprintf("%s-%d", d.Name, pods), &d.Spec.Template)
					if broken(d) {
						pod.Status = corev1.PodStatus{Phase: corev1.PodPending}
						err = api.Tracker().Add(warning("Pod", pod.Name, "FailedCreatePodSandBox", c.node))
					}
					err = errors.Join(err, api.Tracker().Add(pod))
				}
				return handled, obj, err
			}
			api.PrependReactor("create", "deployments", react)
			api.PrependReactor("patch", "deployments", react)
			d, said := onFake(t, api, "host-users", c.option, "timeout", "3s")
			err := d.Start(t.Context())
			if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Fatal(err)
			}
			if list, _ := api.AppsV1().Deployments("team").List(t.Context(), metav1.ListOptions{}); len(list.Items) > 0 {
				is := fromDeployment(&list.Items[0])
				if keepsUsers(is) != c.want || hasMount(is.template.Spec.Containers[0], "/etc/subuid") != c.want {
					t.Errorf("hostUsers %v, said %s", is.template.Spec.HostUsers, said)
				}
			}
			if c.fails != "" {
				return
			}
			before := api.Actions() // another run finds it as it is
			d2, _ := onFake(t, api, "host-users", c.option)
			if err := d2.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, a := range api.Actions()[len(before):] {
				if p, ok := a.(clienttesting.PatchAction); ok && strings.Contains(string(p.GetPatch()), "template") {
					t.Error("the second run changed the pods again")
				}
			}
		})
	}
}

func TestUsable(t *testing.T) {
	is := existing(t)
	with := func(name string, change func(*corev1.Pod)) corev1.Pod {
		p := podOf(name, is.Spec.Template.DeepCopy())
		change(p)
		return *p
	}
	pods := []corev1.Pod{
		with("good", func(*corev1.Pod) {}),
		with("terminating", func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: noon} }),
		with("pending", func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }),
		with("failed", func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }),
		with("not ready", func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }),
		with("not known", func(p *corev1.Pod) { p.Status.Conditions = nil }),
		with("of another organisation", func(p *corev1.Pod) { p.Labels[LabelOrg] = "other" }),
		with("protected", func(p *corev1.Pod) { p.Labels[LabelProtected] = "true" }),
		with("old", func(p *corev1.Pod) { p.Annotations[AnnotationSpec] = "old" }),
	}
	d, _ := onFake(t, fake.NewClientset())
	for _, c := range []struct {
		w    *workload
		want []string
	}{{nil, []string{"good", "old"}}, {fromDeployment(is), []string{"good"}}} {
		var got []string
		for _, p := range d.usable(pods, c.w) {
			got = append(got, p.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}
