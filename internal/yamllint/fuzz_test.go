package yamllint

import (
	"slices"
	"testing"
)

// everything has all rules on, with settings that make them look at as much as they can.
const everything = `
rules:
  anchors: {forbid-duplicated-anchors: true, forbid-unused-anchors: true}
  braces: {min-spaces-inside: 1, max-spaces-inside: 1}
  brackets: {forbid: non-empty}
  colons: {max-spaces-after: 0}
  commas: {min-spaces-after: 2, max-spaces-after: 1}
  comments: {min-spaces-from-content: 4}
  comments-indentation: {level: warning}
  document-end: enable
  document-start: enable
  empty-lines: {max: 0}
  empty-values: enable
  float-values: {require-numeral-before-decimal: true, forbid-scientific-notation: true, forbid-nan: true, forbid-inf: true}
  hyphens: {max-spaces-after: 0}
  indentation: {check-multi-line-strings: true}
  key-duplicates: {forbid-duplicated-merge-keys: true}
  key-ordering: {ignored-keys: [^x]}
  line-length: {max: 5, allow-non-breakable-inline-mappings: true}
  new-line-at-end-of-file: enable
  new-lines: {type: dos}
  octal-values: enable
  quoted-strings: {quote-type: consistent, required: only-when-needed, check-keys: true}
  trailing-spaces: enable
  truthy: enable
`

func fuzzSeeds() []string {
	return []string{
		"", "a: b\n", "---\n- a\n- {b: [c, \"d\"], e: 'f'}\n...\n", "a: |\n  b\n c: >-\n\n  d\n", "%YAML 1.1\n%TAG !e! a:\n---\n!e!x &y z: *y\n",
		"? a\n: - b\n  - c\n", "[a, b: c, ? d]", "\"a\\u00e9\\\n b\"", "'a\n\n ''b'", "# yamllint disable rule:colons\na :  b # yamllint disable-line\n",
		"a:\r\n  b\u0085c\u2028d\r", "\ufeffa: \xff", "a: 'b\n--- \n", "{a: b}: c\n", "- - - -\n  ?", "a: !<x%41> b\n", "a\n\n\n\n ", "]}", "*a : &b\n", "|9\n|",
		"\x00\x00\x00a", "a\x00:\x00",
	}
}

// FuzzScan checks that tokens lie inside the text, one after the other, with marks that grow.
func FuzzScan(f *testing.F) {
	for _, s := range fuzzSeeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, bad := decode(data)
		if bad != nil {
			return
		}
		s := newScanner(text)
		var tok Token
		var last Mark
		count := 0
		for s.next(&tok) {
			if tok.Start.Offset < last.Offset || tok.Start.Line < last.Line || tok.End.Offset < tok.Start.Offset || tok.End.Line < tok.Start.Line {
				t.Fatalf("token %v at %v-%v comes after %v", tok.Kind, tok.Start, tok.End, last)
			}
			if tok.End.Offset > len(text) || tok.Start.Column < 0 || tok.End.Column < 0 {
				t.Fatalf("token %v at %v-%v lies outside a text of %d bytes", tok.Kind, tok.Start, tok.End, len(text))
			}
			if tok.Kind == Scalar {
				scalarValue(text, &tok)
			}
			last = tok.Start
			if count++; count > 4*len(text)+8 {
				t.Fatalf("%d tokens in %d bytes", count, len(text))
			}
		}
		if s.err == nil && tok.Kind != StreamEnd {
			t.Fatalf("the last token is %v", tok.Kind)
		}
		if s.err != nil && (s.err.Mark.Offset > len(text) || s.err.Problem == "") {
			t.Fatalf("error %v at %v", s.err, s.err.Mark)
		}
	})
}

// FuzzLint checks that problems point into the text, that there is at most one syntax error, and that a second run finds the same.
func FuzzLint(f *testing.F) {
	for _, s := range fuzzSeeds() {
		f.Add([]byte(s))
	}
	all, err := ParseConfig([]byte(everything), "all", nil)
	if err != nil {
		f.Fatal(err)
	}
	configs := []*Config{all, Default(), Relaxed(), ForCharts()}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := 2
		for _, c := range data {
			switch c {
			case '\n', '\r', 0x85, 0xA8, 0xA9, '(', ')':
				lines++
			}
		}
		for _, cfg := range configs {
			problems := Lint(data, "x.yaml", cfg)
			syntax := 0
			for _, p := range problems {
				if p.Line < 0 || p.Line > lines || p.Column < 1 || p.Column > len(data)+2 || p.Rule == "" || p.Message == "" {
					t.Fatalf("problem %+v does not point into the text", p)
				}
				if p.Rule == SyntaxRule {
					syntax++
				}
			}
			if syntax > 1 {
				t.Fatalf("%d syntax errors", syntax)
			}
			if !slices.Equal(problems, Lint(data, "x.yaml", cfg)) {
				t.Fatal("a second run finds something else")
			}
		}
	})
}

// FuzzConfig checks that any configuration is read or refused, and that what is read can be used.
func FuzzConfig(f *testing.F) {
	for _, s := range append(fuzzSeeds(), everything, defaultPreset, relaxedPreset, chartsPreset,
		"ignore: |\n  a/**\n  !b[!c]?\\ \n", "extends: self", "rules: {quoted-strings: {required: false, extra-required: ['(a']}}", "rules: {<<: *a}") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := ParseConfig(data, "c", func(string) ([]byte, error) { return data, nil })
		if (cfg == nil) == (err == nil) {
			t.Fatal("neither a configuration nor an error, or both")
		}
		if err == nil {
			cfg.IgnoresFile("a/b.yaml")
			cfg.IsYAMLFile("a/b.yaml")
			Lint([]byte("a: [b, 'c']\n"), "a/b.yaml", cfg)
		}
	})
}
