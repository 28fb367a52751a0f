package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/publish"
)

func TestPublishedOnce(t *testing.T) {
	r := newRig(t)
	items := []publish.Item{item("web", "1.2.3+build.5"), item("api", "0.1.0")}
	plan := r.plan(items...)
	want(t, plan.Steps, "api push", "web push")
	if r.visible("api", "0.1.0") {
		t.Fatal("a plan has published something")
	}
	done := r.apply(plan)
	want(t, done, "api push", "web push")
	web := done[1]
	ref := fmt.Sprintf("oci://%s/team/charts/web:1.2.3_build.5@sha256:", r.host)
	if got := web.Reference.String(); !strings.HasPrefix(got, ref) || len(got) != len(ref)+64 {
		t.Errorf("reference %s, want %s…", got, ref)
	}
	there, err := r.client.PullChart(t.Context(), r.ref("web", "1.2.3+build.5"))
	if err != nil {
		t.Fatal(err)
	}
	if there.ManifestDigest != web.Reference.Digest {
		t.Errorf("published %s, reported %s", there.ManifestDigest, web.Reference.Digest)
	}
	again := r.plan(items...)
	want(t, again.Steps, "api skip", "web skip")
	contains(t, again.Steps[1].Reason, "same digest")
	if again.Steps[1].Reference != web.Reference || again.Steps.Blocked() || again.Steps.Failed() {
		t.Errorf("second plan: %s", describe(again.Steps))
	}
	want(t, r.apply(again), "api skip", "web skip")
}

// TestSameFiles: times, owners, order and compression are not content.
func TestSameFiles(t *testing.T) {
	r := newRig(t)
	web := item("web", "1.0.0")
	r.pushOther(web)
	before, _ := r.client.Resolve(t.Context(), r.ref("web", "1.0.0"))
	done := r.publish(web)
	want(t, done, "web skip")
	contains(t, done[0].Reason, "same files")
	if after, _ := r.client.Resolve(t.Context(), r.ref("web", "1.0.0")); after.Digest != before.Digest || done[0].Reference.Digest != before.Digest {
		t.Errorf("tag moved from %s to %s, reported %s", before.Digest, after.Digest, done[0].Reference.Digest)
	}
}

func TestOtherContentIsRefused(t *testing.T) {
	r := newRig(t)
	r.pushOther(item("web", "1.0.0", "templates/old.yaml", "kind: Pod\n", "README.md", "old\n"))
	done := r.publish(item("web", "1.0.0", "templates/new.yaml", "kind: Pod\n", "README.md", "new\n"))
	want(t, done, "web refuse")
	if got := fmt.Sprint(done[0].Changes); got != "[modified README.md added templates/new.yaml removed templates/old.yaml]" {
		t.Errorf("changes %s", got)
	}
	contains(t, done[0].Reason, "version 1.0.0 is there with other content", "3 files differ")
	contains(t, done[0].Hint, "raise the version in charts/web/Chart.yaml")
	if !done.Blocked() || done.Failed() {
		t.Error("a refusal is no failure, but it blocks")
	}
}

func TestForgottenLock(t *testing.T) {
	r := newRig(t)
	r.pushOther(item("web", "1.0.0", "Chart.lock", "dependencies: []\ndigest: sha256:00\ngenerated: 2024-05-06T07:08:09Z\n"))
	s := r.plan(item("web", "1.0.0")).Steps
	want(t, s, "web refuse")
	contains(t, s[0].Hint, "commit the Chart.lock that is in what is there", "raise the version in charts/web/Chart.yaml")
}

func TestManyChangesAreBounded(t *testing.T) {
	r := newRig(t)
	var extra []string
	for i := range 50 {
		extra = append(extra, fmt.Sprintf("files/%02d", i), "x")
	}
	extra = append(extra, "files/\x1b[31m\n", "x", "files/"+strings.Repeat("ü", 300), "x")
	r.pushOther(item("web", "1.0.0", extra...))
	s := r.plan(item("web", "1.0.0")).Steps[0]
	if len(s.Changes) != 20 || s.More != 32 {
		t.Errorf("%d changes and %d more, want 20 and 32", len(s.Changes), s.More)
	}
	if got := s.Changes[0].Path; got != `"files/\x1b[31m\n"` {
		t.Errorf("path from outside shown as %q", got)
	}
}

// TestNotAChart: what stands under the tag was not made by Helm.
func TestNotAChart(t *testing.T) {
	r := newRig(t)
	r.pushImage("web", "1.0.0")
	web := item("web", "1.0.0")
	r.pushArchive(item("junk", "1.0.0"), []byte("this is no archive"))
	steps := r.plan(web, item("junk", "1.0.0")).Steps
	want(t, steps, "junk refuse", "web refuse")
	contains(t, steps[0].Reason, "cannot be read", "gzip")
	contains(t, steps[1].Reason, "not a Helm chart", "application/vnd.oci.image.config.v1+json")
	contains(t, steps[1].Hint, "another prefix")
}

