package kubernetes

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func TestStartCreates(t *testing.T) {
	api := withController(fake.NewClientset())
	d, said := onFake(t, api, "replicas", "2")
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := deployment(t, api, "buildkit-acme"); *got.Spec.Replicas != 2 || got.Labels[LabelOrg] != "acme" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(said.String(), "created Deployment team/buildkit-acme with 2 pods") {
		t.Error(said)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	deployment(t, api, "buildkit-acme") // is left to others
}

func TestStartUsesWhatIsThere(t *testing.T) {
	is := existing(t)
	api := fake.NewClientset(is, podOf("p", &is.Spec.Template))
	d, _ := onFake(t, api)
	now := noon.Add(time.Hour)
	d.clock = func() time.Time { return now }
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := deployment(t, api, is.Name).Annotations[AnnotationLastUse]; got != FormatTime(now) {
		t.Errorf("last use %s", got)
	}
	now = now.Add(time.Minute)
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := deployment(t, api, is.Name).Annotations[AnnotationLastUse]; got != FormatTime(now) {
		t.Errorf("last use %s after Close", got)
	}
	// Beside the builds it looks for idle builders, whenever that is.
	pruning := strings.NewReplacer("list deployments, ", "", "list statefulsets, ", "")
	if got, want := pruning.Replace(verbs(api)), "get deployments, patch deployments, list pods, get deployments, patch deployments, get deployments"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestPrunesBesideTheBuild: a run removes what nobody has used for long, and not its own builder.
func TestPrunesBesideTheBuild(t *testing.T) {
	is, idle := existing(t), existing(t)
	idle.Name, idle.UID = "buildkit-idle", "idle"
	idle.Labels = Labels(idle.Name, "other", false)
	idle.Annotations[AnnotationLastUse], idle.Annotations[AnnotationTTL] = FormatTime(noon.Add(-48*time.Hour)), "1h"
	api := fake.NewClientset(is, idle, podOf("p", &is.Spec.Template))
	d, _ := onFake(t, api)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, err := api.AppsV1().Deployments("team").Get(t.Context(), idle.Name, metav1.GetOptions{}); apierrors.IsNotFound(err) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := api.AppsV1().Deployments("team").Get(t.Context(), idle.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}
	deployment(t, api, is.Name)
}

func TestStampsWhileItLasts(t *testing.T) {
	is := existing(t)
	api := fake.NewClientset(is, podOf("p", &is.Spec.Template))
	d, _ := onFake(t, api)
	d.pace.stamp = time.Millisecond
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for strings.Count(verbs(api), "patch") < 4 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(verbs(api), "patch"); n < 5 {
		t.Errorf("%d stamps", n)
	}
	before := verbs(api)
	time.Sleep(10 * time.Millisecond)
	if verbs(api) != before {
		t.Error("stamps go on after Close")
	}
}

func TestUseExisting(t *testing.T) {
	is := existing(t, "limits.memory", "1Gi")
	api := fake.NewClientset(is, podOf("p", &is.Spec.Template))
	d, _ := onFake(t, api, "use-existing", "true")
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Builder(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := verbs(api); strings.Contains(got, "patch") || strings.Contains(got, "create") || strings.Contains(got, "delete") {
		t.Error(got)
	}
	d, _ = onFake(t, fake.NewClientset(), "use-existing", "true")
	if err := d.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no Deployment of this name") || !strings.Contains(driver.HintOf(err), "builder ls") {
		t.Errorf("%v, hint %q", err, driver.HintOf(err))
	}
}

func TestDrift(t *testing.T) {
	is := existing(t, "nodeselector", "disk=hdd", "annotations", "kept=yes")
	api := withController(fake.NewClientset(is, podOf("old", &is.Spec.Template)))
	d, said := onFake(t, api, "nodeselector", "arch=arm", "replicas", "3", "ttl", "1h")
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := deployment(t, api, is.Name)
	if s := got.Spec.Template.Spec.NodeSelector; len(s) != 1 || s["arch"] != "arm" || *got.Spec.Replicas != 3 {
		t.Errorf("node selector %v, replicas %d", s, *got.Spec.Replicas)
	}
	if a := got.Annotations; a["kept"] != "yes" || a[AnnotationTTL] != "1h0m0s" || a[AnnotationSpec] == is.Annotations[AnnotationSpec] {
		t.Errorf("%v", a)
	}
	for _, want := range []string{"its pods are not as the options ask for", "it has 1 pod and not 3"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not in %s", want, said)
		}
	}
}

func TestNeverShared(t *testing.T) {
	foreign := existing(t)
	delete(foreign.Labels, LabelManagedBy)
	for _, c := range []struct {
		is    *appsv1.Deployment
		pairs []string
		want  string
	}{
		{existing(t), []string{"org", "other", "builder", "buildkit-acme"}, `it serves the organisation "acme", not "other"`},
		{existing(t), []string{"protected", "true", "builder", "buildkit-acme"}, "protected refs never share a builder"},
		{foreign, nil, "it was not created by chartgate"},
	} {
		api := fake.NewClientset(c.is, podOf("p", &c.is.Spec.Template))
		for _, use := range []string{"true", "false"} {
			d, _ := onFake(t, api, append(c.pairs, "use-existing", use)...)
			if err := d.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if b, err := d.Builder(t.Context(), "key"); c.pairs != nil && err == nil {
				t.Errorf("got %s all the same", b.Name)
			}
			if err := d.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if got := verbs(api); strings.Contains(got, "patch") || strings.Contains(got, "delete") {
			t.Error(got)
		}
	}
}

// Several jobs at once: the one that comes second finds the builder made, or changed, and begins again.
func TestForestalled(t *testing.T) {
	resource := schema.GroupResource{Group: "apps", Resource: "deployments"}
	t.Run("create", func(t *testing.T) {
		api := withController(fake.NewClientset())
		var once sync.Once
		api.PrependReactor("create", "deployments", func(clienttesting.Action) (handled bool, _ runtime.Object, err error) {
			once.Do(func() {
				theirs := existing(t)
				handled, err = true, errors.Join(api.Tracker().Add(theirs), api.Tracker().Add(podOf("p", &theirs.Spec.Template)))
				if err == nil {
					err = apierrors.NewAlreadyExists(resource, theirs.Name)
				}
			})
			return handled, nil, err
		})
		d, _ := onFake(t, api)
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d.made != "" {
			t.Error("claims to have made what another did")
		}
	})
	t.Run("patch", func(t *testing.T) {
		is := existing(t)
		api := withController(fake.NewClientset(is))
		n := 0
		api.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
			n++
			return n <= 2, nil, apierrors.NewConflict(resource, is.Name, errors.New("changed"))
		})
		d, _ := onFake(t, api, "replicas", "2")
		if err := d.Start(t.Context()); err != nil || n < 3 {
			t.Fatal(n, err)
		}
	})
	t.Run("always", func(t *testing.T) {
		is := existing(t)
		api := fake.NewClientset(is)
		api.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewConflict(resource, is.Name, errors.New("changed"))
		})
		d, _ := onFake(t, api, "replicas", "2")
		if err := d.Start(t.Context()); !errors.Is(err, errAgain) {
			t.Fatal(err)
		}
	})
	t.Run("removed while it is waited for", func(t *testing.T) {
		is := existing(t)
		api := withController(fake.NewClientset(is))
		api.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
			api.Tracker().Delete(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, "team", is.Name)
			return true, is, nil
		})
		d, said := onFake(t, api)
		if err := d.Start(t.Context()); err != nil || !strings.Contains(said.String(), "created") {
			t.Fatal(err, said)
		}
	})
}

