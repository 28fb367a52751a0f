package engine

import (
	"context"
	"errors"
	"testing"
	"time"
)

// FuzzExecute feeds any text to the engine as a template: it renders, or
// fails with a *TemplateError, within the time of a render and some.
func FuzzExecute(f *testing.F) {
	f.Add(chance)
	f.Add(`{{ define "a" }}{{ include "a" . }}{{ end }}{{ template "a" . }}`)
	f.Add(`{{ range $i, $e := until 3 }}{{ if eq $i 1 }}{{ continue }}{{ else with $e }}{{ . }}{{ else }}{{ break }}{{ end }}{{ end }}`)
	f.Add(`{{ tpl (.Files.Get "f") . | nindent 2 }}{{ (.Files.Glob "*").AsConfig }}{{ .Values.YAML }}{{ now.Format "2006" }}`)
	f.Add(`{{ $d := dict "a" (list 1 "b") }}{{ $_ := set $d "d" $d }}{{ toYaml $d }}{{ merge $d .Values | toJson }}`)
	f.Add("{{- /* c */ -}}\r\n{{ printf `%*d` 3 4 }} {{ required \"x\" nil }}")
	for name, text := range hostile() {
		if len(text) < 500 && len(name) < 20 {
			f.Add(text)
		}
	}
	e := New(Options{Seed: "fuzz", Limits: Limits{Time: 2 * time.Second, Iterations: 10_000, Memory: 16 << 20, String: 1 << 20, Output: 4 << 20}})
	f.Fuzz(func(t *testing.T, text string) {
		c := chartOf(map[string]string{"templates/x.yaml": text, "f": "{{ .Release.Name }}\n"})
		start := time.Now()
		out, err := execute(context.Background(), e, c, map[string]any{"a": map[string]any{"b": []any{1.5, "x", nil}}})
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		var te *TemplateError
		if err != nil && !errors.As(err, &te) {
			t.Errorf("no TemplateError: %v", err)
		}
		if err == nil {
			r := &out.Templates[0]
			lines := 1
			for i := range text {
				if text[i] == '\n' {
					lines++
				}
			}
			for i := 0; i < len(r.Text); i += 1 + len(r.Text)/50 {
				if o := r.Origin(i); o.Line < 1 || o.Line > lines {
					t.Errorf("byte %d comes from line %d of %d", i, o.Line, lines)
				}
			}
		}
	})
}
