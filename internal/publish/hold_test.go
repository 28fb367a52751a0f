package publish_test

import (
	"testing"

	"github.com/chartgate/chartgate/internal/publish"
)

func TestHeldChartsHoldTheirDependents(t *testing.T) {
	r := newRig(t)
	common := item("common", "1.0.0")
	common.Held = "it has 2 errors"
	steps := r.publish(common, on(item("mid", "1.0.0"), "common", "missing"), on(item("top", "1.0.0"), "mid"), item("other", "1.0.0"))
	want(t, steps, "common hold", "mid hold", "other push", "top hold")
	if steps[0].Reason != "it has 2 errors" {
		t.Errorf("reason %q", steps[0].Reason)
	}
	if got := "depends on common 1.0.0 (charts/common), which is held back"; steps[1].Reason != got {
		t.Errorf("reason %q, want %q", steps[1].Reason, got)
	}
	if got := "depends on mid 1.0.0 (charts/mid), and so on common 1.0.0 (charts/common), which is held back"; steps[3].Reason != got {
		t.Errorf("reason %q, want %q", steps[3].Reason, got)
	}
	for _, name := range []string{"common", "mid", "top"} {
		if r.visible(name, "1.0.0") {
			t.Errorf("%s was published", name)
		}
	}
	if !r.visible("other", "1.0.0") || !steps.Blocked() {
		t.Error("the rest goes out, and the run is blocked")
	}
}

func TestBlameEndsAtAnOwnFault(t *testing.T) {
	r := newRig(t)
	low, mid := item("low", "1.0.0"), on(item("mid", "1.0.0"), "low")
	low.Held, mid.Held = "it has 1 error", "it has 2 errors"
	steps := r.plan(low, mid, on(item("top", "1.0.0"), "mid")).Steps
	want(t, steps, "low hold", "mid hold", "top hold")
	if got := steps[1].Reason + " | " + steps[2].Reason; got != "it has 2 errors | depends on mid 1.0.0 (charts/mid), which is held back" {
		t.Errorf("reasons %q", got)
	}
}

func TestRefusalHoldsDependents(t *testing.T) {
	r := newRig(t)
	r.pushOther(item("common", "1.0.0", "a", "old"))
	kept := on(item("kept", "1.0.0"), "common")
	r.pushOther(kept)
	steps := r.publish(item("common", "1.0.0", "a", "new"), kept, on(item("web", "1.0.0"), "kept"))
	want(t, steps, "common refuse", "kept skip", "web hold")
	contains(t, steps[2].Reason, "and so on common", "is refused")
	if steps[2].Reference.Digest != "" {
		t.Error("a chart that is held has no digest")
	}
}

func TestUnsettledChartsGoToTheEmbeddedRegistryOnly(t *testing.T) {
	r := newRig(t)
	loose := item("loose", "1.0.0")
	loose.LockProblem = "no lock file settles its dependencies: redis (1.x)"
	standin := item("standin", "1.0.0")
	standin.StandIns = []string{"postgresql", "redis"}
	embedded, err := publish.Target{Name: publish.Embedded, Embedded: true}.Started(r.host)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := r.pub.Plan(t.Context(), []publish.Item{loose, standin, on(item("web", "1.0.0"), "standin")}, []publish.Target{r.target, embedded})
	if err != nil {
		t.Fatal(err)
	}
	want(t, plan.Steps, "loose refuse", "standin refuse", "web hold", "loose push", "standin push", "web push")
	contains(t, plan.Steps[0].Reason, "no lock file", "redis (1.x)")
	contains(t, plan.Steps[0].Hint, "helm dependency update charts/loose")
	contains(t, plan.Steps[1].Reason, "stand-ins: postgresql, redis")
	if plan.Steps[3].Target != "embedded" || plan.Steps[0].Target != r.target.Ref.String() {
		t.Errorf("targets:%s", describe(plan.Steps))
	}
	want(t, r.apply(plan), "loose refuse", "standin refuse", "web hold", "loose push", "standin push", "web push")
}

func TestRivalsAndCircles(t *testing.T) {
	r := newRig(t)
	twin := item("web", "1.0.0", "twin", "yes")
	twin.Path = "more/web"
	next := item("web", "1.1.0")
	next.Path = "next/web"
	steps := r.publish(item("web", "1.0.0"), twin, next)
	want(t, steps, "web refuse", "web refuse", "web push")
	contains(t, steps[0].Reason, "more/web is web 1.0.0 too")
	contains(t, steps[1].Reason, "charts/web is web 1.0.0 too")

	steps = r.publish(on(item("a", "1.0.0"), "b"), on(item("b", "1.0.0"), "c"), on(item("c", "1.0.0"), "b"), on(item("d", "1.0.0"), "d"), item("e", "1.0.0"))
	want(t, steps, "a hold", "b refuse", "c hold", "d refuse", "e push")
	contains(t, steps[1].Reason, "it depends on itself: charts/b → charts/c → charts/b")
	contains(t, steps[3].Reason, "charts/d → charts/d")
}

func TestAllOrNothing(t *testing.T) {
	r := newRig(t)
	r.pub.AllOrNothing = true
	bad := item("bad", "1.0.0")
	bad.Held = "it has an error"
	r.pushOther(item("old", "1.0.0"))
	steps := r.publish(bad, item("good", "1.0.0"), item("old", "1.0.0"))
	want(t, steps, "bad hold", "good hold", "old skip")
	contains(t, steps[1].Reason, "nothing is published unless everything can be", "1 other cannot")
	if r.visible("good", "1.0.0") {
		t.Error("published all the same")
	}
	want(t, r.publish(item("good", "1.0.0"), item("old", "1.0.0")), "good push", "old skip")
}
