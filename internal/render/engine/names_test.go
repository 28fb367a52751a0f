package engine

import (
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
)

// family is a chart of that name whose two subcharts hold the same files as itself.
func family(name string, files map[string]string) *chart.Chart {
	top := chartOf(files)
	top.Metadata.Name = name
	for _, sub := range []string{"a", "b"} {
		c := chartOf(files)
		c.Metadata.Name = sub
		top.AddDependency(c)
	}
	return top
}

// TestSharedSources renders charts with the same texts on one engine and on engines of their own.
func TestSharedSources(t *testing.T) {
	helper := "{{ define \"h\" }}\n{{ .Values.a.b }}{{ end }}{{ define \"r\" }}\n\n{{ required \"say: b\" .Values.b }}{{ end }}{{ define \"ok\" }}\nx: {{ .Chart.Name }}{{ end }}"
	shared := New(Options{})
	for _, text := range []string{
		"a\nb: {{ .Values.a.b }}", "\n{{ include \"h\" . }}", "\n\n{{ template \"h\" . }}", "\nx: {{ include \"r\" . }}", "a: {{ fail \"no\" }}", "b: {{ tpl \"{{ include `h` . }}\" . }}",
		"c {{ nosuch }}", "{{ define \"top/templates/x.yaml\" }}own{{ end }}x", "n: {{ .Template.Name }}{{ include \"ok\" . }}", "{{ include \"none\" . }}", "{{ range until 10 }}{{ include \"ok\" $ }}{{ end }}",
	} {
		for _, name := range []string{"first", "top", "last"} {
			files := map[string]string{"templates/x.yaml": text, "templates/_h.tpl": helper, "templates/y.yaml": "y: 1\n"}
			got, gotErr := execute(t.Context(), shared, family(name, files), nil)
			want, wantErr := execute(t.Context(), New(Options{}), family(name, files), nil)
			if (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
				t.Errorf("%q in %s: %v, want %v", text, name, gotErr, wantErr)
				continue
			}
			if gotErr != nil {
				if strings.Contains(gotErr.Error(), "\x00") || !strings.Contains(gotErr.Error(), name+"/") {
					t.Errorf("%q in %s: %q", text, name, gotErr)
				}
				continue
			}
			for i, r := range got.Templates {
				if w := want.Templates[i]; r.Name != w.Name || r.Text != w.Text {
					t.Errorf("%q: %s is %q, want %q", text, r.Name, r.Text, w.Text)
				} else if a, b := r.Origin(len(r.Text)/2), w.Origin(len(r.Text)/2); a != b {
					t.Errorf("%q: %s comes from %+v, want %+v", text, r.Name, a, b)
				}
			}
		}
	}
	if len(shared.parsed) > 60 {
		t.Errorf("%d texts are kept: nothing is shared", len(shared.parsed))
	}
}
