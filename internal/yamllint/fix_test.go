package yamllint

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func mustConfig(t testing.TB, text string) *Config {
	t.Helper()
	cfg, err := ParseConfig([]byte(text), "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestFix(t *testing.T) {
	const markers = "rules: {document-start: enable, document-end: enable, new-line-at-end-of-file: enable}"
	const noMarkers = "rules: {document-start: {present: false}, document-end: {present: false}}"
	for name, c := range map[string]struct{ config, text, want string }{
		"trailing spaces":        {"rules: {trailing-spaces: enable}", "a: 1 \nb: |  \n  x  \nc: 'd  \n  e'\n# f \t\n", "a: 1\nb: |\n  x  \nc: 'd\n  e'\n# f\n"},
		"escaped space":          {"rules: {trailing-spaces: enable}", "a: \"b\\ \n  c \n  d\"\n", "a: \"b\\ \n  c\n  d\"\n"},
		"disabled":               {"rules: {trailing-spaces: disable}", "a: 1 \n", "a: 1 \n"},
		"directive":              {"rules: {trailing-spaces: enable, colons: enable}", "a:  1 \n# yamllint disable-line rule:colons\nb:  2 \n", "a: 1\n# yamllint disable-line rule:colons\nb:  2\n"},
		"disable-file":           {"extends: default", "# yamllint disable-file\na:  1 \n", "# yamllint disable-file\na:  1 \n"},
		"final newline":          {"rules: {new-line-at-end-of-file: enable}", "a: 1\r\nb: 2", "a: 1\r\nb: 2\r\n"},
		"open block scalar":      {"rules: {new-line-at-end-of-file: enable}", "a: |\n  b", "a: |\n  b"},
		"stripped block scalar":  {"rules: {new-line-at-end-of-file: enable}", "a: |-\n  b", "a: |-\n  b\n"},
		"dos":                    {"rules: {new-lines: enable}", "a: 1\r\nb: |\r\n  c\r\nd: 2\n", "a: 1\nb: |\n  c\nd: 2\n"},
		"to dos":                 {"rules: {new-lines: {type: dos}}", "a: 1\nb: 2\n", "a: 1\r\nb: 2\r\n"},
		"to dos with the rest":   {"rules: {new-lines: {type: dos}, empty-lines: {max: 0}, trailing-spaces: enable}", "a: 1 \n\n\nb: 2\n\n", "a: 1\r\nb: 2\r\n"},
		"empty lines":            {"rules: {empty-lines: {max: 1}}", "\n\na: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"},
		"empty lines in scalars": {"rules: {empty-lines: {max: 1}}", "a: |\n  b\n\n\n\n  c\nd: 'e\n\n\n\n  f'\n", "a: |\n  b\n\n\n\n  c\nd: 'e\n\n\n\n  f'\n"},
		"empty lines after":      {"rules: {empty-lines: {max: 1}}", "a: |\n  b\n\n\n\nc: |+\n  d\n\n\n\ne: 1\n", "a: |\n  b\n\nc: |+\n  d\n\n\n\ne: 1\n"},
		"spaced empty lines":     {"rules: {empty-lines: {max: 0}, trailing-spaces: enable}", "a: 1\n  \n \nb: 2\n", "a: 1\nb: 2\n"},
		"braces":                 {"rules: {braces: {max-spaces-inside: 0, min-spaces-inside-empty: 1, max-spaces-inside-empty: 1}}", "a: {  b: c }\nd: {}\ne: {\n  f: g  }\n", "a: {b: c}\nd: { }\ne: {\n  f: g}\n"},
		"brackets":               {"rules: {brackets: {min-spaces-inside: 1, max-spaces-inside: 1}}", "a: [b,   c]\n", "a: [ b,   c ]\n"},
		"commas":                 {"rules: {commas: enable}", "a: [b ,c,   d  , e]\n", "a: [b, c, d, e]\n"},
		"commas after tags":      {"rules: {commas: enable}", "a: [!t  , &x  , b]\n", "a: [!t , &x , b]\n"},
		"colons":                 {"rules: {colons: enable}", "a  :   b\n*x  : c\n", "a: b\n*x : c\n"},
		"colons in flow":         {"rules: {colons: enable}", "{a :b, \"c\" :d, e  : f}\n", "{a :b, \"c\":d, e: f}\n"},
		"question marks":         {"rules: {colons: enable}", "?   a\n:   b\n?   c: d\n    e: f\n:   1\n", "? a\n: b\n?   c: d\n    e: f\n: 1\n"},
		"hyphens":                {"rules: {hyphens: enable}", "-   a\n-   b: c\n    # d\n    e: |\n      f\n\n    g: [h,\n        i]\n-  j\n", "- a\n- b: c\n  # d\n  e: |\n    f\n\n  g: [h,\n      i]\n- j\n"},
		"nested hyphens":         {"rules: {hyphens: enable}", "-   -   a\n    -   b: 1\n        c: 2\n# d\n-  e\n", "- - a\n  - b: 1\n    c: 2\n# d\n- e\n"},
		"comments":               {"rules: {comments: enable}", "#!x\n#a\na: 1 #b\n##c\n#yamllint disable\nd: \"#e\"\n", "#!x\n# a\na: 1  # b\n## c\n#yamllint disable\nd: \"#e\"\n"},
		"markers":                {markers, "# a\nb: 1\n---\nc: 2", "---\n# a\nb: 1\n...\n---\nc: 2\n...\n"},
		"markers after a script": {markers, "#!x\nb: 1\n", "#!x\n---\nb: 1\n...\n"},
		"no markers":             {noMarkers, "---\na: 1\n...\n---\nb: 2\n...\n", "a: 1\n---\nb: 2\n"},
		"needed markers":         {noMarkers, "%YAML 1.1\n---\na: 1\n...\n%YAML 1.1\n--- |\n b\n", "%YAML 1.1\n---\na: 1\n...\n%YAML 1.1\n--- |\n b\n"},
		"opposites":              {"rules: {commas: {min-spaces-after: 2, max-spaces-after: 1}}", "[a, b]\n", "[a, b]\n"},
		"byte order mark":        {"rules: {trailing-spaces: enable}", "\ufeffa: 1 \n", "\ufeffa: 1\n"},
		"UTF-16":                 {"rules: {trailing-spaces: enable}", "\xff\xfea\x00:\x00 \x00=\xd8\x00\xde \x00\n\x00", "\xff\xfea\x00:\x00 \x00=\xd8\x00\xde\n\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := mustConfig(t, c.config)
			got, err := Fix([]byte(c.text), "a.yaml", cfg)
			if err != nil || string(got) != c.want {
				t.Fatalf("got %q, %v\nwant %q", got, err, c.want)
			}
			if again, err := Fix(got, "a.yaml", cfg); err != nil || !bytes.Equal(again, got) {
				t.Errorf("fixing again makes %q, %v", again, err)
			}
		})
	}
}

