package publish

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/registry"
)

// Action is what is done about one chart at one target.
type Action string

// The actions.
const (
	Push   Action = "push"   // it is not there yet
	Skip   Action = "skip"   // the same content is there
	Refuse Action = "refuse" // it cannot be published as it is: other content under its version, mostly
	Hold   Action = "hold"   // it may not go out for now: it has errors, or depends on what does not go out
	Fail   Action = "fail"   // the target or the tool failed
)

// Step is one chart at one target: in a Plan what would be done, in a Result what was done.
type Step struct {
	Name, Version string // of the chart
	Path          string // of the chart's folder in the repository
	Target        string // as it was asked for: a reference, or "embedded"
	Action        Action
	// Reason says why, in one line without a full stop; "" for a push.
	Reason string
	// Hint is what a user can do about it, "" if there is nothing to say.
	Hint string
	// Changes are the files that differ, sorted, from what is there to what is here; More is how many are left out.
	Changes []archive.Change
	More    int
	// Reference names the chart at the target, with tag and digest: of the manifest that is pushed, or of what stands there. It has no
	// digest for Hold and Fail, nor where no target was asked, and is zero if no registry takes the chart's name or version.
	Reference registry.Reference
	// Err is the failure behind Fail, nil otherwise.
	Err error
}

// Steps are ordered by target, as the targets were given, then by path.
type Steps []Step

// Count is how many steps have one of these actions.
func (s Steps) Count(actions ...Action) int {
	n := 0
	for _, step := range s {
		for _, a := range actions {
			if step.Action == a {
				n++
				break
			}
		}
	}
	return n
}

// Failed reports whether a target or the tool failed: exit code 3.
func (s Steps) Failed() bool { return s.Count(Fail) > 0 }

// Blocked reports whether something that should have gone out may not: exit code 1, unless Failed.
func (s Steps) Blocked() bool { return s.Count(Refuse, Hold) > 0 }

// fail makes the step one that an error ended.
func (s *Step) fail(doing string, err error) {
	s.Action, s.Reason, s.Err, s.Hint = Fail, err.Error(), err, registry.HintOf(err)
	s.Reference.Digest = ""
	if doing != "" {
		s.Reason = doing + ": " + s.Reason
	}
}

// settle gives the step an outcome that is no failure.
func (s *Step) settle(a Action, reason, hint string) {
	s.Action, s.Reason, s.Hint = a, reason, hint
}

const (
	maxChanges = 20  // files named in one step
	maxPath    = 200 // bytes of a path that is shown
)

// differ notes the files that differ, as many as people read.
func (s *Step) differ(changes []archive.Change) {
	s.More = max(len(changes)-maxChanges, 0)
	s.Changes = make([]archive.Change, 0, min(len(changes), maxChanges))
	for _, c := range changes[:min(len(changes), maxChanges)] {
		s.Changes = append(s.Changes, archive.Change{Path: printable(c.Path), Kind: c.Kind})
	}
}

// printable is a path from outside, fit for a terminal.
func printable(name string) string {
	if len(name) > maxPath {
		name = strings.ToValidUTF8(name[:maxPath], "") + "…"
	}
	for _, r := range name {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return strconv.QuoteToGraphic(name)
		}
	}
	return name
}

// differing counts files to people.
func differing(n int) string {
	if n == 1 {
		return "1 file differs"
	}
	return fmt.Sprintf("%d files differ", n)
}
