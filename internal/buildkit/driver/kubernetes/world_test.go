package kubernetes

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// logged is what a driver says.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// onFake is a driver on client-go's fake, in which pods become ready as soon as a workload is created or its pods change.
func onFake(t *testing.T, api *fake.Clientset, pairs ...string) (*Driver, *logged) {
	t.Helper()
	o := options(t, append([]string{"host-users", "true", "timeout", "5s"}, pairs...)...)
	said := &logged{}
	d := newDriver(o, &Client{Namespace: "team", apps: api.AppsV1(), core: api.CoreV1()}, driver.Host{Env: noEnv, Log: said.add})
	d.pace = pace{poll: time.Millisecond, stamp: time.Hour, lost: 20 * time.Millisecond, first: time.Second}
	return d, said
}

// podOf makes a pod of a workload's template.
func podOf(name string, template *corev1.PodTemplateSpec) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team", UID: types.UID("uid-" + name), Labels: template.Labels, Annotations: template.Annotations},
		Spec:       corev1.PodSpec{NodeName: "node"},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: containerName, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}},
	}
}

// withController brings a ready pod about whenever a Deployment is created or patched.
func withController(api *fake.Clientset) *fake.Clientset {
	n := 0
	react := func(a clienttesting.Action) (bool, runtime.Object, error) {
		if c, ok := a.(clienttesting.CreateAction); ok {
			if len(a.(clienttesting.CreateActionImpl).CreateOptions.DryRun) > 0 {
				return true, c.GetObject(), nil
			}
			c.GetObject().(*appsv1.Deployment).UID = types.UID(fmt.Sprintf("uid-%d", n))
		}
		handled, obj, err := clienttesting.ObjectReaction(api.Tracker())(a)
		if d, ok := obj.(*appsv1.Deployment); ok && err == nil && d.Name != "" {
			n++
			pod := podOf(fmt.Sprintf("%s-%d", d.Name, n), &d.Spec.Template)
			if err := api.Tracker().Add(pod); err != nil {
				panic(err)
			}
		}
		return handled, obj, err
	}
	api.PrependReactor("create", "deployments", react)
	api.PrependReactor("patch", "deployments", react)
	return api
}

func verbs(api *fake.Clientset) string {
	var out []string
	for _, a := range api.Actions() {
		out = append(out, a.GetVerb()+" "+a.GetResource().Resource)
	}
	return strings.Join(out, ", ")
}

func deployment(t *testing.T, api *fake.Clientset, name string) *appsv1.Deployment {
	t.Helper()
	d, err := api.AppsV1().Deployments("team").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// existing is a Deployment as a job with these options has left it.
func existing(t *testing.T, pairs ...string) *appsv1.Deployment {
	o := options(t, append([]string{"host-users", "true"}, pairs...)...)
	w, err := o.workload(nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	d := w.deployment()
	d.Namespace, d.UID, d.ResourceVersion = "team", "theirs", "7"
	return d
}
