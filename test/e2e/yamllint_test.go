//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// TestYAMLLintCommand calls yamllint and the verb that stands in for it with the same arguments, and compares what they
// print and their exit codes. What the rules find is compared in the rules' own package.
func TestYAMLLintCommand(t *testing.T) {
	theirs, ours := program(t, "YAMLLINT", "yamllint"), binary(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a/z.yaml": "a: 1 \nb:  2\n#x\n", "a/A.yaml": "x: 1\n", "a/ok.yml": "---\nok: 1\n", "a/note.txt": "a: 1 \n", "a/b/bad.yaml": "{a: b", "a/c/warn.yaml": "---\nt: yes\n",
		"a/d.yaml/in.yaml": "b:  1\n", "a/q,:%.yaml": "---\n? \"x: :y,z\"\n: 1\n? \"x: :y,z\"\n: 2 \n", "empty/x": "",
		"long.yaml": strings.Repeat("\n", 1000) + "b: " + strings.Repeat("x", 120_000) + " \n",
		"conf":      "ignore: |\n  a/b\n  *.yml\nyaml-files: ['*.yaml', '*.txt', '*.yml']\nrules: {trailing-spaces: enable}\n",
		"wrong":     "rules: {nonsense: enable}\n", "sub/.yamllint": "rules: {colons: enable}\n", "sub/deep/x.yaml": "a:  1 \n",
		"sub/found/.yamllint.yaml": "extends: relaxed\nrules: {trailing-spaces: disable}\n", "sub/found/x.yaml": "a:  1 \n",
	} {
		fixture.Write(t, filepath.Join(dir, name), text)
	}
	for link, to := range map[string]string{"folder": "a/c", "a/linked.yaml": "z.yaml", "a/folder.yaml": "c"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range yamllintCalls() {
		compareCommands(t, dir, theirs, ours, args)
	}
	// Older releases look for a configuration in the working directory only, so nothing is asked of the folders below.
	for _, in := range []string{"sub", "sub/found"} {
		compareCommands(t, filepath.Join(dir, in), theirs, ours, []string{"-f", "parsable", "."})
	}
}

// yamllintCalls are command lines that both understand, or refuse.
func yamllintCalls() (calls [][]string) {
	for _, format := range []string{"parsable", "standard", "colored", "github", "auto"} {
		for _, args := range []string{".", "a folder", "a//c ./a/ a/../a", "long.yaml", "-", "--no-warnings .", "--no-warnings a/c"} {
			calls = append(calls, append([]string{"-f", format}, strings.Fields(args)...))
		}
	}
	for _, args := range []string{
		"-s a/c", "--strict a", "-s --no-warnings a/c", "nowhere", "a/c nowhere a", "empty", "--list-files .", "--list-files a nowhere a/note.txt", "--list-files -",
		"-c conf --list-files a ./a a/../a a/ok.yml a/b/bad.yaml", "-c conf a", "--config-file=conf a", "-c wrong a", "-d relaxed a", "-d default a",
		"", "- a", "--bogus a", "-f html a", "-c conf -d relaxed a", "a/c -f parsable", "-sf parsable a/c", "a -- -f",
	} {
		calls = append(calls, strings.Fields(args))
	}
	return append(calls, []string{"-d", "rules: {nonsense: enable}", "a"}, []string{"-d", "", "a"}, []string{"-d", "{extends: relaxed, ignore: '*.yaml'}", "a"},
		[]string{"-d", "ignore: '*'", "-"}, []string{"-d", "rules: {trailing-spaces: {ignore: '*'}}", "-"}, []string{"-d", "rules: {colons: {x: 1}}", "a"})
}

func compareCommands(t *testing.T, dir, theirs, ours string, args []string) {
	t.Helper()
	want, wantCode := callLinter(t, dir, theirs, args)
	got, code := callLinter(t, dir, ours, append([]string{"yamllint"}, args...))
	if code != wantCode || got != want {
		t.Errorf("yamllint %q in %s exits with %d, not %d, and prints\n%s\nnot\n%s", args, filepath.Base(dir), code, wantCode, got, want)
	}
}

// callLinter returns what a linter prints and its exit code, for a text that is on its standard input.
func callLinter(t *testing.T, dir, program string, args []string) (string, int) {
	t.Helper()
	var stdout bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout = dir, strings.NewReader("a:  1 \n"), &stdout
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool {
		return strings.HasPrefix(e, "GITHUB_") || strings.HasPrefix(e, "YAMLLINT")
	}), "PYTHONUTF8=1")
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return stdout.String(), cmd.ProcessState.ExitCode()
}
