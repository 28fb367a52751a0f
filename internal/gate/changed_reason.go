package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ReasonKind is the kind of a Reason, as `list --format json` prints it.
type ReasonKind string

// The kinds of reasons.
const (
	ReasonNew           ReasonKind = "new"           // there is no earlier commit
	ReasonFile          ReasonKind = "file"          // File, one of the chart's own
	ReasonValues        ReasonKind = "values-set"    // File, which the values set Values is made of
	ReasonLink          ReasonKind = "link"          // File, which Link in the chart leads to or through
	ReasonDependency    ReasonKind = "dependency"    // Chart, which this one depends on through Through
	ReasonConfiguration ReasonKind = "configuration" // File, or the key Key in it
)

// Reason is why a change concerns a chart. Fields that a kind does not name are empty.
type Reason struct {
	Kind    ReasonKind
	File    string // relative to the root
	More    int    // how many more files of the same kind changed
	Values  string
	Link    string
	Name    string // of the chart that this one depends on
	Chart   string // its path
	Through string // the repository, as Chart.yaml has it
	Key     string // of the configuration
}

// String is the reason for people.
func (r Reason) String() string {
	file := r.File
	switch {
	case r.More == 1:
		file += " and 1 more file"
	case r.More > 1:
		file += fmt.Sprintf(" and %d more files", r.More)
	}
	switch r.Kind {
	case ReasonNew:
		return "there is no earlier commit"
	case ReasonValues:
		return fmt.Sprintf("%s of values set %s changed", file, r.Values)
	case ReasonLink:
		return fmt.Sprintf("%s changed, where %s leads", file, r.Link)
	case ReasonDependency:
		s := fmt.Sprintf("depends on %s (%s) through %s", r.Name, r.Chart, r.Through)
		if r.File != "" {
			s += ": " + file + " changed"
		}
		return s
	case ReasonConfiguration:
		if r.Key != "" {
			return fmt.Sprintf("%s of %s changed", r.Key, r.File)
		}
	}
	return file + " changed"
}

// sortReasons orders reasons by kind, file and key, and drops repetitions.
func sortReasons(rs []Reason) []Reason {
	order := []ReasonKind{ReasonNew, ReasonFile, ReasonValues, ReasonLink, ReasonDependency, ReasonConfiguration}
	slices.SortStableFunc(rs, func(a, b Reason) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)),
			strings.Compare(a.File, b.File), strings.Compare(a.Key, b.Key), strings.Compare(a.Values, b.Values), strings.Compare(a.Link, b.Link),
			strings.Compare(a.Chart, b.Chart), strings.Compare(a.Through, b.Through), strings.Compare(a.Name, b.Name))
	})
	return slices.Compact(rs)
}