func TestUnusableCharts(t *testing.T) {
	r := newRig(t)
	broken := item("broken", "1.0.0")
	broken.Files = func() ([]archive.File, error) { return nil, errors.New("the moon is full") }
	liar := item("liar", "1.0.0")
	liar.Version = "2.0.0"
	unknown := item("unknown", "1.0.0")
	unknown.Files = nil
	for _, tt := range []struct {
		item   publish.Item
		reason string
	}{
		{item("Web", "1.0.0"), "lower case"},
		{item("a/b", "1.0.0"), `"a/b" cannot be the name of a chart`},
		{item("..", "1.0.0"), ".."},
		{item("", "1.0.0"), `"" cannot be the name of a chart`},
		{item("web", "1.0.0-"+strings.Repeat("x", 130)), "cannot be a tag"},
		{item("web", "not a version"), "cannot be a tag"},
		{item("web", "latest"), "it cannot be packed"},
		{item("web", "1.0.0", "charts/a/x", "1", "charts/a/y", "1", "charts/a/x", "2", "charts/a/y", "2"),
			`two dependencies have the same name: "charts/a/x" is there more than once, one of 2 such files`},
		{broken, "it cannot be packed: the moon is full"},
		{liar, "holds liar 1.0.0, not liar 2.0.0"},
		{unknown, "not known"},
	} {
		steps := r.plan(tt.item).Steps
		if len(steps) != 1 || steps[0].Action != publish.Refuse || !strings.Contains(steps[0].Reason, tt.reason) {
			t.Errorf("%s %s: want a refusal saying %q:%s", tt.item.Name, tt.item.Version, tt.reason, describe(steps))
		}
	}
}

// TestBlameEndsAtAnOwnFault: a chart that would be held anyway is what its dependents are told of.
// TestRefusalHoldsDependents: what takes in the files of a refused chart does not go out; what is there already stays as it is.
func TestItemsAndTargetsThatCannotBe(t *testing.T) {
	r := newRig(t)
	if _, err := r.pub.Plan(t.Context(), []publish.Item{item("a", "1.0.0"), item("a", "2.0.0")}, []publish.Target{r.target}); err == nil {
		t.Error("two items at one path were planned")
	}
	if _, err := r.pub.Plan(t.Context(), nil, nil); err == nil {
		t.Error("a plan without targets")
	}
	if _, err := r.pub.Plan(t.Context(), nil, []publish.Target{{Name: publish.Embedded, Embedded: true}}); err == nil {
		t.Error("a plan for a registry that was not started")
	}
	plan, err := r.pub.Plan(t.Context(), []publish.Item{item("a", "1.0.0")}, []publish.Target{r.target, r.target})
	if err != nil || len(plan.Steps) != 1 {
		t.Errorf("a target given twice: %v, %d steps", err, len(plan.Steps))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.pub.Plan(ctx, []publish.Item{item("a", "1.0.0")}, []publish.Target{r.target}); !errors.Is(err, context.Canceled) {
		t.Errorf("a plan in a context that has ended: %v", err)
	}
}

// TestUnreachableTarget: it fails, once, and hides nothing of the others.
func TestUnreachableTarget(t *testing.T) {
	r := newRig(t)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := mustTarget(t, "oci://"+gone.Addr().String()+"/charts")
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	plan, err := r.pub.Plan(t.Context(), []publish.Item{item("a", "1.0.0"), item("b", "1.0.0")}, []publish.Target{dead, r.target})
	if err != nil {
		t.Fatal(err)
	}
	want(t, plan.Steps, "a fail", "b fail", "a push", "b push")
	for _, s := range plan.Steps[:2] {
		if s.Err == nil || s.Reference.Digest != "" {
			t.Errorf("failed step %+v", s)
		}
		contains(t, s.Reason, "connection refused")
		contains(t, s.Hint, "nothing listens at")
	}
	if !plan.Steps.Failed() {
		t.Error("a failed target fails the run")
	}
	want(t, r.apply(plan), "a fail", "b fail", "a push", "b push")
}

func TestSilentTargetIsAskedAFewTimesOnly(t *testing.T) {
	r := newRig(t)
	r.pub.Jobs = 2
	var asked atomic.Int32
	r.turn(func(w http.ResponseWriter, req *http.Request, _ http.Handler) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	})
	var items []publish.Item
	for i := range 40 {
		items = append(items, item(fmt.Sprintf("c%02d", i), "1.0.0"))
	}
	steps := r.plan(items...).Steps
	if n := steps.Count(publish.Fail); n != 40 {
		t.Errorf("%d steps failed", n)
	}
	if n := asked.Load(); n > 4 { // net/http itself may send a request twice
		t.Errorf("asked %d times", n)
	}
}

// TestDeniedChartHidesNoOther: an answer of one repository says nothing about the next.
func TestDeniedChartHidesNoOther(t *testing.T) {
	r := newRig(t)
	r.pub.Jobs = 1
	r.turn(func(w http.ResponseWriter, req *http.Request, on http.Handler) {
		if strings.Contains(req.URL.Path, "/a/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		on.ServeHTTP(w, req)
	})
	steps := r.plan(item("a", "1.0.0"), item("b", "1.0.0"), on(item("c", "1.0.0"), "a")).Steps
	want(t, steps, "a fail", "b push", "c hold")
	contains(t, steps[0].Reason, "403")
	contains(t, steps[2].Reason, "depends on a 1.0.0 (charts/a), which failed")
}
