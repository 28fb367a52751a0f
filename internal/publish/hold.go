package publish

import "fmt"

// blame names the item that keeps another back, and what became of it.
type blame struct {
	item   int
	action Action
}

// fault blames an item itself if it does not go out.
func fault(i int, s *Step) *blame {
	switch s.Action {
	case Refuse, Hold, Fail:
		return &blame{item: i, action: s.Action}
	}
	return nil
}

// heldBy finds what keeps an item back among those it depends on: the first of them, and whom that one blames. A dependency
// that is skipped can pass on blame too.
func (g *graph) heldBy(i int, blames []*blame) (direct int, b *blame) {
	for _, d := range g.deps[i] {
		if blames[d] != nil {
			return d, blames[d]
		}
	}
	return 0, nil
}

// inherit holds a step back for what its item depends on, and returns whom those that depend on it can blame: the item furthest down, unless
// its own step did not go out anyway.
func (g *graph) inherit(i int, s *Step, items []Item, blames []*blame) *blame {
	direct, b := g.heldBy(i, blames)
	if b == nil {
		return fault(i, s)
	}
	if s.Action == Push {
		reason := "depends on " + items[direct].label()
		if direct != b.item {
			reason += ", and so on " + items[b.item].label()
		}
		s.Reference.Digest = ""
		s.settle(Hold, reason+", which "+b.became(), "")
	} else if own := fault(i, s); own != nil {
		return own
	}
	return b
}

// became says what happened to the item that is to blame.
func (b *blame) became() string {
	switch b.action {
	case Refuse:
		return "is refused"
	case Fail:
		return "failed"
	}
	return "is held back"
}

// holdAll turns every push into a hold if anything does not go out.
func holdAll(steps Steps) {
	n := steps.Count(Refuse, Hold, Fail)
	if n == 0 {
		return
	}
	for i := range steps {
		if steps[i].Action == Push {
			steps[i].Reference.Digest = ""
			steps[i].settle(Hold, fmt.Sprintf("nothing is published unless everything can be, and %s", others(n)), "")
		}
	}
}

func others(n int) string {
	if n == 1 {
		return "1 other cannot"
	}
	return fmt.Sprintf("%d others cannot", n)
}
