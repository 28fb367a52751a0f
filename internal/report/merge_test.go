package report

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/google/go-cmp/cmp"
)

var tool = Tool{"chartgate", "1.2.3"}

// whole is a report over n charts, sorted as a run sorts it.
func whole(n int, random *rand.Rand) *Report {
	r := &Report{Tool: tool, FailOn: finding.Error}
	messages := []string{"plain", "two\nlines", "<b> & \u2028", "not \xff\xfe UTF-8", "\x1b[31m", ""}
	for i := range n {
		path := fmt.Sprintf("charts/c%03d", i)
		r.Charts = append(r.Charts, Chart{Name: path[7:], Path: path, Version: "1.0.0", Package: "sha256:00",
			Dependencies: []Dependency{{Name: "common", Version: "1.0.0", Repository: "oci://r/\xff", Origin: "oci"}}[:random.IntN(2)]})
		for _, check := range []string{"lint-and-test", "kubesec"} {
			state := []string{Ran, Skipped, Ran}[random.IntN(3)]
			r.Outcomes = append(r.Outcomes, Outcome{path, check, state, messages[random.IntN(len(messages))]})
			for range random.IntN(4) {
				f := finding.Finding{Check: check, Rule: "rule", Severity: finding.Severity(1 + random.IntN(3)), Chart: path, Message: messages[random.IntN(len(messages))],
					File: path + "/values.yaml", Pos: source.Pos{Line: random.IntN(3), Column: random.IntN(3)}, Object: "Pod/x", Hint: messages[random.IntN(len(messages))]}
				if random.IntN(2) == 0 {
					f.Values = []string{"ci/\xff", "defaults"}
				}
				r.Findings = append(r.Findings, f)
			}
		}
	}
	finding.Sort(r.Findings)
	finding.Fingerprint(r.Findings)
	return r
}

// cut makes the reports that n shards would have written, as bytes.
func cut(t testing.TB, r *Report, n int, random *rand.Rand) [][]byte {
	t.Helper()
	at := map[string]int{}
	var plan []Planned
	for _, c := range r.Charts {
		at[c.Path] = 1 + random.IntN(n)
		plan = append(plan, Planned{c.Path, "sha256:" + c.Name, at[c.Path]})
	}
	var out [][]byte
	for i := 1; i <= n; i++ {
		part := &Report{Tool: r.Tool, FailOn: r.FailOn, Shard: &Shard{Index: i, Total: n, Checks: []string{"lint-and-test", "kubesec"}, Settings: "sha256:11", Plan: plan,
			Seconds: map[string]float64{}}}
		for _, c := range r.Charts {
			if at[c.Path] == i {
				part.Charts = append(part.Charts, c)
				part.Shard.Seconds[c.Path] = 0.125
			}
		}
		for _, o := range r.Outcomes {
			if at[o.Chart] == i {
				part.Outcomes = append(part.Outcomes, o)
			}
		}
		for _, f := range r.Findings {
			if at[f.Chart] == i {
				part.Findings = append(part.Findings, f)
			}
		}
		out = append(out, written(t, part.Clean()))
	}
	return out
}

func written(t testing.TB, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parts(t testing.TB, reports [][]byte) []Part {
	t.Helper()
	var out []Part
	for i, data := range reports {
		r, err := ReadShard(bytes.NewReader(data), tool)
		if err != nil {
			t.Fatalf("shard %d: %v", i+1, err)
		}
		out = append(out, Part{fmt.Sprintf("%d.json", i+1), r})
	}
	return out
}

// TestMergeIsWhole cuts reports at random: what is merged is byte for byte, in every
// format, what one run writes.
func TestMergeIsWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		r := whole(random.IntN(30), random)
		in := parts(t, cut(t, r, 1+random.IntN(6), random))
		random.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		merged, err := Merge(in)
		if err != nil {
			t.Fatal(err)
		}
		if len(Seconds(in)) != len(r.Charts) {
			t.Errorf("durations of %d of %d charts", len(Seconds(in)), len(r.Charts))
		}
		r.Clean()
		for _, f := range Formats() {
			var want, got bytes.Buffer
			if err := errors.Join(f.Write(&want, r), f.Write(&got, merged)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Fatalf("%s: %s", f.Name, diff)
			}
		}
		if merged.Passed() != r.Passed() {
			t.Error("another verdict")
		}
	}
}

// TestReadShardRefusesEdits changes each byte of a report in turn.
func TestReadShardRefusesEdits(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	data := cut(t, whole(1, random), 1, random)[0]
	for i := range data {
		edited := bytes.Clone(data)
		edited[i] ^= 1
		if _, err := ReadShard(bytes.NewReader(edited), tool); err == nil {
			t.Fatalf("took byte %d of %.20q as %q", i, data[max(0, i-10):], edited[i])
		}
		if _, err := ReadShard(bytes.NewReader(data[:i]), tool); err == nil {
			t.Fatalf("took the first %d bytes", i)
		}
	}
	for _, more := range []string{"\n", " ", "{}", string(data)} {
		if _, err := ReadShard(strings.NewReader(string(data)+more), tool); err == nil {
			t.Errorf("took it with %.10q behind it", more)
		}
	}
}

