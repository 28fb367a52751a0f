package engine

import (
	"errors"
	"strings"
	"testing"
)

// TestErrors checks the kind and place of errors; that their words are Helm's
// is for the comparison with Helm to check (-tags e2e).
func TestErrors(t *testing.T) {
	helper := "{{ define \"h\" }}\n{{ .Values.a.b }}{{ end }}{{ define \"r\" }}\n\n{{ required \"say: b\" .Values.b }}{{ end }}"
	for _, c := range []struct {
		text    string
		kind    Kind
		line    int
		column  int
		inner   int // line in the helper
		message string
	}{
		{"a\nb {{ .x", Parse, 2, 0, 0, "parse error at (c/templates/x.yaml:2): unclosed action"},
		{"a\n{{ if 1 }}", Parse, 2, 0, 0, "parse error at (c/templates/x.yaml:2): unexpected EOF"},
		{"{{ nosuch }}", Parse, 1, 0, 0, `parse error at (c/templates/x.yaml:1): function "nosuch" not defined`},
		{"a\nb: {{ .Values.a.b }}", Exec, 2, 14, 0, `template: c/templates/x.yaml:2:13: executing "c/templates/x.yaml" at <.Values.a.b>: nil pointer evaluating interface {}.b`},
		{"\nb: {{ required \"b\" .Values.b }}", Required, 2, 7, 0, "execution error at (c/templates/x.yaml:2:6): b"},
		{"\n\n{{ fail \"over\\nand out\" }}", Fail, 3, 4, 0, "execution error at (c/templates/x.yaml:3:3): over\nand out"},
		{"\n\nx: {{ include \"r\" . }}", Required, 3, 7, 4, "execution error at (c/templates/x.yaml:3:6): say: b"},
		{"\n{{ include \"h\" . }}", Exec, 2, 4, 2, `template: c/templates/x.yaml:2:3: executing "c/templates/x.yaml" at <include "h" .>: error calling include: template: c/templates/_h.tpl:2:10: executing "h" at <.Values.a.b>: nil pointer evaluating interface {}.b`},
		{"\n\n\n{{ template \"h\" . }}", Exec, 4, 0, 2, `template: c/templates/_h.tpl:2:10: executing "h" at <.Values.a.b>: nil pointer evaluating interface {}.b`},
		{"\n{{ tpl \"{{ fail `x` }}\" . }}", Fail, 2, 4, 0, "execution error at (c/templates/x.yaml:2:3): x"},
		{"\n{{ include \"none\" . }}", Exec, 2, 4, 0, `template: c/templates/x.yaml:2:3: executing "c/templates/x.yaml" at <include "none" .>: error calling include: template: no template "none" associated with template "gotpl"`},
		{"\n{{ indent 2 .Files.Get }}", Exec, 2, 19, 0, `template: c/templates/x.yaml:2:18: executing "c/templates/x.yaml" at <.Files.Get>: wrong number of args for Get: want 1 got 0`},
		{"\n{{ trunc 3 (.Files.Lines \"x\") }}", Exec, 2, 26, 0, `template: c/templates/x.yaml:2:25: executing "c/templates/x.yaml" at <"x">: wrong type for value; expected string; got []string`},
		{"\n{{ include \"none\" (.Files.Get \"a)\") }}", Exec, 2, 4, 0, `template: c/templates/x.yaml:2:3: executing "c/templates/x.yaml" at <include "none" (.Files.Get "a)")>: error calling include: template: no template "none" associated with template "gotpl"`},
		{"\n{{ include \"none\" (.Files.Glob \"*\").AsConfig }}", Exec, 2, 4, 0, `template: c/templates/x.yaml:2:3: executing "c/templates/x.yaml" at <include "none" (.Files.Glob "*").AsConfig>: error calling include: template: no template "none" associated with template "gotpl"`},
		{"\n{{ include \"none\" (\"x\" | .Files.Get) }}", Exec, 2, 4, 0, `template: c/templates/x.yaml:2:3: executing "c/templates/x.yaml" at <include "none" ("x" | .Files.Get)>: error calling include: template: no template "none" associated with template "gotpl"`},
		{"\n{{ range .Chart }}{{ end }}", Exec, 2, 10, 0, `template: c/templates/x.yaml:2:9: executing "c/templates/x.yaml" at <.Chart>: range can't iterate over {{c  [] 1.0.0  [] []  v2    false map[]  [] } true}`},
	} {
		_, err := execute(t.Context(), New(Options{}), chartOf(map[string]string{"templates/x.yaml": c.text, "templates/_h.tpl": helper}), nil)
		var e *TemplateError
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		inner := 0
		if e.Inner.File == "c/templates/_h.tpl" {
			inner = e.Inner.Line
		}
		if e.Kind != c.kind || e.File != "c/templates/x.yaml" || e.Line != c.line || e.Column != c.column || inner != c.inner {
			t.Errorf("%q: %s at %s:%d:%d, within line %d, want %s at %d:%d, within %d", c.text, e.Kind, e.File, e.Line, e.Column, inner, c.kind, c.line, c.column, c.inner)
		}
		if e.Error() != c.message {
			t.Errorf("%q:\n%s\nwant\n%s", c.text, e.Error(), c.message)
		}
	}
}

