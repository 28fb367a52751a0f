package source

import (
	"errors"
	"testing"
)

const chartYAML = `# a comment
apiVersion: v2
name: &n web
"quoted": 1
dependencies:
  - name: postgresql
    version: 1.2.3
  - name: redis
    condition: redis.enabled
flow: {a: 1, b: [x, y]}
empty:
`

func TestPos(t *testing.T) {
	doc, err := ParseYAML([]byte(chartYAML))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		path []any
		want Pos
		ok   bool
	}{
		{nil, Pos{2, 1}, true},
		{[]any{"name"}, Pos{3, 1}, true},
		{[]any{"quoted"}, Pos{4, 1}, true},
		{[]any{"dependencies", 1}, Pos{8, 5}, true},
		{[]any{"dependencies", 1, "condition"}, Pos{9, 5}, true},
		{[]any{"dependencies", 1, "alias"}, Pos{8, 5}, false},
		{[]any{"dependencies", 7}, Pos{5, 1}, false},
		{[]any{"flow", "b", 1}, Pos{10, 21}, true},
		{[]any{"missing"}, Pos{1, 1}, false},
		{[]any{"empty", "x"}, Pos{11, 1}, false},
	} {
		got, ok := doc.Pos(tc.path...)
		if got != tc.want || ok != tc.ok {
			t.Errorf("Pos(%v) = %v, %v; want %v, %v", tc.path, got, ok, tc.want, tc.ok)
		}
	}
	if got, _ := doc.Value("dependencies", 0, "version"); got != (Pos{7, 14}) {
		t.Errorf("Value = %v", got)
	}
}

func TestParseYAMLOfBrokenFile(t *testing.T) {
	doc, err := ParseYAML([]byte("a: [1\nb: }"))
	if err == nil {
		t.Fatal("no error")
	}
	if pos, ok := doc.Pos("a"); ok || pos != (Pos{1, 1}) {
		t.Errorf("Pos = %v, %v", pos, ok)
	}
}

func TestErrorPos(t *testing.T) {
	for msg, want := range map[string]Pos{
		"yaml: line 7: did not find expected key":      {8, 0},
		"yaml: line 7: found unexpected end of stream": {7, 0},
		"yaml: unmarshal errors:\n  line 2: cannot":    {2, 0},
		"line 3, column 9: bad":                        {3, 9},
		"nothing":                                      {},
	} {
		if got := ErrorPos(errors.New(msg)); got != want {
			t.Errorf("ErrorPos(%q) = %v, want %v", msg, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	data := []byte("a\r\nb\n\nd")
	for n, want := range map[int]string{1: "a", 2: "b", 3: "", 4: "d", 5: "", 0: ""} {
		if got := Line(data, n); got != want {
			t.Errorf("Line(%d) = %q, want %q", n, got, want)
		}
	}
}

func FuzzParseYAML(f *testing.F) {
	f.Add([]byte(chartYAML))
	f.Fuzz(func(_ *testing.T, data []byte) {
		doc, _ := ParseYAML(data)
		doc.Pos("a", 0, "b")
		doc.Value("dependencies", 0, "version")
		doc.Keys("a")
	})
}
