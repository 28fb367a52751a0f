package main

// The whole program, in process, over the charts under testdata.

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/registry/server"
	"github.com/chartgate/chartgate/test/fixture"
)

// A run over one small repository takes no longer than this, whatever its templates do.
const bound = 90 * time.Second

// neighbour is a chart without a fault, put beside each that has one.
const neighbour = "greeter"

// secret is in a file outside of every fixture, to which one of them links.
const secret = "No report and no archive may ever show this line"

// TestBad runs over each fixture of testdata/charts/bad: what it expects is
// found, nothing else is an error, and the chart beside it is checked as ever.
func TestBad(t *testing.T) {
	for _, dir := range folders(t, "testdata", "charts", "bad") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			expected := fixture.ReadExpected(t, filepath.Join(dir, "expected.txt"))
			root := badRepository(t, dir)
			r, out := validate(t, root, 1)
			compare(t, r, expected)
			healthy(t, r)
			if status := fixture.Git(t, root, "status", "--porcelain"); status != "" {
				t.Errorf("validate wrote into the working tree:\n%s", status)
			}
			out += publishable(t, root, expected)
			if strings.Contains(out, secret) || strings.Contains(readAll(t, filepath.Join(root, ".chartgate")), secret) {
				t.Errorf("a file outside of the repository was shown:\n%s", out)
			}
		})
	}
}