// TestSelfInclude keeps Helm's words for a template that includes itself.
func TestSelfInclude(t *testing.T) {
	_, err := renderOne(t, Options{}, `{{ define "s" }}{{ include "s" . }}{{ end }}{{ include "s" . }}`, nil)
	const end = "error calling include: rendering template has a nested reference name: s: unable to execute template"
	if err == nil || !strings.HasSuffix(err.Error(), end) || strings.Count(err.Error(), "error calling include: template:") != 1001 {
		t.Errorf("%.300v … %d", err, strings.Count(err.Error(), "error calling include: template:"))
	}
}

func TestStrict(t *testing.T) {
	_, err := renderOne(t, Options{Strict: true}, "{{ .Values.none }}", map[string]any{})
	if err == nil || !strings.Contains(err.Error(), `map has no entry for key "none"`) {
		t.Error(err)
	}
	_, err = renderOne(t, Options{Strict: true}, "{{ tpl `{{ define \"d\" }}{{ .Values.none }}{{ end }}{{ include \"d\" . }}` . }}", map[string]any{})
	if err == nil || !strings.Contains(err.Error(), `map has no entry for key "none"`) {
		t.Error(err)
	}
}

// TestScopes checks which definitions are seen where.
func TestScopes(t *testing.T) {
	files := map[string]string{
		"templates/_a.tpl": `{{ define "d" }}from a{{ end }}{{ define "e" }}e{{ end }}`,
		"templates/_b.tpl": `{{ define "d" }}from b{{ end }}{{ define "e" }}  {{ end }}`,
		"templates/x.yaml": `{{ include "d" . }}|{{ include "e" . }}|{{ tpl "{{ define \"d\" }}tpl{{ end }}{{ template \"d\" }} {{ include \"outer\" . }}" . }}|{{ include "d" . }}` +
			`{{ define "outer" }}{{ include "d" . }}{{ end }}|{{ tpl "{{ if .n }}{{ include \"gotpl\" (dict) }}{{ end }}+" (dict "n" 1) }}` +
			`|{{ tpl "{{ template \"d\" }}" . }}|{{ tpl "{{ if .n }}{{ template \"gotpl\" (dict) }}{{ end }}-" (dict "n" 1) }}`,
	}
	out, err := execute(t.Context(), New(Options{}), chartOf(files), nil)
	if err != nil {
		t.Fatal(err)
	}
	// Files are parsed backwards: a's definitions replace b's; an empty one replaces nothing.
	if got, want := out.Templates[0].Text, "from a|e|tpl tpl|from a|++|from a|--"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTemplatesChangeValues checks the order of templates, which shows where
// they change values.
func TestTemplatesChangeValues(t *testing.T) {
	files := map[string]string{
		"templates/a.yaml":   "{{ .Values.order }}",
		"templates/z.yaml":   `{{ $_ := set .Values "order" (print .Values.order "z") }}`,
		"templates/d/a.yaml": `{{ $_ := set .Values "order" (print .Values.order "d") }}`,
	}
	out, err := execute(t.Context(), New(Options{}), chartOf(files), map[string]any{"order": ">"})
	if err != nil {
		t.Fatal(err)
	}
	if last := out.Templates[len(out.Templates)-1]; last.Name != "c/templates/a.yaml" || last.Text != ">dz" {
		t.Errorf("%+v", last)
	}
}

// TestShared renders with one Engine from many goroutines.
func TestShared(t *testing.T) {
	e := New(Options{Seed: "s"})
	want := ""
	for i := range 8 {
		t.Run("", func(t *testing.T) {
			if i > 0 {
				t.Parallel()
			}
			out, err := execute(t.Context(), e, chartOf(map[string]string{"templates/x.yaml": `{{ tpl "{{ randAlpha 9 }}" . }}{{ (genCA "a" 1).Cert }}{{ range until 3 }}{{ . }}{{ end }}`}), nil)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				want = out.Templates[0].Text
			} else if out.Templates[0].Text != want {
				t.Errorf("%q, want %q", out.Templates[0].Text, want)
			}
		})
	}
}
