package report

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/chartgate/chartgate/internal/finding"
)

// Part is the report of a shard and the file that it was read from.
type Part struct {
	File string
	*Report
}

// Merge puts the reports of all shards together into the report that one run
// over all charts would have written. It fails with a *MergeError unless they are the N
// reports of one plan, each once, and hold every chart and every check of it.
func Merge(parts []Part) (*Report, error) {
	if len(parts) == 0 {
		return nil, errors.New("merging reports: there are none")
	}
	first := parts[0]
	seen := map[int]string{}
	for _, p := range parts {
		if err := p.sound(); err != nil {
			return nil, err
		}
		if err := p.fits(first); err != nil {
			return nil, err
		}
		if other, twice := seen[p.Shard.Index]; twice {
			return nil, &MergeError{p.File, fmt.Sprintf("the report of shard %s, as %s is", p.Shard.name(), other), "give the report of each shard once"}
		}
		seen[p.Shard.Index] = p.File
	}
	if err := complete(seen, first); err != nil {
		return nil, err
	}
	return join(parts), nil
}

func (s *Shard) name() string { return fmt.Sprintf("%d/%d", s.Index, s.Total) }

// sound reports whether a report has what its own plan gives to it.
func (p Part) sound() error {
	fail := func(format string, args ...any) error {
		return &MergeError{p.File, fmt.Sprintf(format, args...), "run the shard again"}
	}
	s := p.Shard
	if s.Total < 1 || s.Index < 1 || s.Index > s.Total {
		return fail("there is no shard %s", s.name())
	}
	var paths []string
	last := ""
	for i, c := range s.Plan {
		if c.Shard < 1 || c.Shard > s.Total || i > 0 && c.Path <= last {
			return fail("its plan is not one: chart %q", c.Path)
		}
		if last = c.Path; c.Shard == s.Index {
			paths = append(paths, c.Path)
		}
	}
	if !slices.EqualFunc(p.Charts, paths, func(c Chart, path string) bool { return c.Path == path }) {
		return fail("it does not hold the %d charts that the plan gives to shard %s", len(paths), s.name())
	}
	ran := make([]string, 0, len(p.Outcomes))
	for _, o := range p.Outcomes {
		ran = append(ran, o.Chart+"\x00"+o.Check)
	}
	var planned []string
	for _, path := range paths {
		for _, check := range s.Checks {
			planned = append(planned, path+"\x00"+check)
		}
	}
	if !slices.Equal(ran, planned) {
		return fail("it does not hold the outcome of every check on every chart of shard %s", s.name())
	}
	known := map[string]bool{}
	for _, p := range planned {
		known[p] = true
	}
	for _, f := range p.Findings {
		if !known[f.Chart+"\x00"+f.Check] {
			return fail("it holds a finding of %s on %q, which is not in its shard", f.Check, f.Chart)
		}
	}
	return nil
}

// fits reports whether two reports are parts of one whole.
func (p Part) fits(first Part) error {
	a, b := first.Shard, p.Shard
	if a.PlanDigest(first.Tool) == b.PlanDigest(p.Tool) && first.FailOn == p.FailOn {
		return nil
	}
	why, hint := "the charts", "all shards have to run on the same files of the same commit"
	switch {
	case a.Total != b.Total:
		why, hint = fmt.Sprintf("the number of shards (%d and %d)", a.Total, b.Total), "all shards are run with the same N"
	case !slices.Equal(a.Checks, b.Checks):
		why, hint = "the checks", "all shards are run with the same flags"
	case a.Settings != b.Settings || first.FailOn != p.FailOn:
		why, hint = "the configuration or the base", "all shards are run with the same flags, variables and base"
	case a.Durations != b.Durations:
		why, hint = "the durations", "all shards need the same --durations file: an artifact of one job before them, or a committed one"
	case len(a.Plan) != len(b.Plan):
		why = fmt.Sprintf("the charts (%d and %d)", len(a.Plan), len(b.Plan))
	default:
		for i := range a.Plan {
			if a.Plan[i] != b.Plan[i] {
				why = fmt.Sprintf("the charts: %s and %s", a.Plan[i].Path, b.Plan[i].Path)
				if a.Plan[i].Path == b.Plan[i].Path {
					why = "the files of " + a.Plan[i].Path
				}
				break
			}
		}
	}
	return &MergeError{p.File, fmt.Sprintf("not of the same plan as %s: they differ in %s", first.File, why), hint}
}

// complete reports whether there is a report of every shard.
func complete(seen map[int]string, first Part) error {
	var missing []string
	for i := 1; i <= first.Shard.Total; i++ {
		if _, ok := seen[i]; !ok {
			if len(missing) == 10 {
				missing = append(missing, "…")
				break
			}
			missing = append(missing, strconv.Itoa(i))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	noun, verb := "the report of shard", "is"
	if len(missing) > 1 {
		noun, verb = "the reports of shards", "are"
	}
	return &MergeError{first.File, fmt.Sprintf("%s %s of %d %s missing", noun, strings.Join(missing, ", "), first.Shard.Total, verb),
		"a shard whose report is missing has failed, or its report was not kept as an artifact (artifacts: when: always)"}
}

// join makes one report of the parts of a whole. The parts share no chart, and
// each is sorted.
func join(parts []Part) *Report {
	out := &Report{Tool: parts[0].Tool, FailOn: parts[0].FailOn}
	for _, p := range parts {
		out.Charts = append(out.Charts, p.Charts...)
		out.Outcomes = append(out.Outcomes, p.Outcomes...)
		out.Findings = append(out.Findings, p.Findings...)
	}
	slices.SortStableFunc(out.Charts, func(a, b Chart) int { return strings.Compare(a.Path, b.Path) })
	slices.SortStableFunc(out.Outcomes, func(a, b Outcome) int { return strings.Compare(a.Chart, b.Chart) })
	slices.SortStableFunc(out.Findings, func(a, b finding.Finding) int { return strings.Compare(a.Chart, b.Chart) })
	return out
}

// Seconds is how long the charts took, all parts together.
func Seconds(parts []Part) map[string]float64 {
	out := map[string]float64{}
	for _, p := range parts {
		maps.Copy(out, p.Shard.Seconds)
	}
	return out
}

// Broken says which checks failed themselves, nil if none did.
func (r *Report) Broken() error {
	var errs []error
	for _, o := range r.Outcomes {
		if o.State == Failed {
			reason, _, _ := strings.Cut(o.Reason, "\n")
			errs = append(errs, fmt.Errorf("%s on %s: %s", o.Check, o.Chart, reason))
		}
	}
	return errors.Join(errs...)
}

// Clean replaces what is not UTF-8, which JSON cannot hold, byte by byte, so that
// a report that was read again writes the same as the one that was written.
func (r *Report) Clean() *Report {
	for i := range r.Charts {
		c := &r.Charts[i]
		clean(&c.Name, &c.Path, &c.Version)
		for k := range c.Dependencies {
			d := &c.Dependencies[k]
			clean(&d.Name, &d.Version, &d.Repository)
		}
	}
	for i := range r.Outcomes {
		clean(&r.Outcomes[i].Chart, &r.Outcomes[i].Reason)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		clean(&f.Chart, &f.Object, &f.Container, &f.File, &f.Message, &f.Hint)
		for k := range f.Values {
			clean(&f.Values[k])
		}
	}
	if r.Shard != nil {
		for i := range r.Shard.Plan {
			clean(&r.Shard.Plan[i].Path)
		}
	}
	return r
}

func clean(fields ...*string) {
	for _, s := range fields {
		if !utf8.ValidString(*s) {
			*s = string([]rune(*s))
		}
	}
}
