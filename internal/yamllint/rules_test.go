package yamllint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRulesAgainstTheReference reads testdata/rules: texts under configurations, and what yamllint 1.29 finds in them.
func TestRulesAgainstTheReference(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("finding test data: %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range parseCases(t, string(data)) {
				cfg, err := ParseConfig([]byte("rules: "+c.rules), file, nil)
				if err != nil {
					t.Fatalf("line %d: %v", c.line, err)
				}
				if got := render(Lint([]byte(c.text), "x.yaml", cfg)); !slices.Equal(got, c.want) {
					t.Errorf("%s:%d: rules %s, text %q\n got %s\nwant %s", file, c.line, c.rules, c.text, got, c.want)
				}
			}
		})
	}
}

type ruleCase struct {
	line  int
	rules string
	text  string
	want  []string
}

func parseCases(t *testing.T, data string) (cases []ruleCase) {
	rules := ""
	for i, line := range strings.Split(data, "\n") {
		switch {
		case strings.HasPrefix(line, "rules: "):
			rules = line[len("rules: "):]
		case strings.HasPrefix(line, `"`):
			c := ruleCase{line: i + 1, rules: rules}
			if err := json.Unmarshal([]byte(line), &c.text); err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			cases = append(cases, c)
		case strings.HasPrefix(line, "\t"):
			last := &cases[len(cases)-1]
			last.want = append(last.want, line[1:])
		}
	}
	return cases
}

// render writes problems as the test data has them.
func render(problems []Problem) (lines []string) {
	for _, p := range problems {
		level := ""
		if p.Level == Warning {
			level = "[warning] "
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(fmt.Sprintf("%d:%d: %s%s (%s)", p.Line, p.Column, level, p.Message, p.Rule)); err != nil {
			panic(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		lines = append(lines, strings.ReplaceAll(line[1:len(line)-1], `\"`, `"`))
	}
	return lines
}

// TestNewerThanTheReference has what came after yamllint 1.29.
func TestNewerThanTheReference(t *testing.T) {
	tests := []struct {
		rules, text string
		want        []string
	}{
		{"{anchors: enable}", "a: &x 1\nb: *x\n", nil},
		{"{anchors: enable}", "a: *x\nb: &x 1\n", []string{`1:4: found undeclared alias "x" (anchors)`}},
		{"{anchors: enable}", "a: &x 1\n---\nb: *x\n", []string{`3:4: found undeclared alias "x" (anchors)`}},
		{"{anchors: enable}", "a: &x {<<: *y}\nb: &x 1\n", []string{`1:12: found undeclared alias "y" (anchors)`}},
		{"{anchors: {forbid-undeclared-aliases: false}}", "a: *x\n", nil},
		{"{anchors: {forbid-duplicated-anchors: true}}", "a: &x 1\nb: &x 2\nc: &y 3\n", []string{`2:4: found duplicated anchor "x" (anchors)`}},
		{"{anchors: {forbid-duplicated-anchors: true}}", "a: &x 1\n...\n---\nb: &x 2\n", nil},
		{"{anchors: {forbid-unused-anchors: true}}", "a: &x 1\nb: &y 2\nc: *y\n", []string{`1:4: found unused anchor "x" (anchors)`}},
		{"{anchors: {forbid-unused-anchors: true}}", "a: &x 1\n---\nc: *x\n", []string{
			`1:4: found unused anchor "x" (anchors)`, `3:4: found undeclared alias "x" (anchors)`,
		}},
		{"{colons: enable}", "*a : 1\n*b  : 2\n", []string{"2:4: too many spaces before colon (colons)"}},
		{"{document-end: enable}", "%YAML 1.1\n---\na\n...\n", nil},
		{"{empty-values: enable}", "a:\n  -\n  - b\n  -\n", []string{
			"2:4: empty value in block sequence (empty-values)", "4:4: empty value in block sequence (empty-values)",
		}},
		{"{empty-values: {forbid-in-block-sequences: false}}", "a:\n  -\n  - b\n", nil},
		{"{key-duplicates: enable}", "<<: a\n<<: b\n", nil},
		{"{key-duplicates: {forbid-duplicated-merge-keys: true}}", "<<: a\n<<: b\n", []string{`2:1: duplication of key "<<" in mapping (key-duplicates)`}},
		{"{key-ordering: {ignored-keys: [^n, name]}}", "b: 1\nname: 1\na: 1\nn: 1\nc: 1\n", []string{`3:1: wrong ordering of key "a" in mapping (key-ordering)`}},
		{"{truthy: enable}", "%YAML 1.2\n---\n[yes, True]\n...\n---\n[yes, True]\n", []string{
			"3:7: truthy value should be one of [false, true] (truthy)", "6:2: truthy value should be one of [false, true] (truthy)",
			"6:7: truthy value should be one of [false, true] (truthy)",
		}},
		{"{quoted-strings: {check-keys: true}}", "a: 'b'\n'c': 1\n", []string{"1:1: string key is not quoted with any quotes (quoted-strings)"}},
		{"{quoted-strings: {required: only-when-needed}}", "[\"a, b\", \"c\"]\n", []string{"1:10: string value is redundantly quoted with any quotes (quoted-strings)"}},
		{"{quoted-strings: {required: only-when-needed}}", "a: \"b\\\n  c\"\nd: \"e\n  f\"\n", []string{
			"3:4: string value is redundantly quoted with any quotes (quoted-strings)",
		}},
		{"{quoted-strings: {quote-type: consistent}}", "a: 'b'\nc: \"d\"\n", []string{"2:4: string value is not quoted with consistent quotes (quoted-strings)"}},
		{"{quoted-strings: {quote-type: consistent, required: false}}", "a: \"b\"\nc: \"d\"\ne: f\n", nil},
	}
	for _, c := range tests {
		cfg, err := ParseConfig([]byte("rules: "+c.rules), "test", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := render(Lint([]byte(c.text), "x.yaml", cfg)); !slices.Equal(got, c.want) {
			t.Errorf("rules %s, text %q\n got %q\nwant %q", c.rules, c.text, got, c.want)
		}
	}
}

// TestRulesExplainThemselves checks that every rule's bad example has a problem and its good one has none.
func TestRulesExplainThemselves(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.Name] || r.What == "" || r.Why == "" {
			t.Errorf("rule %q is listed twice or says nothing", r.Name)
		}
		seen[r.Name] = true
		settings := "enable"
		switch r.Name {
		case "float-values":
			settings = "{require-numeral-before-decimal: true}"
		}
		cfg, err := ParseConfig([]byte("rules: {"+r.Name+": "+settings+"}"), "test", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := Lint([]byte(r.Bad), "x.yaml", cfg); len(got) == 0 || got[0].Rule != r.Name {
			t.Errorf("%s: the bad example is let pass: %v", r.Name, got)
		}
		if got := Lint([]byte(r.Good), "x.yaml", cfg); len(got) != 0 {
			t.Errorf("%s: the good example is not let pass: %v", r.Name, got)
		}
		for _, o := range r.Options {
			if o.Name == "" || o.What == "" || o.Default == nil {
				t.Errorf("%s: option %q says nothing", r.Name, o.Name)
			}
		}
	}
	if len(seen) != 23 {
		t.Errorf("%d rules, want 23", len(seen))
	}
}
