package deps

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/archive"
	"github.com/opencontainers/go-digest"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// parseConstraint reads a constraint with Helm's library, so with its rules for pre-releases too.
func parseConstraint(s string) (*semver.Constraints, error) {
	c, err := semver.NewConstraint(s)
	if err == nil {
		return c, nil
	}
	f := &fault{kind: KindVersion, field: "version", err: fmt.Errorf("%q is neither a version nor a range of versions", s),
		hint: `write an exact version, or a range such as "^1.2.0" or "1.x.x"`}
	if s == "" {
		f.field, f.err = "", fmt.Errorf("it has no version")
	}
	return nil, f
}

// checkConstraint reports why a version is not one that is asked for.
func checkConstraint(constraint, version string) error {
	c, err := parseConstraint(constraint)
	if err != nil {
		return err
	}
	v, err := semver.NewVersion(version)
	if err != nil {
		return &fault{kind: KindArchive, err: fmt.Errorf("the chart's version %q is not a semantic one", version)}
	}
	if !c.Check(v) {
		return &fault{kind: KindVersion, field: "version", err: fmt.Errorf("the chart there has version %s, which %q does not allow", version, constraint), hint: preReleaseHint(v)}
	}
	return nil
}

// preReleaseHint helps those who wonder why 1.3.0-rc.1 is not ">=1.2.0".
func preReleaseHint(v *semver.Version) string {
	if v.Prerelease() == "" {
		return "change the constraint, or the chart's version"
	}
	return `a pre-release satisfies only constraints that name one: write ">=1.2.0-0" rather than ">=1.2.0"`
}

// sameVersion compares as Helm does: as versions if both are, else as strings.
func sameVersion(a, b string) bool {
	va, err := semver.NewVersion(a)
	if err != nil {
		return a == b
	}
	vb, err := semver.NewVersion(b)
	return err == nil && va.Equal(vb)
}

// noVersion is the error that nothing satisfies a constraint; have are the versions that there are, newest first.
func noVersion(constraint, where string, have []string) error {
	const most = 5
	there := "it has none at all"
	if n := len(have); n > most {
		there = fmt.Sprintf("the newest of its %d are %s", n, strings.Join(have[:most], ", "))
	} else if n > 0 {
		there = "it has " + strings.Join(have, ", ")
	}
	return &fault{kind: KindVersion, field: "version", tried: []string{show(where) + ": " + there},
		err:  fmt.Errorf("no version in %s satisfies %q: %s", show(where), constraint, there),
		hint: "change the constraint, or publish a version that it allows"}
}

// checkFound makes sure that what was found is what was asked for, since Helm would drop a chart of another name or version without a word.
func (s step) checkFound(md *helmchart.Metadata, version, from string) error {
	if md.Name != s.name {
		return &fault{kind: KindArchive, field: "name", tried: []string{from}, err: fmt.Errorf("the chart at %s is named %q", show(from), md.Name)}
	}
	if !sameVersion(md.Version, version) {
		return &fault{kind: KindArchive, field: "version", tried: []string{from}, err: fmt.Errorf("the chart at %s says that it is version %s", show(from), md.Version)}
	}
	if s.declared == nil || !s.locked {
		return nil
	}
	if err := checkConstraint(s.declared.Version, md.Version); err != nil {
		return &fault{kind: KindLock, field: "version", err: fmt.Errorf("the lock has version %s, which %q does not allow", md.Version, s.declared.Version),
			hint: "run `helm dependency update` and commit the lock"}
	}
	return nil
}

// newest sorts versions, the newest first, and drops what is none.
func newest(versions []string) []string {
	var parsed []*semver.Version
	for _, s := range versions {
		if v, err := semver.StrictNewVersion(s); err == nil {
			parsed = append(parsed, v)
		}
	}
	slices.SortStableFunc(parsed, func(a, b *semver.Version) int {
		if c := b.Compare(a); c != 0 {
			return c
		}
		return strings.Compare(b.Original(), a.Original()) // they differ in build metadata alone
	})
	sorted := make([]string, len(parsed))
	for i, v := range parsed {
		sorted[i] = v.String()
	}
	return sorted
}

// digestOf is the digest of a chart's files as they are packaged; "" for a chart that cannot be, which then fails where it is packaged.
func digestOf(g *graph) digest.Digest {
	files, err := archive.FromChart(g.build())
	if err != nil {
		return ""
	}
	return archive.Digest(files)
}
