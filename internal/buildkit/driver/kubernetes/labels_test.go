package kubernetes

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

var dnsLabel = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

func TestBuilderName(t *testing.T) {
	for _, c := range []struct {
		org       string
		protected bool
		want      string
	}{
		{"acme", false, "buildkit-acme"},
		{"acme", true, "buildkit-acme-protected"},
		{"7-eleven", false, "buildkit-7-eleven"},
		{"Acme", false, "buildkit-acme-37036cd8f9"},
		{"a.b", true, "buildkit-a-b-2e7336dc8e-protected"},
		{"", false, "buildkit-e3b0c44298"},
		{"acme-protected", false, "buildkit-acme-protected-5601e835b8"},
		{strings.Repeat("o", 31), false, "buildkit-" + strings.Repeat("o", 31)},
		{strings.Repeat("o", 32), false, "buildkit-" + strings.Repeat("o", 20) + "-b7bca7371b"},
	} {
		if got := BuilderName(c.org, c.protected); got != c.want {
			t.Errorf("%q, %v: %s, want %s", c.org, c.protected, got, c.want)
		}
	}
}

// TestBuilderNamesNeverMeet crosses organisations that were chosen to be alike.
func TestBuilderNamesNeverMeet(t *testing.T) {
	orgs := []string{"", "-", "--", "a", "A", "a-", "-a", "a.b", "a-b", "a--b", "a_b", "ä", "ö", "protected", "a-protected", "A-protected",
		"a-protected-protected", "e3b0c44298", "a-e3b0c44298", strings.Repeat("a", 31), strings.Repeat("a", 32), strings.Repeat("a", 4000),
		"group/sub", "group-sub", "group sub", "日本", "日本語"}
	for _, org := range orgs { // and what their names would be taken for
		orgs = append(orgs, strings.TrimPrefix(BuilderName(org, false), "buildkit-"), strings.TrimPrefix(BuilderName(org, true), "buildkit-"))
	}
	type owner struct {
		org       string
		protected bool
	}
	names, values := map[string]owner{}, map[string]string{}
	for _, org := range orgs {
		for _, protected := range []bool{false, true} {
			name := BuilderName(org, protected)
			if len(name) > maxName || !dnsLabel.MatchString(name) {
				t.Errorf("%.50q: %q is no name", org, name)
			}
			if other, taken := names[name]; taken && other != (owner{org, protected}) {
				t.Errorf("%.50q (%v) and %.50q (%v) share %s", org, protected, other.org, other.protected, name)
			}
			names[name] = owner{org, protected}
		}
		value := LabelValue(org)
		if len(value) > 63 || !regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`).MatchString(value) {
			t.Errorf("%.50q: %q is no label's value", org, value)
		}
		if other, taken := values[value]; taken && other != org {
			t.Errorf("%.50q and %.50q share the value %s", org, other, value)
		}
		values[value] = org
	}
}

func TestOurs(t *testing.T) {
	ours := Labels("buildkit-acme", "acme", true)
	if !IsOurs(ours) || ours[LabelOrg] != "acme" || ours[LabelProtected] != "true" {
		t.Error(ours)
	}
	for _, key := range []string{LabelManagedBy, LabelName, LabelBuilder} {
		other := Labels("buildkit-acme", "acme", true)
		delete(other, key)
		if IsOurs(other) {
			t.Errorf("ours without %s", key)
		}
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 1, 500, time.FixedZone("", 3600))
	if text := FormatTime(at); text != "2026-11-22T06:00:01Z" || !ParseTime(text).Equal(at.Truncate(time.Second)) {
		t.Error(text)
	}
	if !ParseTime("yesterday").IsZero() {
		t.Error("no zero time")
	}
}
