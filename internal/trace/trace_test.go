package trace

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// read parses a trace and fails unless it is a JSON array of events.
func read(t *testing.T, data []byte) []event {
	t.Helper()
	var events []event
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&events); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return events
}

// overlap finds two events of one lane of which neither holds the other.
func overlap(events []event) string {
	var spans []event
	for _, e := range events {
		if e.Kind == "X" {
			spans = append(spans, e)
		}
	}
	slices.SortFunc(spans, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Start, b.Start), cmp.Compare(b.Duration, a.Duration))
	})
	var open []event
	for _, e := range spans {
		for len(open) > 0 && (open[len(open)-1].Lane != e.Lane || open[len(open)-1].Start+open[len(open)-1].Duration <= e.Start) {
			open = open[:len(open)-1]
		}
		if len(open) > 0 && e.Start+e.Duration > open[len(open)-1].Start+open[len(open)-1].Duration {
			return fmt.Sprintf("%+v and %+v", open[len(open)-1], e)
		}
		open = append(open, e)
	}
	return ""
}

func TestOverlapIsSeen(t *testing.T) {
	a, b := event{Kind: "X", Lane: 1, Start: 0, Duration: 10}, event{Kind: "X", Lane: 1, Start: 5, Duration: 10}
	if overlap([]event{a, b}) == "" {
		t.Error("two events that overlap")
	}
	b.Lane = 2
	if s := overlap([]event{a, b}); s != "" {
		t.Error(s)
	}
}

func TestLanes(t *testing.T) {
	var out bytes.Buffer
	r := New(&out)
	ctx := With(context.Background(), r)
	const workers, each = 4, 50
	done := Phase(ctx, "checking")
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				job, end := Job(ctx, fmt.Sprintf("charts/%d", w), fmt.Sprintf("charts/%d set \"%d\"\n", w, i))
				for _, s := range []string{"render", "kubesec"} {
					step := Step(job, s)
					time.Sleep(20 * time.Microsecond)
					step()
				}
				end()
			}
		})
	}
	wg.Wait()
	Count(ctx, "cached", 2)
	Count(ctx, "cached", 3)
	if From(ctx) != r || From(context.Background()) != nil {
		t.Error("another recorder")
	}
	done()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	events := read(t, out.Bytes())
	if s := overlap(events); s != "" {
		t.Error(s)
	}
	count := map[string]int{}
	lanes := map[int]bool{}
	for _, e := range events {
		count[e.Category]++
		if e.Kind == "X" && e.Category != "phase" {
			lanes[e.Lane] = true
		}
	}
	if count["job"] != workers*each || count["step"] != 2*workers*each || count["phase"] != 1 {
		t.Errorf("%v", count)
	}
	if lanes[0] || len(lanes) > workers {
		t.Errorf("jobs in the lanes %v", lanes)
	}
	s := r.Summary()
	if len(s.Charts) != workers || s.Charts[0].Count != each || len(s.Steps) != 2 || s.Steps[0].Count != workers*each || s.Workers > workers || s.Counts["cached"] != 5 {
		t.Errorf("%+v", s)
	}
	if s.Charts[0].Time < s.Charts[workers-1].Time {
		t.Errorf("not the longest first: %+v", s.Charts)
	}
}

func TestOff(t *testing.T) {
	ctx := With(context.Background(), nil)
	job, end := Job(ctx, "charts/web", "charts/web")
	if job != ctx {
		t.Error("the context is another one")
	}
	Step(job, "render")()
	end()
	Phase(ctx, "checking")()
	if n := testing.AllocsPerRun(100, func() {
		_, end := Job(ctx, "charts/web", "charts/web")
		end()
		Step(ctx, "render")()
		Count(ctx, "cached", 1)
	}); n > 0 {
		t.Errorf("%v allocations where nothing is measured", n)
	}
}

// TestUnfinished closes the trace of a run that ends in the middle.
func TestUnfinished(t *testing.T) {
	var out bytes.Buffer
	r := New(&out)
	ctx := With(context.Background(), r)
	end := Phase(ctx, "checking")
	job, endJob := Job(ctx, "charts/web", "charts/web")
	Step(job, "render")()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	size := out.Len()
	endJob()
	end()
	if out.Len() != size {
		t.Error("written to after it was closed")
	}
	if events := read(t, out.Bytes()); len(events) != 4 {
		t.Errorf("%+v", events)
	}
	if s := r.Summary(); s.Phases[0].Count != 1 || s.Charts[0].Count != 1 {
		t.Errorf("%+v", s)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteFails(t *testing.T) {
	r := New(full{})
	ctx := With(context.Background(), r)
	for range 2000 {
		Phase(ctx, "checking")()
	}
	if err := r.Close(); err == nil || err.Error() != "no space left" {
		t.Errorf("got %v", err)
	}
}

func TestStepOutsideOfJobs(t *testing.T) {
	var out bytes.Buffer
	r := New(&out)
	Step(With(context.Background(), r), "render")()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if events := read(t, out.Bytes()); len(events) != 2 || len(r.Summary().Steps) != 1 {
		t.Errorf("%+v", events)
	}
}
