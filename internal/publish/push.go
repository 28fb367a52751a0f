package publish

import (
	"context"
	"errors"
	"time"

	"github.com/chartgate/chartgate/internal/registry"
	"golang.org/x/sync/errgroup"
)

// errSettled ends a push whose step has been settled otherwise.
var errSettled = errors.New("the tag is not free any more")

// push publishes one chart and settles its step by what then stands under the tag. The tag is looked at before the contents
// go out, to spare them, and again before the manifest does, since another job may have been faster.
func (c *counter) push(ctx context.Context, s *Step, p *pack) {
	if c.again(ctx, s, p) != nil {
		return
	}
	tag := s.Reference
	tag.Digest = ""
	_, err := c.client.PushChartIf(ctx, tag, p.push, func(ctx context.Context) error { return c.again(ctx, s, p) })
	if errors.Is(err, errSettled) {
		return
	}
	if err != nil {
		// The answer to a push that worked may have been lost.
		if now, e := c.client.Resolve(ctx, tag); e != nil || now.Digest != p.manifest.Digest {
			s.fail("", err)
			return
		}
	}
	c.verify(ctx, s, p)
}

// again looks at the target once more; errSettled if the chart is not to be pushed now.
func (c *counter) again(ctx context.Context, s *Step, p *pack) error {
	c.look(ctx, s, p)
	if s.Action == Push {
		return nil
	}
	if s.Action != Fail {
		s.Reason += " (another job has published it since the plan was made)"
	}
	return errSettled
}

// verify fetches a chart back under its tag, as those who want it will. Every digest on the way is checked.
func (c *counter) verify(ctx context.Context, s *Step, p *pack) {
	tag := s.Reference
	tag.Digest = ""
	there, err := c.fetchBack(ctx, tag)
	switch {
	case errors.Is(err, registry.ErrNotChart):
		s.Reference.Digest = ""
		s.settle(Refuse, "overwritten: another job has moved the tag to something that is not a Helm chart", oneJob)
	case err != nil:
		s.fail("pushed, but it cannot be fetched back", err)
	case there.ManifestDigest != p.manifest.Digest:
		overwritten(s, p, there)
	}
}

const oneJob = "let one job publish at a time, and raise the version where the contents differ"

// fetchBack pulls a chart. A registry that is made of several machines may show the tag a moment later.
func (c *counter) fetchBack(ctx context.Context, ref registry.Reference) (*registry.PulledChart, error) {
	wait := 200 * time.Millisecond
	for attempt := 0; ; attempt++ {
		there, err := c.client.PullChart(ctx, ref)
		if !errors.Is(err, registry.ErrNotFound) || attempt == 3 {
			return there, err
		}
		if !sleep(ctx, wait<<attempt) {
			return nil, err
		}
	}
}

// overwritten settles the step of a chart that was pushed, and then replaced by another job's.
func overwritten(s *Step, p *pack, there *registry.PulledChart) {
	s.Reference.Digest = there.ManifestDigest
	changes, err := p.compare(there)
	if err == nil && len(changes) == 0 {
		s.settle(Skip, "another job has published the same files at the same time: its manifest stands", "")
		return
	}
	s.settle(Refuse, "overwritten: another job has published other content under version "+s.Version+" at the same time", oneJob)
	s.differ(changes)
}

// lookAgain asks once more for what was pushed: a job that found the tag free before our push may have moved it after.
func (r *run) lookAgain(ctx context.Context) {
	wait := r.Settle
	if wait == 0 {
		wait = 300 * time.Millisecond
	}
	if wait < 0 || r.steps.Count(Push) == 0 || !sleep(ctx, wait) {
		return
	}
	var g errgroup.Group
	g.SetLimit(r.jobs())
	for t := range r.plan.targets {
		for i := range r.plan.items {
			if s := &r.steps[r.plan.at(t, i)]; s.Action == Push {
				g.Go(func() error {
					r.counters[t].confirm(ctx, s, r.plan.packs[i])
					return nil
				})
			}
		}
	}
	_ = g.Wait()
}

// confirm settles a verified step anew if its tag has moved. A target that does not answer now proves nothing about then.
func (c *counter) confirm(ctx context.Context, s *Step, p *pack) {
	tag := s.Reference
	tag.Digest = ""
	if now, err := c.client.Resolve(ctx, tag); err == nil && now.Digest != p.manifest.Digest {
		c.verify(ctx, s, p)
	}
}

// sleep waits, and reports whether the context lives on.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
