//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
	"sigs.k8s.io/yaml"
)

// upstreamMirror lets the stand-ins of the tree answer for the registry.
func upstreamMirror(t testing.TB) string {
	return upstream + "=" + fixture.Path(t, "testdata", "upstream", "bitnamicharts")
}

// renders counts what became of the comparisons.
type renders struct{ same, random, refused, lacking atomic.Int64 }

// TestRender compares `chartgate render` with `helm template`, for every chart of
// the tree and of the folders that CORPUS names, with its bare defaults and
// with each of its values sets. Only what differs between two runs of helm may
// differ. Helm gets a copy whose charts/ is complete; chartgate gets the chart as it
// stands, so that it has to resolve what is lacking.
func TestRender(t *testing.T) {
	helm, own := program(t, "HELM", "helm"), binary(t)
	var n renders
	t.Run("charts", func(t *testing.T) {
		for _, dir := range renderedCharts(t) {
			t.Run(nameOf(dir), func(t *testing.T) {
				t.Parallel()
				s := newSandbox(t)
				complete := completeCopy(t, s, helm, dir)
				for _, set := range append([][]string{nil}, valuesSets(t, dir)...) {
					args := append([]string{"--include-crds"}, set...)
					ours := append([]string{"render", "rel", dir, "--mirror", upstreamMirror(t)}, args...)
					n.compare(t, s, func() result { return s.run(t, helm, append([]string{"template", "rel", complete}, args...)...) }, s.run(t, own, ours...))
				}
			})
		}
	})
	t.Logf("%d outputs are the same bytes, %d differ where two runs of helm do, both refuse %d; %d charts lack dependencies that nothing here has",
		n.same.Load(), n.random.Load(), n.refused.Load(), n.lacking.Load())
	if n.same.Load() == 0 {
		t.Error("nothing was the same")
	}
}

// renderedCharts are the folders of Chart.yaml of all charts to compare.
func renderedCharts(t *testing.T) []string {
	t.Helper()
	patterns := []string{
		fixture.Path(t, "charts", "*"), fixture.Path(t, "testdata", "charts", "ok", "*", "charts", "*"),
		fixture.Path(t, "testdata", "upstream", "bitnamicharts", "*"), fixture.Path(t, "internal", "render", "testdata", "charts", "*"),
	}
	for _, dir := range filepath.SplitList(os.Getenv("CORPUS")) {
		patterns = append(patterns, filepath.Join(dir, "*"))
	}
	var out []string
	for _, pattern := range patterns {
		before := len(out)
		for _, file := range []string{"Chart.yaml", filepath.Join("Chart", "Chart.yaml")} {
			found, err := filepath.Glob(filepath.Join(pattern, file))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				out = append(out, filepath.Dir(f))
			}
		}
		if len(out) == before {
			t.Fatalf("no charts at %s", pattern)
		}
	}
	return out
}

// nameOf is the last part of a chart's path that is not the house layout's.
func nameOf(dir string) string {
	if filepath.Base(dir) == "Chart" {
		dir = filepath.Dir(dir)
	}
	return filepath.Base(dir)
}

// completeCopy is the chart itself where charts/ has all that Chart.yaml names, else
// a copy in which it has: stand-ins are put there, neighbours are built in by helm.
func completeCopy(t *testing.T, s sandbox, helm, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "Chart.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var md struct {
		Dependencies []struct{ Name, Repository string }
	}
	if err := yaml.Unmarshal(data, &md); err != nil {
		return dir // for both to complain of
	}
	neighbours := false
	copied := dir
	for _, d := range md.Dependencies {
		if _, err := os.Stat(filepath.Join(dir, "charts", d.Name)); err == nil {
			continue
		}
		standIn := fixture.Path(t, "testdata", "upstream", "bitnamicharts", d.Name)
		_, err := os.Stat(standIn)
		switch {
		case strings.HasPrefix(d.Repository, "file://"):
			neighbours = true
		case err == nil && d.Repository == upstream:
			if copied == dir {
				copied = helmCopy(t, s, dir)
			}
			fixture.Copy(t, standIn, filepath.Join(copied, "charts", d.Name))
		}
	}
	if neighbours {
		copied = helmCopy(t, s, dir)
		fetch := "update"
		if _, err := os.Stat(filepath.Join(dir, "Chart.lock")); err == nil {
			fetch = "build"
		}
		s.run(t, helm, "dependency", fetch, copied)
	}
	return copied
}

// compare judges one call of both. helm is called again where what it prints is
// not what chartgate does.
func (n *renders) compare(t *testing.T, s sandbox, helm func() result, ours result) {
	t.Helper()
	first := helm()
	switch {
	case first.code != 0 && strings.Contains(first.stderr, "missing in charts/ directory"):
		n.lacking.Add(1)
	case first.code != ours.code:
		t.Errorf("exit code %d, helm's %d\nchartgate: %s\nhelm: %s", ours.code, first.code, ours.stderr, first.stderr)
	case first.code != 0:
		n.refused.Add(1)
		sameComplaint(t, first, ours)
	case first.stdout == ours.stdout:
		n.same.Add(1)
	default:
		n.random.Add(1)
		differ(t, first.stdout, helm().stdout, ours.stdout)
	}
}

// sameComplaint wants helm's words, after which chartgate may have more to say.
// Helm validates against schemas in the order of a map.
func sameComplaint(t *testing.T, helm, ours result) {
	t.Helper()
	_, words, _ := strings.Cut(helm.stderr, "Error: ")
	words, _, _ = strings.Cut(words, "\nhelm.go:") // where --debug shows the stack
	words, _, _ = strings.Cut(words, "\n\nUsage:")
	words = strings.TrimRight(strings.ReplaceAll(words, `"helm template"`, `"chartgate render"`), "\n")
	_, own, found := strings.Cut(ours.stderr, "Error: ")
	if strings.Contains(words, "values don't meet") {
		words, own = sortedLines(words), sortedLines(strings.TrimRight(own, "\n"))
	}
	if !found || !strings.HasPrefix(own, words) {
		t.Errorf("chartgate says:\n%s\nhelm says:\n%s", ours.stderr, helm.stderr)
	}
}

func sortedLines(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// differ reports the lines that are not helm's, but for those in which two
// runs of helm differ: these have the same key.
func differ(t *testing.T, first, second, ours string) {
	t.Helper()
	a, b, o := strings.Split(first, "\n"), strings.Split(second, "\n"), strings.Split(ours, "\n")
	if len(a) != len(o) || len(a) != len(b) {
		t.Errorf("%d lines, two runs of helm print %d and %d: %s", len(o), len(a), len(b), firstDifference(a, o))
		return
	}
	var found bytes.Buffer
	for i := range a {
		key := a[i][:strings.IndexByte(a[i], ':')+1] // "" where there is none
		random := a[i] != b[i] && strings.HasPrefix(b[i], key) && strings.HasPrefix(o[i], key)
		if a[i] != o[i] && !random {
			fmt.Fprintf(&found, "\n%d\n  helm: %.300q\n  ours: %.300q", i+1, a[i], o[i])
		}
	}
	if found.Len() > 0 {
		t.Errorf("lines differ:%s", found.String())
	}
}

func firstDifference(a, o []string) string {
	for i := range min(len(a), len(o)) {
		if a[i] != o[i] {
			return fmt.Sprintf("from line %d: helm %.300q, chartgate %.300q", i+1, a[i], o[i])
		}
	}
	return "one is the beginning of the other"
}