func TestOtherKind(t *testing.T) {
	d, _ := onFake(t, fake.NewClientset(existing(t)), "kind", "StatefulSet")
	if err := d.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "it exists as a Deployment, and a StatefulSet is wanted") {
		t.Error(err)
	}
}

func TestVolumesCannotChange(t *testing.T) {
	o := options(t, "host-users", "true", storageOption, "1Gi")
	w, err := o.workload(nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	s := w.statefulSet()
	s.Namespace = "team"
	for _, c := range []struct {
		pairs []string
		ok    bool
	}{{[]string{storageOption, "1Gi"}, true}, {[]string{storageOption, "1024Mi"}, true}, {[]string{storageOption, "2Gi"}, false},
		{[]string{storageOption, "1Gi", "persistent-volume-claim.storage-class", "fast"}, false}} {
		d, _ := onFake(t, fake.NewClientset(s, podOf("p", &s.Spec.Template)), c.pairs...)
		if err := d.Start(t.Context()); (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "persistent volumes differ") {
			t.Errorf("%v: %v", c.pairs, err)
		}
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestCloseRemoves(t *testing.T) {
	never := func(api *fake.Clientset) *fake.Clientset { // without a controller nothing becomes ready
		api.PrependReactor("create", "deployments", func(a clienttesting.Action) (bool, runtime.Object, error) {
			a.(clienttesting.CreateAction).GetObject().(*appsv1.Deployment).UID = "ours"
			return false, nil, nil
		})
		return api
	}
	for _, c := range []struct {
		name    string
		world   func(*fake.Clientset) *fake.Clientset
		pairs   []string
		used    bool // by another job in between
		removed bool
	}{
		{"of this run alone", withController, []string{"keep", "false"}, false, true},
		{"kept", withController, nil, false, false},
		{"never ready", never, []string{"timeout", "1s"}, false, true},
		{"never ready, but another waits", never, []string{"timeout", "1s"}, true, false},
	} {
		api := c.world(fake.NewClientset())
		d, _ := onFake(t, api, c.pairs...)
		d.clock = func() time.Time { return noon }
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		d.Start(ctx)
		cancel()
		if c.used {
			body := stampPatch(map[string]string{AnnotationLastUse: FormatTime(noon.Add(time.Minute))})
			if _, err := d.client.patch(t.Context(), d.o.Kind, d.o.Builder, types.MergePatchType, body); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := api.AppsV1().Deployments("team").Get(t.Context(), d.o.Builder, metav1.GetOptions{})
		if apierrors.IsNotFound(err) != c.removed {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
