// Package versioncheck is the version-check: a chart whose content changed has
// a new version, and versions only go up.
package versioncheck

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/source"
)

// Name is the check's name.
const Name = "version-check"

// New makes the check. Targets are the registry prefixes that this repository
// publishes to, as oci:// URLs.
func New(targets []string) lint.Check {
	return lint.Check{
		Name:  Name,
		Doc:   "Versions are SemVer 2, go up, and change whenever the packaged content does.",
		Rules: rules(),
		Needs: lint.Needs{Base: true},
		Chart: func(_ context.Context, s *lint.Subject) ([]finding.Finding, error) { return check(s, targets) },
	}
}

func rules() []lint.Rule {
	return []lint.Rule{
		{ID: "semver", Severity: finding.Error, What: "A version that is not SemVer 2.",
			Why: "Registries and Helm order versions by SemVer; what is not one cannot be resolved.",
			Fix: "Write MAJOR.MINOR.PATCH. An identifier of digits only in a pre-release must not begin with 0: write mr.12.g0123456 rather than mr.12.0123456."},
		{ID: "bump", Severity: finding.Error, What: "Content that would be published changed, and the version did not. Charts referred to with file:// count in.",
			Why: "A published version is never replaced, so the change would reach nobody, or the publish would be refused.",
			Fix: "Raise version in Chart.yaml, or keep the changed file out of the archive with .helmignore."},
		{ID: "backwards", Severity: finding.Error, What: "A version lower than that of the base.",
			Why: "Whoever follows a version range would never see it.", Fix: "Choose a version above that of the base."},
		{ID: "pin", Severity: finding.Error, What: "A file:// dependency on a chart of this repository whose version does not meet the constraint.",
			Why: "The dependency cannot be resolved.", Fix: "Write a constraint that the chart's version meets, and update Chart.lock."},
		{ID: "outdated-pin", Severity: finding.Warning, What: "A dependency on what this repository publishes whose constraint leaves out the version in the tree.",
			Why: "The dependent keeps the older release, perhaps without anybody having meant it.", Fix: "Widen the constraint, or turn the rule off for charts that stay behind on purpose."},
	}
}

func check(s *lint.Subject, targets []string) ([]finding.Finding, error) {
	v := subject{Subject: s, doc: func() *source.YAML { return nil }}
	if file, ok := s.Chart.File("Chart.yaml"); ok {
		v.file = file
		v.doc = sync.OnceValue(func() *source.YAML { doc, _ := source.ParseYAML(file.Data); return doc })
	}
	if m := s.Chart.Metadata(); m == nil || m.Version == "" {
		return nil, &lint.SkipError{Reason: "Chart.yaml gives no version"}
	}
	out := v.pins(targets)
	version, err := semver.StrictNewVersion(s.Chart.Version())
	if err != nil {
		return append(out, v.at("semver", fmt.Sprintf("version %q is not SemVer 2: %v", s.Chart.Version(), err), "write MAJOR.MINOR.PATCH, for example 1.4.0")), nil
	}
	if s.Chart.Err() != nil {
		return out, &lint.SkipError{Reason: "the chart does not load: " + s.Chart.Err().Error()}
	}
	changed, err := v.against(version)
	return append(out, changed...), err
}

type subject struct {
	*lint.Subject
	file source.File
	doc  func() *source.YAML
}

func (v subject) at(rule, msg, hint string, steps ...any) finding.Finding {
	if len(steps) == 0 {
		steps = []any{"version"}
	}
	pos, _ := v.doc().Value(steps...)
	severity := finding.Error
	if rule == "outdated-pin" {
		severity = finding.Warning
	}
	return finding.Finding{Rule: rule, Severity: severity, File: v.file.Path, Pos: pos, Message: msg, Hint: hint}
}