// TestOK runs over each fixture of testdata/charts/ok: all charts are found, and pass.
func TestOK(t *testing.T) {
	for _, dir := range folders(t, "testdata", "charts", "ok") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			fixture.Copy(t, dir, root)
			fixture.Commit(t, root, "feat: charts")
			r, out := validate(t, root, 0)
			if want := len(folders(t, "testdata", "charts", "ok", filepath.Base(dir), "charts")); len(r.Charts) != want || r.Summary.Skipped != 0 {
				t.Errorf("%d charts, %d outcomes skipped; want %d and 0", len(r.Charts), r.Summary.Skipped, want)
			}
			for _, f := range r.Findings {
				if f.Severity == "error" {
					t.Errorf("unexpected: %s", f)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// TestSameBytes runs twice over a repository of many faults, with one job and with
// many: the reports must not differ.
func TestSameBytes(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"required-missing", "yaml-key-duplicates", "privileged-container", "name-differs", "dependency-cycle", "manifest-not-yaml"} {
		fixture.Copy(t, fixture.Path(t, "testdata", "charts", "bad", name, "charts"), filepath.Join(root, "charts"))
	}
	fixture.Commit(t, root, "feat: charts")
	var reports [][]byte
	for _, jobs := range []string{"1", "8", "8"} {
		name := filepath.Join(t.TempDir(), "report.json")
		if code, out := chartgate(t, root, "validate", "--jobs", jobs, "--report", "json="+name); code != 1 {
			t.Fatalf("exit code %d, want 1\n%s", code, out)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, data)
	}
	for _, r := range reports[1:] {
		if !bytes.Equal(reports[0], r) {
			t.Errorf("reports differ:\n%s\n%s", reports[0], r)
		}
	}
}

// badRepository makes a repository of a fixture and the neighbour. What base/ holds
// is on main, and the rest on a branch.
func badRepository(t *testing.T, dir string) string {
	t.Helper()
	parent := t.TempDir()
	root := filepath.Join(parent, "a", "b", "repository")
	// What link-out and dependency-outside lead to is there, so that it is not its absence that is found.
	fixture.Write(t, filepath.Join(parent, "a", "outside.txt"), secret)
	fixture.Copy(t, fixture.Path(t, "testdata", "charts", "ok", "flat"), filepath.Join(parent, "a", "ok", "flat"))
	charts := filepath.Join(root, "charts")
	fixture.Copy(t, fixture.Path(t, "testdata", "charts", "ok", "flat", "charts"), charts)
	base := filepath.Join(dir, "base", "charts")
	if _, err := os.Stat(base); err == nil {
		fixture.Copy(t, base, charts)
		fixture.Commit(t, root, "feat: charts")
		fixture.Git(t, root, "switch", "-q", "-c", "change")
	}
	fixture.Copy(t, filepath.Join(dir, "charts"), charts)
	fixture.Commit(t, root, "feat: a fault")
	return root
}

// validate runs the five checks, and again, failing on warnings too, if it is
// to fail. It returns the report and what was printed.
func validate(t *testing.T, root string, want int) (*fixture.Report, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.json")
	args := []string{"validate", "--report", "json=" + name}
	if want == 1 {
		args = append(args, "--fail-on", "warning")
	}
	began := time.Now()
	code, out := chartgate(t, root, args...)
	if took := time.Since(began); took > bound {
		t.Errorf("took %s", took)
	}
	if code != want {
		t.Fatalf("exit code %d, want %d\n%s", code, want, out)
	}
	return fixture.ReadReport(t, name), out
}

// compare wants each expected finding in the report, and no other error.
func compare(t *testing.T, r *fixture.Report, expected []fixture.Expected) {
	t.Helper()
	used := make([]bool, len(r.Findings))
	for _, e := range expected {
		found := false
		for i, f := range r.Findings {
			if e.Matches(f) {
				used[i], found = true, true
			}
		}
		if !found {
			t.Errorf("missing: %s", e)
		}
	}
	for i, f := range r.Findings {
		if !used[i] && (f.Severity == "error" || f.Severity == "warning" && t.Failed()) {
			t.Errorf("found besides: %s", f)
		}
	}
}

// healthy wants all five checks to have run on the neighbour, and nothing found.
func healthy(t *testing.T, r *fixture.Report) {
	t.Helper()
	path := "charts/" + neighbour
	ran := 0
	for _, o := range r.Outcomes {
		if o.Chart != path {
			continue
		}
		if ran++; o.State != "ran" {
			t.Errorf("%s on the neighbour: %s, %s", o.Check, o.State, o.Reason)
		}
	}
	if ran != 5 {
		t.Errorf("%d checks on the neighbour, want 5", ran)
	}
	for _, f := range r.Findings {
		if f.Chart == path && f.Severity != "info" {
			t.Errorf("on the neighbour: %s", f)
		}
	}
}

// publishable publishes to the embedded registry: the neighbour goes out, and
// no chart in which an error is expected. It returns what was printed.
func publishable(t *testing.T, root string, expected []fixture.Expected) string {
	t.Helper()
	code, out := chartgate(t, root, "publish", "--to", "embedded")
	var faulty []string
	for _, e := range expected {
		if e.Severity == "error" {
			faulty = append(faulty, strings.Split(e.File, "/")[1])
		}
	}
	if want := min(1, len(faulty)); code != want {
		t.Errorf("publish: exit code %d, want %d\n%s", code, want, out)
	}
	s, err := server.New(filepath.Join(root, ".chartgate", "registry"), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	names, err := s.Repositories(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(names, func(n string) bool { return filepath.Base(n) == neighbour }) {
		t.Errorf("the neighbour was not published, only %q\n%s", names, out)
	}
	for _, n := range names {
		if slices.Contains(faulty, filepath.Base(n)) {
			t.Errorf("%s was published\n%s", n, out)
		}
	}
	return out
}

// folders lists the folders in a folder of chartgate's sources.
func folders(t *testing.T, elem ...string) []string {
	t.Helper()
	dir := fixture.Path(t, elem...)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	if len(out) == 0 {
		t.Fatalf("no folders in %s", dir)
	}
	return out
}

// readAll joins the files below a folder.
func readAll(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		b.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// chartgate runs the program in a folder, and returns its exit code and what it printed.
func chartgate(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	var out bytes.Buffer // the program writes to both from one goroutine at a time
	env := fixture.Env(t, "CHARTGATE_CACHE_DIR="+t.TempDir())
	code := run(ctx, args, stdio{In: strings.NewReader(""), Out: &out, Err: &out, Env: fixture.Lookup(env), Dir: dir, Name: "chartgate"})
	return code, out.String()
}
