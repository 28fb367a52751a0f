package publish_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/publish"
)

// TestPublishedInBetween: another job was faster than the plan.
func TestPublishedInBetween(t *testing.T) {
	r := newRig(t)
	same, other := item("same", "1.0.0"), item("other", "1.0.0")
	plan := r.plan(same, other, on(item("web", "1.0.0"), "other"))
	want(t, plan.Steps, "other push", "same push", "web push")
	r.pushOther(same)
	r.pushOther(item("other", "1.0.0", "README.md", "theirs\n"))
	steps := r.apply(plan)
	want(t, steps, "other refuse", "same skip", "web hold")
	contains(t, steps[0].Reason, "1 file differs", "another job has published it since the plan was made")
	contains(t, steps[1].Reason, "the same files", "another job")
	if len(steps[0].Changes) != 1 || steps[0].Changes[0].String() != "removed README.md" {
		t.Errorf("changes %v", steps[0].Changes)
	}
}

// TestPublishedWhileUploading: another job was faster than our contents. Its chart is not overwritten.
func TestPublishedWhileUploading(t *testing.T) {
	for _, theirs := range []publish.Item{item("web", "1.0.0"), item("web", "1.0.0", "README.md", "theirs\n")} {
		r := newRig(t)
		var uploaded atomic.Bool
		r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
			if isUpload(req, "web") && uploaded.CompareAndSwap(false, true) {
				r.pushOther(theirs)
			}
			on.ServeHTTP(w, req)
		})
		steps := r.publish(item("web", "1.0.0"))
		if steps[0].Action == publish.Push || steps[0].Action == publish.Fail {
			t.Errorf("published by another job, and here:%s", describe(steps))
		}
		contains(t, steps[0].Reason, "another job has published it")
		now, err := r.client.PullChart(t.Context(), r.ref("web", "1.0.0"))
		if err != nil || now.ManifestDigest != steps[0].Reference.Digest || now.Annotations["org.opencontainers.image.created"] == "" {
			t.Errorf("the other job's chart was overwritten: %v", err)
		}
	}
}

// TestOverwritten: another job moves the tag right after our push.
func TestOverwritten(t *testing.T) {
	for _, tt := range []struct {
		name   string
		theirs func(r *rig)
		action publish.Action
		reason string
	}{
		{"same files", func(r *rig) { r.pushOther(item("web", "1.0.0")) }, publish.Skip, "its manifest stands"},
		{"other files", func(r *rig) { r.pushOther(item("web", "1.0.0", "README.md", "theirs\n")) }, publish.Refuse, "overwritten: another job"},
		{"no archive", func(r *rig) { r.pushArchive(item("web", "1.0.0"), []byte("junk")) }, publish.Refuse, "overwritten: another job"},
		{"an image", func(r *rig) { r.pushImage("web", "1.0.0") }, publish.Refuse, "not a Helm chart"},
	} {
		for _, late := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				r := newRig(t)
				var puts atomic.Int32
				var moved atomic.Bool
				r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
					on.ServeHTTP(w, req)
					if _, ok := isManifestPut(req); ok {
						puts.Add(1)
					}
					// Late is after the push was verified: the manifest and both blobs were fetched back.
					fetched := req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/")
					if puts.Load() == 1 && (!late || fetched) && moved.CompareAndSwap(false, true) {
						tt.theirs(r)
					}
				})
				if late {
					r.pub.Settle = time.Millisecond
				}
				steps := r.publish(item("web", "1.0.0"))
				want(t, steps, "web "+string(tt.action))
				contains(t, steps[0].Reason, tt.reason)
				now, err := r.client.Resolve(t.Context(), r.ref("web", "1.0.0"))
				if err != nil {
					t.Fatal(err)
				}
				if got := steps[0].Reference.Digest; got != "" && got != now.Digest {
					t.Errorf("reported %s, the tag holds %s", got, now.Digest)
				}
			})
		}
	}
}

// together runs two publishers at once, as two jobs would: each with a client of its own.
func together(r *rig, a, b publish.Item) [2]publish.Step {
	r.t.Helper()
	var steps [2]publish.Step
	var wg sync.WaitGroup
	for i, it := range []publish.Item{a, b} {
		pub := &publish.Publisher{Client: newClient(r.t)}
		wg.Go(func() {
			plan, err := pub.Plan(r.t.Context(), []publish.Item{it}, []publish.Target{r.target})
			if err != nil {
				r.t.Error(err)
				return
			}
			res, err := pub.Apply(r.t.Context(), plan)
			if err != nil {
				r.t.Error(err)
				return
			}
			steps[i] = res.Steps[0]
		})
	}
	wg.Wait()
	return steps
}

func TestTwoJobsWithTheSameContent(t *testing.T) {
	r := newRig(t)
	steps := together(r, item("web", "1.0.0"), item("web", "1.0.0"))
	for _, s := range steps {
		if s.Action != publish.Push && s.Action != publish.Skip {
			t.Errorf("%s", describe(steps[:]))
		}
	}
	if steps[0].Reference != steps[1].Reference || steps[0].Reference.Digest == "" {
		t.Errorf("two references:%s", describe(steps[:]))
	}
}

// TestTwoJobsWithOtherContent: one wins, the other says so. The worst case is forced: both have found the tag free before either pushes.
func TestTwoJobsWithOtherContent(t *testing.T) {
	for _, forced := range []bool{true, false} {
		r := newRig(t)
		if forced {
			var both sync.WaitGroup
			both.Add(2)
			r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
				if _, ok := isManifestPut(req); ok {
					both.Done()
					both.Wait()
				}
				on.ServeHTTP(w, req)
			})
		}
		steps := together(r, item("web", "1.0.0", "who", "a"), item("web", "1.0.0", "who", "b"))
		now, err := r.client.Resolve(t.Context(), r.ref("web", "1.0.0"))
		if err != nil {
			t.Fatal(err)
		}
		won := publish.Steps(steps[:])
		if won.Count(publish.Push) != 1 || won.Count(publish.Refuse) != 1 {
			t.Fatalf("forced %v: want one push and one refusal:%s", forced, describe(won))
		}
		for _, s := range steps {
			if s.Reference.Digest != now.Digest {
				t.Errorf("%s reports %s, the tag holds %s", s.Action, s.Reference.Digest, now.Digest)
			}
			if s.Action == publish.Refuse && (len(s.Changes) != 1 || s.Changes[0].Path != "who") {
				t.Errorf("changes %v", s.Changes)
			}
		}
	}
}
