package engine

import (
	"strings"
	"testing"
)

// TestOrigin renders a template and checks, for each line of output, which
// line of the template it is put down to, and which named template's line.
func TestOrigin(t *testing.T) {
	helpers := strings.Join([]string{
		`{{- define "labels" -}}`,           // 1
		`app: x`,                            // 2
		`release: {{ .Release.Name }}`,      // 3
		`{{- if .Values.more }}`,            // 4
		`more: {{ include "deep" . }}`,      // 5
		`{{- end }}`,                        // 6
		`{{- end -}}`,                       // 7
		`{{- define "deep" }}down{{ end }}`, // 8
	}, "\n")
	text := strings.Join([]string{
		`{{- $x := 1 -}}`, // 1
		`kind: A`,         // 2
		`labels:`,         // 3
		`  {{- include "labels" . | nindent 2 }}`, // 4
		`list:`,                        // 5
		`{{- range $i := until 2 }}`,   // 6
		`- {{ $i }}`,                   // 7
		`  n: {{ template "deep" . }}`, // 8
		`{{- end }}`,                   // 9
		`nothing: [{{ .Values.none }}{{ default .Values.none .Values.none }}] # <no value>`, // 10
		`multi: {{ "a\nb" | toJson }}`, // 11
		`tpl: {{ tpl .Values.t . }}`,   // 12
		`last: {{ "one\ntwo" }}`,       // 13
		`end`,                          // 14
	}, "\n")
	c := chartOf(map[string]string{"templates/_h.tpl": helpers, "templates/x.yaml": text})
	vals := map[string]any{"more": true, "t": "x\n{{ include \"deep\" . }}"}
	out, err := execute(t.Context(), New(Options{}), c, vals)
	if err != nil {
		t.Fatal(err)
	}
	r := &out.Templates[0]
	helper := func(n int) Pos { return Pos{"c/templates/_h.tpl", n} }
	want := []struct {
		text  string
		line  int
		inner Pos
	}{
		{"kind: A", 2, Pos{}}, {"labels:", 3, Pos{}},
		{"  app: x", 4, helper(2)}, {"  release: rel", 4, helper(3)}, {"  more: down", 4, helper(5)},
		{"list:", 5, Pos{}}, {"- 0", 7, Pos{}}, {"  n: down", 8, Pos{}}, {"- 1", 7, Pos{}}, {"  n: down", 8, Pos{}},
		{"nothing: [] # ", 10, Pos{}}, {`multi: "a\nb"`, 11, Pos{}}, {"tpl: x", 12, Pos{}}, {"down", 12, helper(8)},
		{"last: one", 13, Pos{}}, {"two", 13, Pos{}}, {"end", 14, Pos{}},
	}
	lines := strings.Split(r.Text, "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), r.Text)
	}
	at := 0
	for i, w := range want {
		if lines[i] != w.text {
			t.Errorf("line %d is %q, want %q", i+1, lines[i], w.text)
		}
		o := r.Origin(at + len(lines[i]) - len(strings.TrimLeft(lines[i], " ")))
		if o.File != "c/templates/x.yaml" || o.Line != w.line || o.Inner != w.inner {
			t.Errorf("%q comes from %+v, want line %d and %+v", w.text, o, w.line, w.inner)
		}
		at += len(lines[i]) + 1
	}
	if o := r.Origin(1 << 30); o.Line != 14 {
		t.Errorf("beyond the end: %+v", o)
	}
}

// TestOriginTemplate checks values printed by {{template}}: the line of the
// call is the template's, the line of the text the named template's.
func TestOriginTemplate(t *testing.T) {
	c := chartOf(map[string]string{"templates/_h.tpl": "{{ define \"h\" }}a: 1\nb: {{ .Release.Name }}{{ end }}", "templates/x.yaml": "\n\n{{ template \"h\" . }}\nc: 2"})
	out, err := execute(t.Context(), New(Options{}), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &out.Templates[0]
	for sub, want := range map[string]Origin{
		"a: 1": {Pos{"c/templates/x.yaml", 3}, Pos{"c/templates/_h.tpl", 1}},
		"rel":  {Pos{"c/templates/x.yaml", 3}, Pos{"c/templates/_h.tpl", 2}},
		"c: 2": {Pos{"c/templates/x.yaml", 4}, Pos{}},
	} {
		if got := r.Origin(strings.Index(r.Text, sub)); got != want {
			t.Errorf("%q comes from %+v, want %+v", sub, got, want)
		}
	}
}

func TestDropNoValue(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "<no value>": "", "x<no value>y<no value>": "xy", "<no <no value>value>": "<no value>",
	} {
		spans := []span{}
		for i := range in {
			spans = append(spans, span{end: int32(i + 1)})
		}
		got, moved := dropNoValue(in, spans)
		if got != want || int(moved[len(moved)-1].end) != len(want) {
			t.Errorf("%q: %q, ends at %d", in, got, moved[len(moved)-1].end)
		}
		for i := 1; i < len(moved); i++ {
			if moved[i].end < moved[i-1].end {
				t.Errorf("%q: spans go backwards: %v", in, moved)
			}
		}
	}
}
