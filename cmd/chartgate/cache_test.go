package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/test/fixture"
)

// formats are the reports that a cached run must write as a fresh one does.
var formats = []string{"json", "junit", "codequality", "text"}

// outcome is all that a run says.
type outcome struct {
	code    int
	out     string
	reports [][]byte
}

// outcomeOf runs validate with a cache folder and returns what it says.
func outcomeOf(t *testing.T, root, cache string, args ...string) outcome {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"validate", "--verbose"}, args...)
	for _, f := range formats {
		args = append(args, "--report", f+"="+filepath.Join(dir, f))
	}
	var o outcome
	o.code, o.out = chartgateEnv(t, root, []string{"CHARTGATE_CACHE_DIR=" + cache}, args...)
	for _, f := range formats {
		data, _ := os.ReadFile(filepath.Join(dir, f)) // a run that fails writes none
		o.reports = append(o.reports, data)
	}
	return o
}

// chartgateEnv runs the program with variables of its own.
func chartgateEnv(t *testing.T, dir string, extra []string, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	var out bytes.Buffer
	env := fixture.Env(t, extra...)
	code := run(ctx, args, stdio{In: strings.NewReader(""), Out: &out, Err: &out, Env: fixture.Lookup(env), Dir: dir, Name: "chartgate"})
	return code, out.String()
}

// same wants two runs to say the same.
func (o outcome) same(t *testing.T, what string, fresh outcome) {
	t.Helper()
	if o.code != fresh.code || o.out != fresh.out {
		t.Errorf("%s: exit code %d, want %d; printed\n%s\nwant\n%s", what, o.code, fresh.code, o.out, fresh.out)
	}
	for i, f := range formats {
		if !bytes.Equal(o.reports[i], fresh.reports[i]) {
			t.Errorf("%s: the %s report is\n%s\nwant\n%s", what, f, o.reports[i], fresh.reports[i])
		}
	}
}

// TestCachedIsFresh runs over every fixture afresh, then into an empty cache, then out of
// it: all that is said must be the same.
func TestCachedIsFresh(t *testing.T) {
	roots := map[string]string{}
	for _, dir := range folders(t, "testdata", "charts", "bad") {
		roots["bad/"+filepath.Base(dir)] = badRepository(t, dir)
	}
	for _, dir := range folders(t, "testdata", "charts", "ok") {
		root := t.TempDir()
		fixture.Copy(t, dir, root)
		fixture.Commit(t, root, "feat: charts")
		roots["ok/"+filepath.Base(dir)] = root
	}
	time.Sleep(2100 * time.Millisecond) // what is younger than two seconds is always read
	for name, root := range roots {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := t.TempDir()
			fresh := outcomeOf(t, root, t.TempDir(), "--no-result-cache")
			outcomeOf(t, root, cache).same(t, "into the cache", fresh)
			outcomeOf(t, root, cache).same(t, "out of the cache", fresh)
		})
	}
}

// TestCachedEdits changes one thing after another in a repository: what a run with a cache
// says is what one without says.
func TestCachedEdits(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"ok/house", "ok/subcharts", "ok/library", "ok/ci-values", "bad/required-missing", "bad/yaml-key-duplicates"} {
		fixture.Copy(t, fixture.Path(t, "testdata", "charts", filepath.FromSlash(name), "charts"), filepath.Join(root, "charts"))
	}
	fixture.Commit(t, root, "feat: charts")
	cache := t.TempDir()
	random := rand.New(rand.NewPCG(5, 117))
	for i := range 16 {
		what := edit(t, random, root)
		fresh := outcomeOf(t, root, t.TempDir(), "--no-result-cache")
		outcomeOf(t, root, cache).same(t, fmt.Sprintf("edit %d, %s", i, what), fresh)
		outcomeOf(t, root, cache).same(t, fmt.Sprintf("edit %d again, %s", i, what), fresh)
	}
}

