package publish

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// graph is how items depend on one another, by their indexes.
type graph struct {
	// deps are the items that each depends on, all of them earlier in order.
	deps [][]int
	// order has each item after those it depends on, by path otherwise.
	order []int
	// circles maps an item to the paths from itself back to itself. One item of each circle is in it; the others depend on that one.
	circles map[int][]string
}

// newGraph sorts items, which come sorted by path. It fails if two have the same path.
func newGraph(items []Item) (*graph, error) {
	byPath := make(map[string]int, len(items))
	for i, it := range items {
		at := path.Clean(it.Path)
		if _, twice := byPath[at]; twice {
			return nil, fmt.Errorf("planning: two items at %q", at)
		}
		byPath[at] = i
	}
	g := &graph{deps: make([][]int, len(items)), circles: map[int][]string{}}
	for i, it := range items {
		for _, d := range it.DependsOn {
			if j, known := byPath[path.Clean(d)]; known && !slices.Contains(g.deps[i], j) {
				g.deps[i] = append(g.deps[i], j)
			}
		}
		slices.Sort(g.deps[i])
	}
	g.sort(items)
	return g, nil
}

// sort fills order. Where a circle leaves no item to go on with, it is broken at its first one.
func (g *graph) sort(items []Item) {
	placed := make([]bool, len(items))
	ready := func(i int) bool {
		return !placed[i] && !slices.ContainsFunc(g.deps[i], func(d int) bool { return !placed[d] })
	}
	for len(g.order) < len(items) {
		next := slices.IndexFunc(placed, func(p bool) bool { return !p })
		if i := firstIndex(len(items), ready); i >= 0 {
			next = i
		} else {
			var circle []int
			for ; next < len(items); next++ {
				if circle = g.circle(next, placed); circle != nil {
					break
				}
			}
			for _, i := range circle {
				g.circles[next] = append(g.circles[next], items[i].Path)
			}
			g.deps[next] = slices.DeleteFunc(g.deps[next], func(d int) bool { return !placed[d] })
		}
		placed[next] = true
		g.order = append(g.order, next)
	}
}

func firstIndex(n int, ok func(int) bool) int {
	for i := range n {
		if ok(i) {
			return i
		}
	}
	return -1
}

// circle is the way from an item over items that are not placed back to itself, nil if there is none.
func (g *graph) circle(from int, placed []bool) []int {
	if placed[from] {
		return nil
	}
	came := map[int]int{}
	queue := []int{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, d := range g.deps[at] {
			if d == from {
				way := []int{from}
				for ; at != from; at = came[at] {
					way = append(way, at)
				}
				way = append(way, from)
				slices.Reverse(way)
				return way
			}
			if _, seen := came[d]; !seen && !placed[d] {
				came[d] = at
				queue = append(queue, d)
			}
		}
	}
	return nil
}

// circleReason says that an item depends on itself.
func circleReason(circle []string) string {
	return "it depends on itself: " + strings.Join(circle, " → ")
}
