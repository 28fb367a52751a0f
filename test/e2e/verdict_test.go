//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// verdict is what helm says of one chart.
type verdict struct {
	chart string
	step  string // the command that failed; "" when none did
	log   string // its last lines
}

func helmVerdict(t *testing.T, s sandbox, helm, source string, flags ...string) verdict {
	t.Helper()
	return s.helmInPlace(t, helm, helmCopy(t, s, source), flags...)
}

// helmInPlace asks helm about a chart in a folder that helm may write into.
func (s sandbox) helmInPlace(t *testing.T, helm, dir string, flags ...string) verdict {
	t.Helper()
	fetch := "update"
	if _, err := os.Stat(filepath.Join(dir, "Chart.lock")); err == nil {
		fetch = "build"
	}
	steps := [][]string{append([]string{"dependency", fetch, dir}, flags...), {"lint", dir}}
	if !isLibrary(t, dir) {
		for _, set := range valuesSets(t, dir) {
			steps = append(steps, append([]string{"template", dir}, set...), append([]string{"lint", dir}, set...))
		}
	}
	for _, args := range steps {
		if r := s.run(t, helm, args...); r.code != 0 {
			return verdict{step: "helm " + strings.Join(args, " "), log: "\n    " + lastLines(r.all(), 6)}
		}
	}
	return verdict{}
}

// valuesSets are the flags for each way in which a chart is tested: its ci/ values, its
// bare defaults where it has none, and each organisation's.
func valuesSets(t *testing.T, dir string) [][]string {
	t.Helper()
	ci, err := filepath.Glob(filepath.Join(dir, "ci", "*-values.yaml"))
	if err != nil {
		t.Error(err)
	}
	var sets [][]string
	if len(ci) == 0 {
		sets = append(sets, nil)
	}
	root := strings.TrimSuffix(dir, string(filepath.Separator)+"Chart")
	orgs, err := filepath.Glob(filepath.Join(root, "orgs", "*", "values.yaml"))
	if err != nil {
		t.Error(err)
	}
	for _, file := range append(ci, orgs...) {
		sets = append(sets, []string{"-f", file})
	}
	return sets
}

// helmCopy copies a chart to where helm may write into its charts/, with its
// neighbours if file:// leads to them.
func helmCopy(t *testing.T, s sandbox, source string) string {
	t.Helper()
	manifest, _ := os.ReadFile(filepath.Join(source, "Chart.yaml"))
	if !bytes.Contains(manifest, []byte("file://")) {
		dir := filepath.Join(s.dir, filepath.Base(source))
		fixture.Copy(t, source, dir)
		return dir
	}
	at := strings.LastIndex(source, string(filepath.Separator)+"charts"+string(filepath.Separator))
	fixture.Copy(t, filepath.Join(source[:at], "charts"), filepath.Join(s.dir, "charts"))
	return s.dir + source[at:]
}

// installErrors lists, by the name of their chart's folder, the errors that helm would stop at too.
func installErrors(r *fixture.Report) map[string][]string {
	rules := []string{"chart-schema/values", "chart-schema/values-schema", "chart-schema/schema-reference"}
	out := map[string][]string{}
	for _, f := range r.Findings {
		if f.Severity == "error" && (f.Check == "lint-and-test" || slices.Contains(rules, f.Check+"/"+f.Rule)) {
			name := strings.Split(f.Chart, "/")[1]
			out[name] = append(out[name], f.String())
		}
	}
	return out
}

func orPass(s string) string {
	if s == "" {
		return "passes"
	}
	return s
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n    ")
}
