package publish

import (
	"fmt"
	"path"
	"strings"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/registry"
)

// Item is one chart of the repository that is to be published.
type Item struct {
	// Path is the folder of its Chart.yaml in the repository; no two items share one.
	Path string
	// Name and Version are those of Chart.yaml.
	Name, Version string
	// Files gives the files of its archive, dependencies in place. It is called at most once for each Plan, and not at all for
	// a chart that is held back.
	Files func() ([]archive.File, error)
	// DependsOn are the Paths of the items whose files it takes in. Paths that are no item's count for nothing.
	DependsOn []string
	// StandIns names the dependencies that were resolved through stand-ins.
	StandIns []string
	// LockProblem says why another day may give other dependencies; "" if they are settled.
	LockProblem string
	// Held says why the chart may not go out, such as "it has 2 errors"; "" if it may.
	Held string
}

// label names an item to people.
func (it *Item) label() string {
	if it.Version == "" {
		return fmt.Sprintf("%s (%s)", it.Name, it.Path)
	}
	return fmt.Sprintf("%s %s (%s)", it.Name, it.Version, it.Path)
}

// chartYAML is the file that a hint sends people to.
func (it *Item) chartYAML() string { return path.Join(it.Path, "Chart.yaml") }

// unsettled says why the chart may go to the embedded registry only; "" if it may go anywhere.
func (it *Item) unsettled() (reason, hint string) {
	var reasons, hints []string
	if it.LockProblem != "" {
		reasons = append(reasons, it.LockProblem)
		hints = append(hints, "run `helm dependency update "+it.Path+"` and commit the lock file")
	}
	if len(it.StandIns) > 0 {
		reasons = append(reasons, "resolved through stand-ins: "+strings.Join(it.StandIns, ", "))
		hints = append(hints, "publish from where the real repositories can be reached, without mirrors to stand-ins")
	}
	return strings.Join(reasons, "; "), strings.Join(hints, "; ")
}

// reference is where a target has, or would have, the chart.
func (it *Item) reference(t Target) (registry.Reference, error) {
	if it.Name == "" || path.Base(it.Name) != it.Name {
		return registry.Reference{}, fmt.Errorf("%q cannot be the name of a chart", it.Name)
	}
	ref, err := t.Ref.Join(it.Name)
	if err != nil {
		return registry.Reference{}, err
	}
	return ref.WithVersion(it.Version)
}
