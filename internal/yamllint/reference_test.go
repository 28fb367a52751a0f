//go:build e2e

package yamllint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The configurations under which both programs are run. Only settings that yamllint 1.29 knows are used, and none whose
// meaning changed since.
var referenceConfigs = []string{
	"extends: default",
	"extends: relaxed",
	"{extends: default, rules: {indentation: {spaces: 4, indent-sequences: false, check-multi-line-strings: true}, line-length: {max: 40, allow-non-breakable-words: false}, " +
		"quoted-strings: {quote-type: double}, octal-values: enable, float-values: {require-numeral-before-decimal: true, forbid-scientific-notation: true, forbid-nan: true, forbid-inf: true}, " +
		"key-ordering: enable, document-end: {present: false}, braces: {forbid: non-empty}, brackets: {min-spaces-inside: 1, max-spaces-inside: 1}, colons: {max-spaces-before: 1, max-spaces-after: 0}, " +
		"comments: {min-spaces-from-content: 4, ignore-shebangs: false}, empty-lines: {max: 0}, hyphens: {max-spaces-after: 0}, commas: {min-spaces-after: 2, max-spaces-after: 3}, " +
		"truthy: {allowed-values: ['yes'], check-keys: false}, new-lines: {type: dos}, document-start: {present: false}}}",
	"{rules: {trailing-spaces: {level: warning}, line-length: {max: 20, allow-non-breakable-inline-mappings: true}, indentation: {spaces: 2, indent-sequences: consistent}, " +
		"quoted-strings: {quote-type: single, required: false, extra-required: ['a']}, comments-indentation: enable, key-duplicates: {level: warning}, comments: enable, braces: enable, document-start: enable}}",
	"{rules: {indentation: {indent-sequences: whatever, check-multi-line-strings: true}, empty-values: {forbid-in-flow-mappings: false}, hyphens: enable, commas: {max-spaces-before: -1}, new-line-at-end-of-file: enable}}",
}

