package gate

import (
	"context"
	"sync/atomic"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/lint"
)

// kept is how many bytes of charts' files stay in memory from when they are read until the run ends. Charts beyond
// that are read once for each phase.
const kept = 96 << 20

// budget counts what is kept.
type budget struct {
	bytes  atomic.Int64
	frugal atomic.Bool // whether some chart was let go of
}

// keepOrRelease lets go of a chart's files where too much is in memory already.
func (g *run) keepOrRelease(c *chart.Chart) {
	if g.budget.bytes.Add(c.Held()) > kept {
		g.budget.frugal.Store(true)
		g.release(c)
	}
}

func (g *run) release(c *chart.Chart) {
	before := c.Held()
	c.Release()
	g.budget.bytes.Add(c.Held() - before)
}

// sketch lets go of what the resolution of a chart has in memory, if memory is short. It is resolved again when it
// is rendered.
func (g *run) sketch(s *lint.Subject) {
	if !g.budget.frugal.Load() || g.Whole || s.Resolved == nil {
		return
	}
	s.Resolved = s.Resolved.Sketch()
	g.release(s.Chart)
}

// resolveAgain is for what sketch let go of.
func (g *run) resolveAgain(ctx context.Context, s *lint.Subject) (*deps.Resolved, error) {
	return g.resolver.Resolve(ctx, s.Chart)
}

// ended lets go of a chart whose checks have all run.
func (g *run) ended(s *lint.Subject) {
	if g.budget.frugal.Load() && !g.Whole {
		g.release(s.Chart)
	}
}