// against compares the chart with itself at the base.
func (v subject) against(version *semver.Version) ([]finding.Finding, error) {
	old := baseOf(v.Base, v.Chart)
	if old == nil {
		return nil, nil // a new chart
	}
	if was, err := semver.NewVersion(old.Version()); err == nil && version.LessThan(was) {
		return []finding.Finding{v.at("backwards", fmt.Sprintf("the version goes back from %s to %s", old.Version(), v.Chart.Version()),
			fmt.Sprintf("choose one above %s", old.Version()))}, nil
	}
	if old.Version() != v.Chart.Version() {
		return nil, nil
	}
	changes, err := compare(old, v.Chart)
	if err != nil {
		return nil, &lint.SkipError{Reason: "the chart cannot be packaged: " + err.Error()}
	}
	what := strings.Join(changes, ", ")
	for _, local := range v.Repo.LocalDependencies(v.Chart) {
		oldLocal := baseOf(v.Base, local)
		if oldLocal == nil || local.Err() != nil {
			continue
		}
		if c, err := compare(oldLocal, local); err == nil && len(c) > 0 {
			changes = append(changes, c...)
			what = joinNonEmpty(what, fmt.Sprintf("its dependency %s (%s)", local.Name(), strings.Join(c, ", ")))
		}
	}
	if len(changes) == 0 {
		return nil, nil
	}
	return []finding.Finding{v.at("bump", fmt.Sprintf("changed since %s without a new version: %s", short(v.Base.Revision), what),
		fmt.Sprintf("raise version %s in %s", v.Chart.Version(), v.file.Path))}, nil
}

// baseOf is the same chart at the base: of that path, else of that name.
func baseOf(b *lint.Base, c *chart.Chart) *chart.Chart {
	if b == nil || b.Repo == nil {
		return nil
	}
	usable := func(o *chart.Chart) bool { return o != nil && o.Err() == nil && o.Name() == c.Name() }
	if o := b.Repo.At(c.Path); usable(o) {
		return o
	}
	for _, o := range b.Repo.Named(c.Name()) {
		if usable(o) {
			return o
		}
	}
	return nil
}

// compare lists the published files that differ, at most five and a count.
func compare(old, now *chart.Chart) ([]string, error) {
	before, err := old.Package()
	if err != nil {
		return nil, err
	}
	after, err := now.Package()
	if err != nil || before == after {
		return nil, err
	}
	a, err := old.PackageFiles()
	if err != nil {
		return nil, err
	}
	b, err := now.PackageFiles()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range archive.Compare(a, b) {
		names = append(names, c.Path)
	}
	const most = 5
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return names, nil
}

// pins checks the constraints on charts of this repository.
func (v subject) pins(targets []string) []finding.Finding {
	var out []finding.Finding
	for i, d := range v.Chart.Metadata().Dependencies {
		if d == nil || d.Version == "" {
			continue
		}
		constraint, err := semver.NewConstraint(d.Version)
		if err != nil {
			continue // lint-and-test says so
		}
		local, isFile := v.Repo.Local(v.Chart, d)
		if isFile && local != nil && !meets(constraint, local) {
			out = append(out, v.at("pin", fmt.Sprintf("depends on %s %s, and %s is at %s", d.Name, d.Version, local.Path, local.Version()),
				"change the constraint, and Chart.lock with it", "dependencies", i, "version"))
		}
		if isFile || !published(targets, d.Repository) {
			continue
		}
		if same := v.Repo.Named(d.Name); len(same) == 1 && !meets(constraint, same[0]) {
			out = append(out, v.at("outdated-pin", fmt.Sprintf("depends on %s %s, and %s is at %s", d.Name, d.Version, same[0].Path, same[0].Version()),
				"", "dependencies", i, "version"))
		}
	}
	return out
}

func meets(c *semver.Constraints, of *chart.Chart) bool {
	version, err := semver.NewVersion(of.Version())
	return err != nil || c.Check(version)
}

func published(targets []string, repository string) bool {
	for _, t := range targets {
		if path.Clean(strings.TrimPrefix(t, "oci://")) == path.Clean(strings.TrimPrefix(repository, "oci://")) {
			return true
		}
	}
	return false
}

func short(revision string) string {
	if len(revision) > 12 {
		return revision[:12]
	}
	return revision
}

func joinNonEmpty(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
