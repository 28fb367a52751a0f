package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/registry"
	"golang.org/x/sync/errgroup"
)

// Publisher plans and publishes. It is safe for concurrent use.
type Publisher struct {
	Client *registry.Client
	// Jobs is how many charts are packed, looked up or pushed at a time: 4 if 0.
	Jobs int
	// AllOrNothing publishes nothing unless everything can be.
	AllOrNothing bool
	// Settle is how long to wait at the end of a run before the tags are looked at once more, for the jobs that publish at the same
	// time: 300 ms if 0, not at all if negative.
	Settle time.Duration
}

func (p *Publisher) jobs() int {
	if p.Jobs <= 0 {
		return 4
	}
	return p.Jobs
}

// Plan is what would be published where.
type Plan struct {
	Steps Steps

	allOrNothing bool
	targets      []Target
	items        []Item // sorted by path
	graph        *graph
	packs        []*pack // by item; nil unless some target is to get it
}

// at is the place in Steps of an item at a target.
func (p *Plan) at(target, item int) int { return target*len(p.items) + item }

// Plan asks every target for every chart and changes nothing. A target that fails gives steps with the action Fail and does not
// keep the others from being planned; the error is for items and targets that cannot be, and for a context that has ended.
func (p *Publisher) Plan(ctx context.Context, items []Item, targets []Target) (*Plan, error) {
	plan := &Plan{allOrNothing: p.AllOrNothing, items: slices.Clone(items)}
	slices.SortStableFunc(plan.items, func(a, b Item) int { return strings.Compare(a.Path, b.Path) })
	var err error
	if plan.graph, err = newGraph(plan.items); err != nil {
		return nil, err
	}
	if plan.targets, err = usable(targets); err != nil {
		return nil, err
	}
	plan.packs = make([]*pack, len(plan.items))
	plan.Steps = make(Steps, len(plan.items)*len(plan.targets))
	plan.prejudge()
	p.pack(ctx, plan)
	p.ask(ctx, plan)
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("planning: %w", err)
	}
	plan.hold()
	plan.release()
	return plan, nil
}

// usable drops targets that are given twice.
func usable(targets []Target) ([]Target, error) {
	if len(targets) == 0 {
		return nil, errors.New("planning: no targets")
	}
	var once []Target
	for _, t := range targets {
		if t.Ref.Host == "" {
			return nil, fmt.Errorf("planning: target %q has no registry yet", t.Name)
		}
		if !slices.ContainsFunc(once, func(o Target) bool { return o.Ref == t.Ref && o.Embedded == t.Embedded }) {
			once = append(once, t)
		}
	}
	return once, nil
}

// prejudge settles what needs no registry to be asked. The other steps are left without an action.
func (p *Plan) prejudge() {
	rivals := p.rivals()
	for t, target := range p.targets {
		for i := range p.items {
			it := &p.items[i]
			s := &p.Steps[p.at(t, i)]
			*s = Step{Name: it.Name, Version: it.Version, Path: it.Path, Target: target.Name}
			ref, err := it.reference(target)
			s.Reference = ref
			reason, hint := it.unsettled()
			switch {
			case it.Held != "":
				s.settle(Hold, it.Held, "")
			case p.graph.circles[i] != nil:
				s.settle(Refuse, circleReason(p.graph.circles[i]), "")
			case err != nil:
				s.settle(Refuse, err.Error(), "give the chart another name or version in "+it.chartYAML())
			case rivals[i] != "":
				s.settle(Refuse, rivals[i], "give one of them another name or version")
			case reason != "" && !target.Embedded:
				s.settle(Refuse, reason, hint)
			}
		}
	}
}

// rivals says of each item which other one claims the same name and version.
func (p *Plan) rivals() []string {
	reasons := make([]string, len(p.items))
	claims := map[string]int{}
	for i, it := range p.items {
		key := it.Name + ":" + registry.TagOf(it.Version)
		first, taken := claims[key]
		if !taken {
			claims[key] = i
			continue
		}
		reasons[i] = fmt.Sprintf("%s is %s %s too", p.items[first].Path, it.Name, it.Version)
		reasons[first] = fmt.Sprintf("%s is %s %s too", it.Path, it.Name, it.Version)
	}
	return reasons
}

// pack makes the archives of the charts that some target is asked for. A chart that cannot be packed is refused.
func (p *Publisher) pack(ctx context.Context, plan *Plan) {
	errs := make([]error, len(plan.items))
	var g errgroup.Group
	g.SetLimit(p.jobs())
	for i := range plan.items {
		if plan.open(i) {
			g.Go(func() error {
				if errs[i] = ctx.Err(); errs[i] == nil {
					plan.packs[i], errs[i] = packItem(&plan.items[i])
				}
				return nil
			})
		}
	}
	_ = g.Wait()
	for t := range plan.targets {
		for i, err := range errs {
			if s := &plan.Steps[plan.at(t, i)]; err != nil && s.Action == "" {
				s.settle(Refuse, "it cannot be packed: "+err.Error(), "")
			}
		}
	}
}

// open reports whether some target is still to be asked for an item.
func (p *Plan) open(item int) bool {
	for t := range p.targets {
		if p.Steps[p.at(t, item)].Action == "" {
			return true
		}
	}
	return false
}

// ask settles the steps that are left by asking their targets.
func (p *Publisher) ask(ctx context.Context, plan *Plan) {
	counters := p.counters(plan.targets)
	var g errgroup.Group
	g.SetLimit(p.jobs())
	for i := range plan.items {
		for t := range plan.targets {
			if s := &plan.Steps[plan.at(t, i)]; s.Action == "" {
				g.Go(func() error {
					counters[t].look(ctx, s, plan.packs[i])
					return nil
				})
			}
		}
	}
	_ = g.Wait()
}

func (p *Publisher) counters(targets []Target) []*counter {
	var all []*counter
	for _, t := range targets {
		all = append(all, &counter{target: t, client: p.Client})
	}
	return all
}

// hold keeps back what depends on a chart that does not go out.
func (p *Plan) hold() {
	for t := range p.targets {
		blames := make([]*blame, len(p.items))
		for _, i := range p.graph.order {
			blames[i] = p.graph.inherit(i, &p.Steps[p.at(t, i)], p.items, blames)
		}
	}
	if p.allOrNothing {
		holdAll(p.Steps)
	}
}

// release lets go of the archives that no target is to get.
func (p *Plan) release() {
	for i := range p.items {
		wanted := false
		for t := range p.targets {
			wanted = wanted || p.Steps[p.at(t, i)].Action == Push
		}
		if !wanted {
			p.packs[i] = nil
		}
	}
}