// TestFixLeavesAlone is about texts that are not touched.
func TestFixLeavesAlone(t *testing.T) {
	var syntax *SyntaxError
	text := []byte("a: [b  \n")
	if got, err := Fix(text, "a.yaml", Default()); !errors.As(err, &syntax) || !bytes.Equal(got, text) {
		t.Errorf("a syntax error: %q, %v", got, err)
	}
	// The second line of the quoted text is further left than what moves, so that it would no longer fit.
	text = []byte("-   a: 'b\nc'\n    d: e\n")
	if got, err := Fix(text, "a.yaml", Default()); !errors.Is(err, ErrMeaning) || !bytes.Equal(got, text) {
		t.Errorf("another meaning: %q, %v", got, err)
	}
	text = []byte("[a:]\n")
	if got, err := Fix(text, "a.yaml", mustConfig(t, "rules: {brackets: {min-spaces-inside: 1, max-spaces-inside: 1}}")); !errors.Is(err, ErrMeaning) || !bytes.Equal(got, text) {
		t.Errorf("another meaning to Helm: %q, %v", got, err)
	}
	if sameDocuments([]byte("a: 1\n"), []byte("a: 1\n---\n")) || sameDocuments([]byte("a: b"), []byte("a: 'b'")) || !sameDocuments([]byte("# x\na: {b: c}\n"), []byte("---\na: { b: c }\n...\n")) {
		t.Error("documents are not compared as they should be")
	}
}

func TestFixFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("a.yaml", "a:  1\n")
	if err := os.Symlink("a.yaml", filepath.Join(dir, "link.yaml")); err != nil {
		t.Skip(err)
	}
	if changed, err := FixFile(dir, "link.yaml", Relaxed()); changed || !errors.Is(err, ErrNoFile) {
		t.Errorf("the link: %v, %v", changed, err)
	}
	for i, want := range []bool{true, false} {
		if changed, err := FixFile(dir, "a.yaml", Relaxed()); err != nil || changed != want {
			t.Fatalf("run %d: %v, %v", i, changed, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if data, _ := os.ReadFile(path); string(data) != "a: 1\n" {
		t.Errorf("%q", data)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%v is left behind", entries)
	}
}
