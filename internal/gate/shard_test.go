package gate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseShard(t *testing.T) {
	if s, err := ParseShard("2/5"); err != nil || s != (Shard{2, 5}) {
		t.Errorf("%v, %v", s, err)
	}
	for _, bad := range []string{"", "1", "/", "0/2", "3/2", "-1/2", "1/0", "1/10001", "a/b", "1/2/3", "99999999999999999999/2", "1 /2"} {
		if s, err := ParseShard(bad); err == nil {
			t.Errorf("%q is %v", bad, s)
		}
	}
}

func chartPaths(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("charts/chart-%03d", i))
	}
	return out
}

func TestCutByHashDoesNotMove(t *testing.T) {
	// Runners of different versions of a pipeline's image would disagree if this changed.
	shards, balanced := cutCharts([]string{"charts/api", "charts/common", "charts/web"}, nil, 3)
	if balanced || fmt.Sprint(shards) != "map[charts/api:1 charts/common:3 charts/web:1]" {
		t.Errorf("%v", shards)
	}
}

func TestCutBalances(t *testing.T) {
	paths := chartPaths(117)
	known := Durations{}
	total := 0.0
	for i, p := range paths[:100] {
		known[p] = float64(1+i%13) / 10
		total += known[p]
	}
	shards, balanced := cutCharts(paths, known, 5)
	if !balanced {
		t.Fatal("not balanced")
	}
	mean, _ := known.usual(paths)
	load := map[int]float64{}
	for _, p := range paths {
		d, ok := known[p]
		if !ok {
			d = mean
		}
		load[shards[p]] += d
	}
	for i, l := range load {
		if want := (total + 17*mean) / 5; l < want-1.3 || l > want+1.3 {
			t.Errorf("shard %d has %.1f s to do, and %.1f s would be its share", i, l, want)
		}
	}
}

func TestCutOfNoTimeSpreads(t *testing.T) {
	known := Durations{"charts/chart-000": 0}
	shards, _ := cutCharts(chartPaths(10), known, 5)
	count := map[int]int{}
	for _, s := range shards {
		count[s]++
	}
	for i := 1; i <= 5; i++ {
		if count[i] != 2 {
			t.Errorf("%v", count)
		}
	}
}

// FuzzCut asserts what every cut must be: each chart in one shard that exists,
// the same whatever the order of the charts.
func FuzzCut(f *testing.F) {
	f.Add("charts/a charts/b charts/c", uint16(2), uint64(1), true)
	f.Add("a", uint16(10000), uint64(2), false)
	f.Add("", uint16(1), uint64(3), true)
	f.Fuzz(func(t *testing.T, names string, n uint16, seed uint64, timed bool) {
		total := max(1, int(n)%64)
		paths := strings.Fields(names)
		slices.Sort(paths)
		paths = slices.Compact(paths)
		random := rand.New(rand.NewPCG(seed, 1))
		known := Durations{}
		for _, p := range paths {
			if timed && random.IntN(3) > 0 {
				known[p] = random.Float64() * 100
			}
		}
		first, _ := cutCharts(paths, known, total)
		if len(first) != len(paths) {
			t.Fatalf("%d of %d charts", len(first), len(paths))
		}
		for p, s := range first {
			if s < 1 || s > total {
				t.Fatalf("%q is in shard %d of %d", p, s, total)
			}
		}
		random.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		again, _ := cutCharts(paths, known, total)
		for p, s := range first {
			if again[p] != s {
				t.Fatalf("%q is in shard %d, and in %d in another order", p, s, again[p])
			}
		}
	})
}

func TestDurations(t *testing.T) {
	d := Durations{}
	d.Set("charts/web", 1234567*time.Microsecond)
	d.Set("charts/api", 0)
	var out bytes.Buffer
	if err := WriteDurations(&out, d); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"schema\": 1,\n  \"seconds\": {\n    \"charts/api\": 0,\n    \"charts/web\": 1.235\n  }\n}\n"; out.String() != want {
		t.Errorf("got %s", out.String())
	}
	back, err := ReadDurations(&out)
	if err != nil || back.Digest() != d.Digest() {
		t.Errorf("%v, %v", back, err)
	}
	back["charts/new"] = 1
	if back.Digest() == d.Digest() {
		t.Error("other durations have the same digest")
	}
}

func FuzzReadDurations(f *testing.F) {
	for _, s := range []string{`{"schema":1,"seconds":{"a":1}}`, `{"schema":2}`, `{"schema":1,"seconds":{"a":-1}}`, `{"schema":1,"seconds":{"a":1e99}}`, `{"schema":1} {}`, `[]`, ``, `{"schema":1,"more":1}`, `{"schema":1,"seconds":null}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ReadDurations(strings.NewReader(s))
		if err != nil {
			return
		}
		for p, v := range d {
			if v < 0 || v > maxSeconds {
				t.Errorf("%q took %v", p, v)
			}
		}
		var out bytes.Buffer
		if err := WriteDurations(&out, d); err != nil {
			t.Fatal(err)
		}
		if back, err := ReadDurations(&out); err != nil || back.Digest() != d.Digest() {
			t.Errorf("%v, %v", back, err)
		}
	})
}

func TestReadDurationsRefuses(t *testing.T) {
	for _, s := range []string{`{"schema":2}`, `{"schema":1,"seconds":{"a":-1}}`, `{"schema":1,"seconds":{"a":1e7}}`, `{"schema":1} {}`, `[]`, ``, `{"schema":1,"more":1}`, "{" + strings.Repeat(" ", maxDurations)} {
		if _, err := ReadDurations(strings.NewReader(s)); err == nil {
			t.Errorf("took %.40q", s)
		}
	}
}
