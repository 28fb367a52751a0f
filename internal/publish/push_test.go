package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chartgate/chartgate/internal/publish"
)

// TestDependenciesGoFirst: whatever the limit, a chart is visible before those that depend on it.
func TestDependenciesGoFirst(t *testing.T) {
	for _, jobs := range []int{1, 16} {
		r := newRig(t)
		r.pub.Jobs = jobs
		var mu sync.Mutex
		var order []string
		r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
			on.ServeHTTP(w, req)
			if name, ok := isManifestPut(req); ok {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
			}
		})
		// A chain against the order of the paths, and a crowd that depends on its end.
		items := []publish.Item{item("z5", "1.0.0")}
		for i := 4; i >= 0; i-- {
			items = append(items, on(item(fmt.Sprintf("z%d", i), "1.0.0"), fmt.Sprintf("z%d", i+1)))
		}
		for i := range 6 {
			items = append(items, on(item(fmt.Sprintf("a%d", i), "1.0.0"), "z0", "z3"))
		}
		steps := r.publish(items...)
		if n := steps.Count(publish.Push); n != 12 || len(order) != 12 {
			t.Fatalf("%d pushes, %d manifests:%s", n, len(order), describe(steps))
		}
		for i := range 6 {
			if at := slices.Index(order, fmt.Sprintf("z%d", 5-i)); at != i {
				t.Fatalf("with %d jobs, order %q", jobs, order)
			}
		}
	}
}

// TestBrokenPush breaks a push off at each of its stages: nothing shows under the tag, what depends on the chart is held back, the others
// go out, and the next run completes it.
func TestBrokenPush(t *testing.T) {
	manifest := func(req *http.Request) bool {
		name, ok := isManifestPut(req)
		return ok && name == "bad"
	}
	uploads := 0
	for _, tt := range []struct {
		name   string
		strike func(req *http.Request) bool
		answer int // 0: the connection breaks in the middle of the body
	}{
		{"first blob", func(req *http.Request) bool { return isUpload(req, "bad") }, http.StatusInternalServerError},
		{"first blob, cut", func(req *http.Request) bool { return isUpload(req, "bad") }, 0},
		{"second blob", func(req *http.Request) bool {
			if isUpload(req, "bad") {
				uploads++
			}
			return uploads == 2 && isUpload(req, "bad")
		}, http.StatusInternalServerError},
		{"manifest", manifest, http.StatusInternalServerError},
		{"manifest, cut", manifest, 0},
		{"manifest, denied", manifest, http.StatusForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.pub.Jobs = 1
			items := []publish.Item{item("bad", "1.0.0"), on(item("far", "1.0.0"), "near"), item("good", "1.0.0"), on(item("near", "1.0.0"), "bad")}
			plan := r.plan(items...)
			want(t, plan.Steps, "bad push", "far push", "good push", "near push")
			r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
				switch {
				case !tt.strike(req):
					on.ServeHTTP(w, req)
				case tt.answer == 0:
					_, _ = req.Body.Read(make([]byte, 10))
					panic(http.ErrAbortHandler)
				default:
					drain(req)
					w.WriteHeader(tt.answer)
				}
			})
			steps := r.apply(plan)
			want(t, steps, "bad fail", "far hold", "good push", "near hold")
			if steps[0].Err == nil || !steps.Failed() || steps[0].Reference.Digest != "" {
				t.Errorf("failed step %+v", steps[0])
			}
			contains(t, steps[3].Reason, "depends on bad 1.0.0 (charts/bad), which failed")
			contains(t, steps[1].Reason, "depends on near", "and so on bad 1.0.0 (charts/bad), which failed")
			for _, name := range []string{"bad", "near", "far"} {
				if r.visible(name, "1.0.0") {
					t.Errorf("%s is visible after half a push", name)
				}
			}
			r.tap.Store(nil)
			want(t, r.publish(items...), "bad push", "far push", "good skip", "near push")
		})
	}
}

// TestLostAnswer: the registry took the manifest, but the answer did not arrive.
func TestLostAnswer(t *testing.T) {
	r := newRig(t)
	r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
		if _, ok := isManifestPut(req); ok {
			on.ServeHTTP(discard{http.Header{}}, req)
			panic(http.ErrAbortHandler)
		}
		on.ServeHTTP(w, req)
	})
	want(t, r.publish(item("web", "1.0.0")), "web push")
}

// discard is a writer that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// TestPushIsVerified: a registry that says yes and does otherwise is not believed.
func TestPushIsVerified(t *testing.T) {
	t.Run("forgets", func(t *testing.T) {
		r := newRig(t)
		r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
			if _, ok := isManifestPut(req); ok {
				drain(req)
				w.WriteHeader(http.StatusCreated)
				return
			}
			on.ServeHTTP(w, req)
		})
		steps := r.publish(item("web", "1.0.0"))
		want(t, steps, "web fail")
		contains(t, steps[0].Reason, "pushed, but it cannot be fetched back", "404")
	})
	t.Run("spoils", func(t *testing.T) {
		r := newRig(t)
		r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
			if strings.Contains(req.URL.Path, "/blobs/sha256:") && req.Method == http.MethodGet {
				_, _ = w.Write([]byte("something else"))
				return
			}
			on.ServeHTTP(w, req)
		})
		steps := r.publish(item("web", "1.0.0"))
		want(t, steps, "web fail")
		contains(t, steps[0].Reason, "pushed, but it cannot be fetched back")
	})
	t.Run("shows it later", func(t *testing.T) {
		r := newRig(t)
		var put, gets int
		r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
			if _, ok := isManifestPut(req); ok {
				put++
			} else if put > 0 && strings.Contains(req.URL.Path, "/manifests/1.0.0") {
				if gets++; gets < 3 {
					w.WriteHeader(http.StatusNotFound)
					return
				}
			}
			on.ServeHTTP(w, req)
		})
		want(t, r.publish(item("web", "1.0.0")), "web push")
	})
}

func TestAllOrNothingStopsAtTheFirstFailure(t *testing.T) {
	r := newRig(t)
	r.pub.AllOrNothing, r.pub.Jobs = true, 1
	r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
		if isUpload(req, "b") {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		on.ServeHTTP(w, req)
	})
	steps := r.publish(item("a", "1.0.0"), item("b", "1.0.0"), item("c", "1.0.0"))
	want(t, steps, "a push", "b fail", "c hold")
	contains(t, steps[2].Reason, "a push before failed")
	if r.visible("c", "1.0.0") {
		t.Error("c was published")
	}
}

// TestInterrupted: what is under way ends, what was not begun is not, and the result says how far it came.
func TestInterrupted(t *testing.T) {
	r := newRig(t)
	r.pub.Jobs = 1
	plan := r.plan(item("a", "1.0.0"), item("b", "1.0.0"), item("c", "1.0.0"))
	ctx, cancel := context.WithCancel(t.Context())
	r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
		if isUpload(req, "b") {
			cancel()
			drain(req)
			<-req.Context().Done()
			return
		}
		on.ServeHTTP(w, req)
	})
	res, err := r.pub.Apply(ctx, plan)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	want(t, res.Steps, "a push", "b fail", "c fail")
	if !errors.Is(res.Steps[1].Err, context.Canceled) {
		t.Errorf("b ended with %v", res.Steps[1].Err)
	}
}