// referenceConfig is the configuration without what yamllint 1.29 does not know, which the others are judged without.
func referenceConfig(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := ParseConfig([]byte(text), "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.find(anchorsRule()).enabled = false
	if rc := cfg.find(emptyValuesRule()); rc.enabled {
		rc.options["forbid-in-block-sequences"] = false
	}
	return cfg
}

func reference(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("yamllint")
	if err != nil {
		t.Skip("yamllint is not on PATH")
	}
	return path
}

// lintReference runs yamllint over files of a folder. It dies of some texts that are not YAML; those are left out.
func lintReference(t *testing.T, program, dir, config string, files []string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	if len(files) == 0 {
		return found
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, append([]string{"-f", "parsable", "-d", config}, files...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1", "PYTHONIOENCODING=utf-8:surrogateescape")
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if stderr.Len() > 0 {
		if len(files) == 1 {
			return found
		}
		half := len(files) / 2
		for _, part := range [][]string{files[:half], files[half:]} {
			for name, lines := range lintReference(t, program, dir, config, part) {
				found[name] = lines
			}
		}
		return found
	}
	for _, name := range files {
		found[name] = nil
	}
	last := ""
	for line := range strings.Lines(stdout.String()) {
		line = strings.TrimSuffix(line, "\n")
		name, rest, _ := strings.Cut(line, ":")
		if _, ok := found[name]; ok {
			found[name] = append(found[name], rest)
			last = name
		} else if n := len(found[last]); n > 0 { // a key with a line break in it
			found[last][n-1] += "\n" + line
		}
	}
	return found
}

func compareWithReference(t *testing.T, dir string, files []string) {
	program := reference(t)
	texts, crashed, differ := 0, 0, 0
	for _, config := range referenceConfigs {
		cfg := referenceConfig(t, config)
		for part := range slices.Chunk(files, 200) {
			want := lintReference(t, program, dir, config, part)
			for _, name := range part {
				texts++
				lines, ok := want[name]
				if !ok {
					crashed++
					continue
				}
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, p := range Lint(data, name, cfg) {
					got = append(got, strings.TrimPrefix(p.Parsable(""), ":"))
				}
				if !slices.Equal(got, lines) {
					if differ++; differ <= 10 {
						t.Errorf("%s under %s\n%q\n got %q\nwant %q", name, config, data[:min(len(data), 2000)], got, lines)
					}
				}
			}
		}
	}
	t.Logf("%d texts, %d of them too much for the reference, %d differ", texts, crashed, differ)
	if differ > 0 {
		t.Errorf("%d texts differ", differ)
	}
}

// TestReferenceOnGeneratedTexts compares over texts that a generator makes: REFERENCE_SEED and REFERENCE_TEXTS say which.
func TestReferenceOnGeneratedTexts(t *testing.T) {
	reference(t)
	seed, count := uint64(1), 400
	if s, err := strconv.ParseUint(os.Getenv("REFERENCE_SEED"), 10, 64); err == nil {
		seed = s
	}
	if n, err := strconv.Atoi(os.Getenv("REFERENCE_TEXTS")); err == nil {
		count = n
	}
	dir := t.TempDir()
	g := generator{rand.New(rand.NewPCG(seed, 2))}
	var files []string
	for len(files) < count {
		name, text := fmt.Sprintf("%06d.yaml", len(files)), g.text()
		if closesTooMuch(text) {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	compareWithReference(t, dir, files)
}

// closesTooMuch tells whether a bracket closes that was not open, of which the reference mostly dies.
func closesTooMuch(text string) bool {
	s := newScanner([]byte(text))
	var t Token
	for s.next(&t) {
		if s.flow < 0 {
			return true
		}
	}
	return false
}

// TestReferenceOnCorpus compares over the YAML files, templates left out, of the folders in CORPUS.
func TestReferenceOnCorpus(t *testing.T) {
	folders := filepath.SplitList(os.Getenv("CORPUS"))
	if len(folders) == 0 {
		t.Skip("CORPUS names no folders")
	}
	for _, dir := range folders {
		var files []string
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "templates":
				return fs.SkipDir
			case d.Type().IsRegular() && (strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")) && !strings.Contains(path, ":"):
				files = append(files, path)
			}
			return nil
		})
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		compareWithReference(t, dir, files)
	}
}

// generator makes texts that are YAML, or nearly.
type generator struct{ *rand.Rand }

func (g generator) pick(list []string) string { return list[g.IntN(len(list))] }

func (g generator) text() string {
	fragments := []string{
		"a", "b: ", "c:\n", "- ", "-", "\n", "\n  ", "\n    ", " ", "  ", "{", "}", "[", "]", ", ", ",", "? ", ": ", ":", "&a ", "!t ", "!!str ", "!<x> ",
		"|\n  ", ">\n  ", "|2\n", ">-\n", "|+\n", "'", "\"", "''", "#", "# c", " # c\n", "---", "--- ", "---\n", "...\n", "%FOO bar\n", "\t", "\r\n", "é", "\U0001F600",
		"\\", "\\n", "\\x41", "@", "%", "yes", "No", "1", "key: value\n", "- item\n", "  - x: y\n", "\"a\n b\"", "'a\n\n b'", "!e!x ", "a?b", "{a: 1, b}", "[a, b: c]",
		"{? a}", "...", " |\n  text\n", "a: >2\n   t\n", "-1", "~", "null", "  \n", "\n\n\n", "# yamllint disable\n", "# yamllint disable-line rule:colons\n", ".5", "1e3",
		".NaN", "010", "0o17", "#x\n", "      ", "{ }", "[ ]", "{ a: b }", "a:  b\n", "-  c\n", "a :b\n", "\"q\"", "'s'", "\"a\": b\n", "a: &x\n  b: c\n",
	}
	if g.IntN(4) == 0 {
		var b strings.Builder
		for range 1 + g.IntN(12) {
			b.WriteString(g.pick(fragments))
		}
		return b.String()
	}
	text := g.block()
	for range g.IntN(3) {
		i := g.IntN(len(text) + 1)
		switch g.IntN(6) {
		case 0:
			text = text[:i] + g.pick(fragments) + text[i:]
		case 1:
			text = text[:i] + text[min(len(text), i+1+g.IntN(3)):]
		}
	}
	return strings.ToValidUTF8(text, "")
}

// block makes lines at random depths.
func (g generator) block() string {
	lines := []string{
		"a: 1\n", "b:\n", "c: [1, 2]\n", "d: {a: b, c: d}\n", "- e\n", "- f: g\n", "- - h\n", "i: |\n", "  text\n", "j: >-\n", "# com\n", "  # com\n", "k: \"s\"\n", "l: 's'\n",
		"m: &n o\n", "p: *n\n", "q: !t r\n", "? s\n", "- &u\n", "- !v\n", "w: &x\n", "- {y: z}\n", "- [\n", "  ]\n", "aa: {\n", "  }\n", "bb: \"multi\n", "  line\"\n",
		"plain: a\n", "  continued\n", "\n", "- \n", "-\n", "---\n", "...\n", "yes: no\n", "\"on\": off\n", "<<: *n\n", "1: 010\n", "f: .5\n", "e:   # c\n", "g: #c\n", "h:  two\n",
		"i :three\n", "key with space: v\n", "n: a  # yamllint disable-line\n",
	}
	var b strings.Builder
	for depth := range 2 + g.IntN(9) {
		switch x := g.IntN(20); {
		case x < 6:
			depth += []int{2, 2, 2, 2, 1, 4, 3}[g.IntN(7)]
		case x < 10:
			depth = 0
		}
		b.WriteString(strings.Repeat(" ", depth) + g.pick(lines))
	}
	return b.String()
}
