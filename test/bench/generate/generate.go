// Package generate writes repositories of charts that are shaped like real ones: each takes in
// a library chart and some of two subcharts, has long values files with comments, generates
// certificates and passwords, and a dozen templates. The same seed gives the same bytes.
package generate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Shared are the charts that the others take in. They are published first: library before database and cache.
var Shared = []string{"library", "database", "cache"}

// SharedVersion is the version of each of them.
const SharedVersion = "2.4.1"

// Charts writes n charts below dir/charts and the shared ones below dir/shared. Dependencies
// name the repository, an oci:// prefix.
func Charts(dir string, n int, seed uint64, repository string) error {
	w := &writer{dir: dir}
	w.library("shared/library")
	w.sub("shared/database", "database", 5432, repository)
	w.sub("shared/cache", "cache", 6379, repository)
	for i := range n {
		w.chart(i, rand.New(rand.NewPCG(seed, uint64(i))), repository)
	}
	w.file(".yamllint", "extends: default\nrules:\n  line-length: disable\n  document-start: disable\n  indentation: {spaces: 2, indent-sequences: whatever}\n  comments: {min-spaces-from-content: 1}\n  braces: {max-spaces-inside: 1}\nignore: |\n  templates/\n")
	w.file("chartgate.yaml", "fail-on: error\nrules: {kubesec/score: off, kubesec: off}\n")
	w.file(".gitignore", "charts/*/charts/\n")
	return w.err
}

// writer keeps the first error.
type writer struct {
	dir string
	err error
}

func (w *writer) file(name, text string) {
	name = filepath.Join(w.dir, filepath.FromSlash(name))
	if w.err == nil {
		w.err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if w.err == nil {
		w.err = os.WriteFile(name, []byte(text), 0o644)
	}
}

// library is a library chart of the size of those that real charts share: about 2,400 lines.
func (w *writer) library(at string) {
	w.file(at+"/Chart.yaml", meta("library", SharedVersion, "library"))
	w.file(at+"/values.yaml", "# A library has no values of its own.\nexample: true\n")
	w.file(at+"/templates/_names.tpl", names)
	for _, part := range []string{"affinities", "capabilities", "errors", "images", "ingress", "labels", "resources", "secrets", "storage", "tplvalues", "utils", "warnings"} {
		var b strings.Builder
		for i := range 20 {
			fmt.Fprintf(&b, helper, part, i)
		}
		w.file(at+"/templates/_"+part+".tpl", b.String())
	}
}

// names are the helpers that every template calls.
const names = `{{/* The name of the release's objects. */}}
{{- define "library.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "library.labels" -}}
{{- $default := dict "app.kubernetes.io/name" .context.Chart.Name "app.kubernetes.io/instance" .context.Release.Name "app.kubernetes.io/managed-by" .context.Release.Service "helm.sh/chart" (printf "%s-%s" .context.Chart.Name .context.Chart.Version) -}}
{{- with .context.Chart.AppVersion }}{{- $_ := set $default "app.kubernetes.io/version" . -}}{{- end -}}
{{ template "library.merge" (dict "values" (list .customLabels $default) "context" .context) }}
{{- end -}}

{{- define "library.merge" -}}
{{- $dst := dict -}}
{{- range .values -}}
{{- $dst = include "library.render" (dict "value" . "context" $.context) | fromYaml | merge $dst -}}
{{- end -}}
{{ $dst | toYaml }}
{{- end -}}

{{- define "library.render" -}}
{{- $value := typeIs "string" .value | ternary .value (.value | toYaml) }}
{{- if contains "{{" (toJson .value) }}
  {{- tpl $value .context }}
{{- else }}
  {{- $value }}
{{- end }}
{{- end -}}

{{- define "library.image" -}}
{{- $registry := default .image.registry ((.global).imageRegistry) -}}
{{- if $registry }}{{ $registry }}/{{ end }}{{ .image.repository }}{{ if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag }}{{ end }}
{{- end -}}
`

// helper is one of the many that a library has and few charts call.
const helper = `{{/* Returns the %[1]s of kind %[2]d, in the form that the API version of the cluster wants.
     Usage: {{ include "library.%[1]s.%[2]d" (dict "value" .Values.path.to "context" $) }} */}}
{{- define "library.%[1]s.%[2]d" -}}
{{- $context := default . .context -}}
{{- if and $context.Values.global (hasKey $context.Values.global "%[1]s") -}}
{{- print (index $context.Values.global "%[1]s") -}}
{{- else if semverCompare "<1.%[2]d-0" (default $context.Capabilities.KubeVersion.Version .version) -}}
{{- print "v1beta%[2]d" -}}
{{- else -}}
{{- print "v1" -}}
{{- end -}}
{{- end -}}

`

func meta(name, version, kind string, dependencies ...string) string {
	text := fmt.Sprintf("apiVersion: v2\nname: %s\ndescription: A chart named %s, as large as charts are.\ntype: %s\nversion: %s\nappVersion: \"1.27.3\"\n"+
		"home: https://example.com/%s\nicon: https://example.com/%s.svg\nkeywords: [%s, generated]\nmaintainers:\n  - name: platform\n    email: platform@example.com\nsources:\n  - https://git.example.com/charts/%s\n",
		name, name, kind, version, name, name, name, name)
	if len(dependencies) > 0 {
		text += "dependencies:\n" + strings.Join(dependencies, "")
	}
	return text
}

func dependency(name, repository, extra string) string {
	return fmt.Sprintf("  - name: %s\n    version: 2.x.x\n    repository: %s\n%s", name, repository, extra)
}
