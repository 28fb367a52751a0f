package publish

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/chartgate/chartgate/internal/registry"
)

// counter is a target that is being asked. Once it does not answer, it is not asked again: with a hundred charts, each of
// them would wait for the same time-out.
type counter struct {
	target Target
	client *registry.Client
	silent atomic.Pointer[registry.Error]
}

// look settles a step by what the target has under the chart's tag.
func (c *counter) look(ctx context.Context, s *Step, p *pack) {
	if e := c.silent.Load(); e != nil {
		s.fail("not asked, since the target did not answer before", e)
		return
	}
	tag := s.Reference
	tag.Digest = ""
	desc, err := c.client.Resolve(ctx, tag)
	if errors.Is(err, registry.ErrNotFound) {
		s.settle(Push, "", "")
		s.Reference.Digest = p.manifest.Digest
		return
	}
	if err != nil {
		s.fail("", err)
		c.mute(ctx, err)
		return
	}
	s.Reference.Digest = desc.Digest
	if desc.Digest == p.manifest.Digest {
		s.settle(Skip, "the same digest is there", "")
		return
	}
	there, err := c.client.PullChart(ctx, s.Reference)
	switch {
	case errors.Is(err, registry.ErrNotChart):
		s.settle(Refuse, "its tag holds something that is not a Helm chart: "+cause(err), "publish below another prefix, or give the chart another name")
	case errors.Is(err, registry.ErrTooLarge):
		s.settle(Refuse, "its tag holds something larger than any chart: "+cause(err), "publish below another prefix, or give the chart another name")
	case err != nil:
		s.fail("comparing with what is there", err)
	default:
		judge(s, p, there)
	}
}

// judge settles a step by the files of the chart that is there.
func judge(s *Step, p *pack, there *registry.PulledChart) {
	changes, err := p.compare(there)
	raise := "raise the version in " + (&Item{Path: s.Path}).chartYAML()
	switch {
	case err != nil:
		s.settle(Refuse, "its tag holds a chart that cannot be read: "+err.Error(), raise)
	case len(changes) == 0:
		s.settle(Skip, "the same files are there", "")
	default:
		if len(changes) == 1 && lockFile(changes[0].Path) {
			// As the helm CLI leaves it: `helm dependency update` before `helm package`, the lock never committed.
			raise = "commit the " + changes[0].Path + " that is in what is there, or " + raise
		}
		s.settle(Refuse, "version "+s.Version+" is there with other content: "+differing(len(changes)), raise)
		s.differ(changes)
	}
}

func lockFile(name string) bool { return name == "Chart.lock" || name == "requirements.lock" }

// mute notes a target that does not answer.
func (c *counter) mute(ctx context.Context, err error) {
	var e *registry.Error
	if ctx.Err() == nil && errors.As(err, &e) && e.Status == 0 && !errors.Is(err, registry.ErrCorrupt) {
		c.silent.CompareAndSwap(nil, e)
	}
}

// cause is an error of the registry without what the step says anyway.
func cause(err error) string {
	var e *registry.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}