// TestMergeRefuses seals reports that do not belong together anew, as a
// program that writes them could.
func TestMergeRefuses(t *testing.T) {
	tests := []struct {
		name, want string
		change     func([]Part) []Part
	}{
		{"missing", "the report of shard 2 of 3 is missing", func(p []Part) []Part { return []Part{p[0], p[2]} }},
		{"two missing", "the reports of shards 1, 2 of 3 are missing", func(p []Part) []Part { return p[2:] }},
		{"twice", "the report of shard 1/3, as 1.json is", func(p []Part) []Part { return append(p, p[0]) }},
		{"other number", "the number of shards", func(p []Part) []Part { p[1].Shard.Total = 4; return p }},
		{"other checks", "differ in the checks", func(p []Part) []Part {
			p[1].Shard.Checks = []string{}
			p[1].Outcomes, p[1].Findings = nil, nil
			return p
		}},
		{"other settings", "differ in the configuration", func(p []Part) []Part { p[1].Shard.Settings = "x"; return p }},
		{"other policy", "differ in the configuration", func(p []Part) []Part { p[1].FailOn = finding.Warning; return p }},
		{"other durations", "differ in the durations", func(p []Part) []Part { p[1].Shard.Durations = "x"; return p }},
		{"other files", "differ in the files of charts/c000", func(p []Part) []Part { p[1].Shard.Plan[0].Tree = "x"; return p }},
		{"other charts", "differ in the charts (10 and 11)", func(p []Part) []Part {
			p[1].Shard.Plan = append(p[1].Shard.Plan, Planned{"charts/z", "x", 1})
			return p
		}},
		{"no such shard", "there is no shard 4/3", func(p []Part) []Part { p[1].Shard.Index = 4; return p }},
		{"plan unsorted", "its plan is not one", func(p []Part) []Part { pl := p[1].Shard.Plan; pl[0], pl[1] = pl[1], pl[0]; return p }},
		{"plan of no shard", "its plan is not one", func(p []Part) []Part { p[1].Shard.Plan[0].Shard = 9; return p }},
		{"chart lacking", "does not hold the", func(p []Part) []Part { p[0].Charts = p[0].Charts[1:]; return p }},
		{"outcome lacking", "the outcome of every check", func(p []Part) []Part { p[0].Outcomes = p[0].Outcomes[1:]; return p }},
		{"finding of another's", "not in its shard", func(p []Part) []Part {
			p[0].Findings = append(p[0].Findings, finding.Finding{Check: "kubesec", Chart: p[1].Charts[0].Path})
			return p
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, 6))
			_, err := Merge(tt.change(parts(t, cut(t, whole(10, random), 3, random))))
			var refused *MergeError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) || refused.Hint == "" {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Merge(nil); err == nil {
		t.Error("merged nothing")
	}
}

func TestReadShardKinds(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	one := whole(2, random)
	older := *one
	older.Tool.Version = "1.0.0"
	for want, data := range map[string][]byte{
		"the report of a whole run":               written(t, one.Clean()),
		"written by chartgate 1.0.0, and this is": cut(t, &older, 1, random)[0],
		"not a JSON report of chartgate":          []byte(`{"schema": 2}`),
		"was it cut short or edited":              []byte(`{"schema": 1, "tool": {"name": "chartgate", "version": "1.2.3"}, "shard": {}}`),
		"not as chartgate writes it":              []byte(`<?xml`),
	} {
		if _, err := ReadShard(bytes.NewReader(data), tool); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestBroken(t *testing.T) {
	r := &Report{Outcomes: []Outcome{{"charts/web", "kubesec", Failed, "panic: no\nstack"}, {"charts/web", "yaml-lint", Ran, ""}}}
	if err := r.Broken(); err == nil || err.Error() != "kubesec on charts/web: panic: no" {
		t.Errorf("got %v", err)
	}
	if err := example().Broken(); err != nil {
		t.Error(err)
	}
}

// FuzzReadShard asserts that what is taken for a report writes the same bytes, and
// that merging it never panics.
func FuzzReadShard(f *testing.F) {
	random := rand.New(rand.NewPCG(9, 10))
	for _, data := range cut(f, whole(3, random), 2, random) {
		f.Add(data)
	}
	f.Add([]byte(`{"schema":1,"tool":{"name":"chartgate","version":"1.2.3"},"shard":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadShard(bytes.NewReader(data), tool)
		if err != nil {
			return
		}
		if !bytes.Equal(written(t, r), data) {
			t.Error("it writes something else")
		}
		_, _ = Merge([]Part{{"x", r}})
	})
}
