//go:build e2e

package engine

import (
	"context"
	"errors"
	"regexp"
	"testing"

	helmutil "helm.sh/helm/v3/pkg/chartutil"
	helm "helm.sh/helm/v3/pkg/engine"
)

// unfair are words that make Helm's engine take for ever or differ from
// itself, and values that contain values.
var unfair = regexp.MustCompile(`range|include|tpl|template|repeat|until|seq|indent|gen|rand|now|uuid|shuffle|crypt|htpasswd|ago|date|Date|keys|values|set|merge|printf|derive|dict|wrap|Config|Secrets|urlParse|lookup`)

// FuzzOracle compares with Helm's engine on any template that both can take.
func FuzzOracle(f *testing.F) {
	f.Add(`a: {{ .Values.a.b | toYaml | trunc 7 | quote }}{{ with .Values.c }}{{ . }}{{ else }}{{ list 1 2 | join "," }}{{ end }}`)
	f.Add(`{{ $x := .Values }}{{ if and $x.a (eq 1 1.0) }}{{ $x.none.sub }}{{ end }}{{ (index .Values.a.b 1).x }}`)
	f.Add(`{{ .Files.Get "f" | upper }}{{ (.Files.Glob "*").Lines "f" }}{{ .Chart.Name }}{{ .Capabilities.KubeVersion }}{{ required "m" .Values.z }}`)
	f.Add(`{{- define "x" -}}{{ fail "f" }}{{- end -}}{{ eq .Values.a .Values.c }}{{ print .Values }}{{ .Values.a.Get "f" }}{{ regexFind "(" "a" }}`)
	f.Add(`{{ .Chart | toJson }}{{ .Release.Nope.x }}{{ .Chart.Nope }}{{ nil }}{{ 1 | 2 }}{{ trunc .Files.Get "x" }}{{ add .Values.a 1 }}{{ html .Values.a.b }}`)
	e := New(Options{})
	f.Fuzz(func(t *testing.T, text string) {
		if unfair.MatchString(text) || len(text) > 2000 {
			t.Skip()
		}
		vals := func() (helmutil.Values, error) {
			c := chartOf(map[string]string{"templates/x.yaml": text, "f": "one\ntwo\n"})
			in := map[string]any{"a": map[string]any{"b": []any{1.5, "x", nil}, "Get": "g"}, "c": "text", "z": ""}
			return helmutil.ToRenderValuesWithSchemaValidation(c, in, helmutil.ReleaseOptions{Name: "rel"}, nil, true)
		}
		c := chartOf(map[string]string{"templates/x.yaml": text, "f": "one\ntwo\n"})
		v1, _ := vals()
		want, err1 := helm.Render(c, v1)
		v2, _ := vals()
		got, err2 := e.Execute(context.Background(), c, v2)
		var te *TemplateError
		switch {
		case errors.As(err2, &te) && te.Kind == Limit:
		case (err1 == nil) != (err2 == nil), err1 != nil && err1.Error() != err2.Error():
			t.Errorf("helm: %v\nthis: %v", err1, err2)
		case err1 == nil && want["c/templates/x.yaml"] != got.Templates[0].Text:
			t.Errorf("helm: %q\nthis: %q", want["c/templates/x.yaml"], got.Templates[0].Text)
		}
	})
}
