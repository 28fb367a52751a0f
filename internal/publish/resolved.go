package publish

import (
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
)

// ItemOf is the item of a chart whose dependencies are resolved. held says why it may not go out, "" if it may.
func ItemOf(r *deps.Resolved, held string) Item {
	it := Withheld(r.Chart, held)
	it.Files = r.Files
	it.DependsOn = localPaths(nil, r.Deps)
	it.StandIns = r.StandIns()
	if r.Lock == deps.LockMissing {
		it.LockProblem = "no lock file settles its dependencies: " + strings.Join(r.Unlocked, ", ")
	}
	return it
}

// Withheld is the item of a chart that may not go out: one that does not load, or whose dependencies cannot be had.
func Withheld(c *chart.Chart, held string) Item {
	return Item{Path: c.Path, Name: c.Name(), Version: c.Version(), Held: held}
}

// localPaths adds the folders of the charts of this repository that dependencies, and theirs, were made of.
func localPaths(paths []string, all []deps.Dependency) []string {
	for _, d := range all {
		if d.Local != nil && !slices.Contains(paths, d.Local.Path) {
			paths = append(paths, d.Local.Path)
		}
		paths = localPaths(paths, d.Deps)
	}
	return paths
}
