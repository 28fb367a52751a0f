package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

// shelf is an API server that keeps Deployments and minds preconditions of their deletion.
type shelf struct {
	mu           sync.Mutex
	items        map[string]*appsv1.Deployment
	version      int
	beforeDelete func(d *appsv1.Deployment) // somebody else, between our looking and our deleting
	refuse       string                     // METHOD whose requests are forbidden
}

func (s *shelf) put(d *appsv1.Deployment) {
	s.version++
	d.ResourceVersion = fmt.Sprint(s.version)
	s.items[d.Name] = d
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, name, _ := strings.Cut(r.URL.Path, "/deployments/")
	if r.Method == s.refuse {
		reply(w, http.StatusForbidden, metav1.StatusReasonForbidden, fmt.Sprintf(`deployments.apps %q is forbidden: User "ci" cannot %s resource "deployments" in API group "apps" in the namespace "ns"`, name, strings.ToLower(r.Method)))
		return
	}
	switch d := s.items[name]; {
	case strings.HasSuffix(r.URL.Path, "/deployments"):
		list := appsv1.DeploymentList{}
		for _, d := range s.items {
			list.Items = append(list.Items, *d)
		}
		writeJSON(w, list)
	case strings.HasSuffix(r.URL.Path, "/statefulsets"):
		writeJSON(w, appsv1.StatefulSetList{})
	case d == nil:
		reply(w, http.StatusNotFound, metav1.StatusReasonNotFound, name+" not found")
	case r.Method == http.MethodGet:
		writeJSON(w, d)
	default:
		s.remove(w, r, d)
	}
}

func (s *shelf) remove(w http.ResponseWriter, r *http.Request, d *appsv1.Deployment) {
	var options metav1.DeleteOptions
	body, err := io.ReadAll(r.Body)
	if err == nil { // JSON or protobuf
		_, _, err = scheme.Codecs.UniversalDeserializer().Decode(body, nil, &options)
	}
	if err != nil || options.Preconditions == nil {
		reply(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, "no preconditions")
		return
	}
	if s.beforeDelete != nil {
		s.beforeDelete(d)
	}
	d, p := s.items[d.Name], options.Preconditions
	if p.UID != nil && *p.UID != d.UID || p.ResourceVersion != nil && *p.ResourceVersion != d.ResourceVersion {
		reply(w, http.StatusConflict, metav1.StatusReasonConflict, "the precondition does not hold")
		return
	}
	delete(s.items, d.Name)
	reply(w, http.StatusOK, "", "")
}

func reply(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	status := metav1.StatusFailure
	if code == http.StatusOK {
		status = metav1.StatusSuccess
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: status, Code: int32(code), Reason: reason, Message: message})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// idle is a builder that has been idle for an hour and may be so for a minute.
func idle(name string, uid types.UID) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: uid, Labels: Labels(name, "acme", false),
		CreationTimestamp: metav1.NewTime(time.Now().Add(-2 * time.Hour)), Annotations: map[string]string{AnnotationTTL: "1m"}}}
	used(d, time.Now().Add(-time.Hour))
	return d
}

func used(d *appsv1.Deployment, at time.Time) { d.Annotations[AnnotationLastUse] = FormatTime(at) }

func onShelf(t *testing.T, items ...*appsv1.Deployment) (*shelf, *Client) {
	t.Helper()
	s := &shelf{items: map[string]*appsv1.Deployment{}}
	for _, d := range items {
		s.put(d)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	c, err := Connect(kubeconfig(t, srv.URL), "", "ns", host(nil))
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestPrune(t *testing.T) {
	for _, c := range []struct {
		name    string
		between func(s *shelf) func(*appsv1.Deployment)
		refuse  string
		removed bool
		kept    string
	}{
		{name: "idle", removed: true},
		{name: "used at that moment", kept: "it is in use again", between: func(s *shelf) func(*appsv1.Deployment) {
			return func(d *appsv1.Deployment) { used(d, time.Now()); s.put(d) }
		}},
		{name: "its status changed once", removed: true, between: func(s *shelf) func(*appsv1.Deployment) {
			var once sync.Once
			return func(d *appsv1.Deployment) { once.Do(func() { s.put(d) }) }
		}},
		{name: "its status changes all the time", kept: "it keeps changing", between: func(s *shelf) func(*appsv1.Deployment) {
			return func(d *appsv1.Deployment) { s.put(d) }
		}},
		{name: "made anew at that moment", kept: "it is in use again", between: func(s *shelf) func(*appsv1.Deployment) {
			var once sync.Once
			return func(*appsv1.Deployment) { once.Do(func() { s.put(idle("b", "2")) }) }
		}},
		{name: "not allowed", refuse: http.MethodDelete, kept: `"ci" may not delete deployments.apps in namespace "ns"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			fresh := idle("fresh", "3")
			used(fresh, time.Now())
			s, client := onShelf(t, idle("b", "1"), fresh)
			if s.refuse = c.refuse; c.between != nil {
				s.beforeDelete = c.between(s)
			}
			removed, kept, err := client.Prune(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if (len(removed) == 1) != c.removed || (s.items["b"] == nil) != c.removed || s.items["fresh"] == nil {
				t.Errorf("removed %v; left %d", removed, len(s.items))
			}
			if (len(kept) == 1) != (c.kept != "") || len(kept) == 1 && !strings.Contains(kept[0].Reason, c.kept) {
				t.Errorf("kept %v", kept)
			}
		})
	}
}

func TestPruneMayNotLook(t *testing.T) {
	s, client := onShelf(t, idle("b", "1"))
	s.refuse = http.MethodGet
	_, _, err := client.Prune(t.Context(), time.Now())
	var forbidden *ForbiddenError
	if !errors.As(err, &forbidden) || s.items["b"] == nil {
		t.Error(err)
	}
}

func TestRemove(t *testing.T) {
	other := idle("other", "2")
	other.Labels = map[string]string{LabelManagedBy: "Helm", LabelName: AppName}
	s, client := onShelf(t, idle("b", "1"), other)
	if b, err := client.Remove(t.Context(), "b"); err != nil || b.Name != "b" || s.items["b"] != nil {
		t.Error(b, err)
	}
	for name, want := range map[string]string{
		"b":        `looking for the builder "b": there is no such builder in namespace "ns"`,
		"other":    `the Deployment of this name in namespace "ns" is not chartgate's`,
		"../pods/": `looking for the builder "../pods/": there is no such builder`,
		"":         `looking for the builder "": there is no such builder`,
	} {
		if _, err := client.Remove(t.Context(), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if s.items["other"] == nil {
		t.Error("what is not ours was removed")
	}
}
