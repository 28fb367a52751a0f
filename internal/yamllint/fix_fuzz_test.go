package yamllint

import (
	"bytes"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"
)

// narrow asks for the contrary of what everything does, so that both directions are repaired.
const narrow = `
rules:
  braces: {max-spaces-inside: 0, min-spaces-inside-empty: 1, max-spaces-inside-empty: 1}
  brackets: {min-spaces-inside: 1, max-spaces-inside: 2}
  colons: {max-spaces-after: 1}
  commas: {min-spaces-after: 1, max-spaces-after: 1}
  comments: {min-spaces-from-content: 2}
  document-end: {present: false}
  document-start: {present: false}
  empty-lines: {max: 1, max-start: 1, max-end: 1}
  hyphens: {max-spaces-after: 1}
  new-line-at-end-of-file: enable
  new-lines: {type: unix}
  trailing-spaces: enable
`

func fixConfigs(t testing.TB) []*Config {
	return []*Config{mustConfig(t, everything), mustConfig(t, narrow), Default(), ForCharts()}
}

// FuzzFix checks that repaired texts hold the same documents, to our own scanner and to another, and that fixing them again
// changes nothing.
func FuzzFix(f *testing.F) {
	for _, s := range fuzzSeeds() {
		f.Add([]byte(s))
	}
	for _, s := range []string{"-   a: 1\n    b:  2 \n", "a: { b :c , d }\n...\n---\n#x\n-  |\n  y \n\n\n\n", "? - a\n:   -   b\n        # c\n    - d", "a: |+\n b\n\n\n\nc: 'd \n\n\n e'"} {
		f.Add([]byte(s))
	}
	configs := fixConfigs(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, cfg := range configs {
			checkFix(t, data, cfg)
		}
	})
}

func checkFix(t *testing.T, data []byte, cfg *Config) {
	t.Helper()
	before := bytes.Clone(data)
	fixed, err := Fix(data, "x.yaml", cfg)
	if !bytes.Equal(before, data) {
		t.Fatal("the text itself was changed")
	}
	if err != nil {
		if !bytes.Equal(fixed, data) {
			t.Fatalf("%q came with %v", fixed, err)
		}
		return
	}
	if again, err := Fix(fixed, "x.yaml", cfg); err != nil || !bytes.Equal(again, fixed) {
		t.Fatalf("%q became %q and then %q, %v", data, fixed, again, err)
	}
	if bytes.Equal(fixed, data) {
		return
	}
	want, ok := decodeAll(data)
	if !ok {
		return // go-yaml does not read all that YAML 1.1 has
	}
	if got, ok := decodeAll(fixed); !ok || !reflect.DeepEqual(got, want) {
		t.Fatalf("%q became %q: %v, not %v", data, fixed, got, want)
	}
}

// decodeAll reads all documents of a text with the library that Helm reads them with.
func decodeAll(data []byte) (list []string, ok bool) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if err != nil {
			return list, err.Error() == "EOF"
		}
		list = append(list, describeNode(&n)...)
	}
}

// describeNode lists what a node says, without places, styles and comments.
func describeNode(n *yaml.Node) []string {
	list := []string{string(rune('0' + n.Kind)), n.Tag, n.Value, n.Anchor}
	for _, c := range n.Content {
		list = append(list, describeNode(c)...)
	}
	return append(list, "end")
}
