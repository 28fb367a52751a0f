//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// upstream is where our charts' dependencies come from.
const upstream = "oci://registry-1.docker.io/bitnamicharts"

// okRepository makes one repository of all charts that pass, and returns the
// folders of their Chart.yaml by name.
func okRepository(t testing.TB, root string) map[string]string {
	t.Helper()
	ok := fixture.Path(t, "testdata", "charts", "ok")
	for _, dir := range subfolders(t, ok) {
		fixture.Copy(t, filepath.Join(ok, dir, "charts"), filepath.Join(root, "charts"))
	}
	fixture.Commit(t, root, "feat: charts")
	return chartsOf(t, root)
}

// ourRepository makes a repository of the platform's own charts.
func ourRepository(t testing.TB, root string) map[string]string {
	t.Helper()
	fixture.Copy(t, fixture.Path(t, "charts"), filepath.Join(root, "charts"))
	for _, name := range []string{"chartgate.yaml", ".yamllint"} {
		if data, err := os.ReadFile(fixture.Path(t, name)); err == nil {
			fixture.Write(t, filepath.Join(root, name), string(data))
		}
	}
	fixture.Commit(t, root, "feat: charts")
	return chartsOf(t, root)
}

// chartsOf finds the charts below charts/, in both layouts, by the name of their folder.
func chartsOf(t testing.TB, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range subfolders(t, filepath.Join(root, "charts")) {
		for _, dir := range []string{filepath.Join("charts", name, "Chart"), filepath.Join("charts", name)} {
			if _, err := os.Stat(filepath.Join(root, dir, "Chart.yaml")); err == nil {
				out[name] = dir
				break
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("no charts below %s", root)
	}
	return out
}

func subfolders(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

// field reads a top-level field of a Chart.yaml, "" if it is not there.
func field(t testing.TB, dir, key string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "Chart.yaml"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(data), "\n") {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

func isLibrary(t testing.TB, dir string) bool { return field(t, dir, "type") == "library" }
