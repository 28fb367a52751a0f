// Package finding defines what the checks report: findings, their severity
// and their fingerprint, and the policy that teams set over them.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/source"
)

// Finding is one thing wrong with one chart. It is data: a Go error means that
// chartgate itself failed, a Finding that the chart did.
type Finding struct {
	Check    string   // the check's name, for example "yaml-lint"
	Rule     string   // the rule inside the check; "check/rule" is its full name
	Severity Severity // how bad it is
	Chart    string   // the chart's path in the repository
	Values   []string // names of the values sets it occurs in; empty when it does not depend on values
	Object   string   // "Kind/name" of the manifest at fault, if any
	// Container is the container at fault, if the rule is about containers.
	Container string
	File      string // path in the repository, or "" when no file is at fault
	source.Pos
	Message string
	Hint    string // what to do about it; may be empty
	// Text is the text of the line at fault. It feeds the fingerprint, so that
	// a finding is the same one after its line moved.
	Text string
	// Fingerprint identifies the finding across commits: 64 hexadecimal digits,
	// set by Fingerprint.
	Fingerprint string
}

// Name is the full name of the finding's rule, "check/rule".
func (f Finding) Name() string { return f.Check + "/" + f.Rule }

// Severity orders findings. Its zero value is Off, which no finding in a report has.
type Severity int

// The severities, from least to worst.
const (
	Off Severity = iota
	Info
	Warning
	Error
)

var severityNames = []string{"off", "info", "warning", "error"}

func (s Severity) String() string {
	if s < Off || s > Error {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// ParseSeverity reads the names that String gives.
func ParseSeverity(name string) (Severity, error) {
	if i := slices.Index(severityNames, name); i >= 0 {
		return Severity(i), nil
	}
	return Off, fmt.Errorf("unknown severity %q: use one of %s", name, strings.Join(severityNames, ", "))
}

// Sort orders findings by chart, file, line, column, check, rule, object,
// container and message, so that reports do not depend on scheduling.
func Sort(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			strings.Compare(a.Chart, b.Chart),
			strings.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Check, b.Check),
			strings.Compare(a.Rule, b.Rule),
			strings.Compare(a.Object, b.Object),
			strings.Compare(a.Container, b.Container),
			strings.Compare(a.Message, b.Message),
			slices.Compare(a.Values, b.Values),
		)
	})
}

// Merge joins findings that differ only in the values sets they occur in, and
// drops exact repetitions. The order of first occurrence is kept.
func Merge(fs []Finding) []Finding {
	type key struct {
		check, rule, chart, object, container, file, message string
		severity                                             Severity
		pos                                                  source.Pos
	}
	index := make(map[key]int, len(fs))
	merged := fs[:0:0]
	for _, f := range fs {
		k := key{f.Check, f.Rule, f.Chart, f.Object, f.Container, f.File, f.Message, f.Severity, f.Pos}
		i, seen := index[k]
		if !seen {
			index[k] = len(merged)
			f.Values = slices.Clone(f.Values)
			merged = append(merged, f)
			continue
		}
		merged[i].Values = append(merged[i].Values, f.Values...)
	}
	for i := range merged {
		slices.Sort(merged[i].Values)
		merged[i].Values = slices.Compact(merged[i].Values)
	}
	return merged
}

// Count returns how many findings there are of each severity.
func Count(fs []Finding) map[Severity]int {
	n := map[Severity]int{}
	for _, f := range fs {
		n[f.Severity]++
	}
	return n
}

// Worst returns the highest severity among fs, Off when there are none.
func Worst(fs []Finding) Severity {
	worst := Off
	for _, f := range fs {
		worst = max(worst, f.Severity)
	}
	return worst
}