// edit changes one file below charts/, or a configuration.
func edit(t *testing.T, random *rand.Rand, root string) string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(filepath.Join(root, "charts"), func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, name)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	name := files[random.IntN(len(files))]
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	shown, _ := filepath.Rel(root, name)
	write := func(what, name string, data []byte) string {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return what + " " + shown
	}
	switch random.IntN(7) {
	case 0:
		return write("a line before all others of", name, append([]byte("# first\n"), data...)) // every finding moves
	case 1:
		return write("a key twice in", name, append(data, "\ntwice: 1\ntwice: 2\n"...))
	case 2:
		if err := os.Chmod(name, 0o755); err != nil {
			t.Fatal(err)
		}
		return "executable " + shown
	case 3:
		return write("a file beside", filepath.Join(filepath.Dir(name), "beside.yaml"), []byte("a:  1\n"))
	case 4:
		at := random.IntN(len(data) + 1)
		return write("one byte of", name, append(append(bytes.Clone(data[:at]), "#{ \xff\n"[random.IntN(5)]), data[at:]...))
	case 5:
		return write("the configuration beside", filepath.Join(root, ".yamllint"), fmt.Appendf(nil, "rules:\n  line-length: {max: %d}\n", 20+random.IntN(80)))
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	return "without " + shown
}

// TestCacheShared has many runs at once use one cache.
func TestCacheShared(t *testing.T) {
	root := t.TempDir()
	fixture.Copy(t, fixture.Path(t, "testdata", "charts", "ok", "house"), root)
	fixture.Copy(t, fixture.Path(t, "testdata", "charts", "bad", "privileged-container", "charts"), filepath.Join(root, "charts"))
	fixture.Commit(t, root, "feat: charts")
	fresh, cache := outcomeOf(t, root, t.TempDir(), "--no-result-cache"), t.TempDir()
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() { outcomeOf(t, root, cache).same(t, fmt.Sprintf("run %d", i), fresh) })
	}
	wg.Wait()
}

// TestCacheTrust has jobs of different refs share one folder: each reads only what it may believe.
func TestCacheTrust(t *testing.T) {
	const key, other = "CHARTGATE_RESULT_CACHE_KEY=0123456789abcdef", "CHARTGATE_RESULT_CACHE_KEY=fedcba9876543210"
	root, cache := t.TempDir(), t.TempDir()
	fixture.Copy(t, fixture.Path(t, "testdata", "charts", "ok", "flat"), root)
	fixture.Commit(t, root, "feat: charts")
	for _, step := range []struct {
		what   string
		env    []string
		cached bool
		goes   bool // reads as publish does, though nothing goes out
	}{
		{"a branch", []string{"CI=true"}, false, false},
		{"a branch again", []string{"CI=true"}, true, false},
		{"a branch that says it is protected", []string{"CI=true", "CI_COMMIT_REF_PROTECTED=true"}, false, false},
		{"a protected branch", []string{"CI=true", "CI_COMMIT_REF_PROTECTED=true", key}, false, false},
		{"publish of a protected branch", []string{"CI=true", "CI_COMMIT_REF_PROTECTED=true", key}, true, true},
		{"a protected branch again", []string{"CI=true", "CI_COMMIT_REF_PROTECTED=true", key}, true, false},
		{"another key", []string{"CI=true", "CI_COMMIT_REF_PROTECTED=true", other}, false, false},
		{"publish without a key", []string{"CI=true", "CI_COMMIT_REF_PROTECTED=true"}, false, true},
		{"publish of a branch", []string{"CI=true"}, false, true},
		{"a person's machine", nil, false, false},
		{"a person's machine again", nil, true, false},
		{"publish of a person", nil, true, true},
	} {
		args := []string{"validate", "--timings"}
		if step.goes {
			args = []string{"publish", "--dry-run", "--any-branch", "--to", "embedded", "--timings"}
		}
		code, out := chartgateEnv(t, root, append(step.env, "CHARTGATE_CACHE_DIR="+cache), args...)
		_, line, ok := strings.Cut(out, "cached: ")
		if code != exitClean || !ok {
			t.Fatalf("%s: exit code %d\n%s", step.what, code, out)
		}
		if cached := !strings.HasPrefix(line, "0 of "); cached != step.cached {
			t.Errorf("%s: cached: %.12q, want some %t", step.what, line, step.cached)
		}
	}
}
