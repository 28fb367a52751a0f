package finding

import (
	"testing"

	"github.com/chartgate/chartgate/internal/source"
	"github.com/google/go-cmp/cmp"
)

func TestFingerprintSurvivesMovedLines(t *testing.T) {
	before := []Finding{{Check: "c", Rule: "r", File: "a.yaml", Pos: source.Pos{Line: 3}, Message: "template: a.yaml:3:7: bad, line 3", Text: "  key: 1"}}
	after := []Finding{{Check: "c", Rule: "r", File: "a.yaml", Pos: source.Pos{Line: 9}, Message: "template: a.yaml:9:7: bad, line 9", Text: "key: 1"}}
	Fingerprint(before)
	Fingerprint(after)
	if before[0].Fingerprint != after[0].Fingerprint {
		t.Error("a moved line changed the fingerprint")
	}
	other := []Finding{after[0]}
	other[0].Message = "template: a.yaml:9:7: worse"
	Fingerprint(other)
	if other[0].Fingerprint == after[0].Fingerprint {
		t.Error("another message has the same fingerprint")
	}
}

func TestFingerprintsOfEqualFaultsDiffer(t *testing.T) {
	fs := []Finding{{Rule: "trailing-spaces", Pos: source.Pos{Line: 1}}, {Rule: "trailing-spaces", Pos: source.Pos{Line: 2}}}
	Fingerprint(fs)
	if fs[0].Fingerprint == fs[1].Fingerprint {
		t.Error("two faults share a fingerprint")
	}
}

func TestMerge(t *testing.T) {
	a := Finding{Check: "c", Rule: "r", Message: "m", Values: []string{"ha"}}
	b := a
	b.Values = []string{"defaults"}
	other := a
	other.Message = "n"
	got := Merge([]Finding{a, other, b, a})
	want := a
	want.Values = []string{"defaults", "ha"}
	if diff := cmp.Diff([]Finding{want, other}, got); diff != "" {
		t.Error(diff)
	}
	if a.Values[0] != "ha" {
		t.Error("Merge changed its input")
	}
}

func TestPolicy(t *testing.T) {
	fs := []Finding{
		{Check: "kubesec", Rule: "A", Severity: Error},
		{Check: "kubesec", Rule: "B", Severity: Error},
		{Check: "yaml-lint", Rule: "truthy", Severity: Warning},
	}
	got := Policy{"kubesec": Off, "kubesec/B": Info, "yaml-lint/truthy": Error}.Apply(fs)
	want := []Finding{{Check: "kubesec", Rule: "B", Severity: Info}, {Check: "yaml-lint", Rule: "truthy", Severity: Error}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if fs[0].Severity != Error {
		t.Error("Apply changed its input")
	}
}

func TestSortDoesNotDependOnOrder(t *testing.T) {
	a := Finding{Chart: "charts/a", File: "x", Pos: source.Pos{Line: 2}}
	b := Finding{Chart: "charts/a", File: "x", Pos: source.Pos{Line: 10}}
	c := Finding{Chart: "charts/b"}
	one, two := []Finding{c, b, a}, []Finding{b, a, c}
	Sort(one)
	Sort(two)
	if diff := cmp.Diff(one, two); diff != "" || one[0].Line != 2 || one[2].Chart != "charts/b" {
		t.Error(diff, one)
	}
}

func TestParseSeverity(t *testing.T) {
	for _, s := range []Severity{Off, Info, Warning, Error} {
		if got, err := ParseSeverity(s.String()); got != s || err != nil {
			t.Errorf("ParseSeverity(%q) = %v, %v", s, got, err)
		}
	}
	if _, err := ParseSeverity("fatal"); err == nil {
		t.Error("unknown severity accepted")
	}
}
