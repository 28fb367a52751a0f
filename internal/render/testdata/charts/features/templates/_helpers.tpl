{{/* Names. */}}
{{- define "features.name" -}}
{{ .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- define "features.twice" }}first{{ end -}}
{{- define "features.labels" -}}
app: {{ include "features.name" . }}
release: {{ .Release.Name | quote }}
{{- range $k, $v := .Values.global.labels }}
{{ $k }}: {{ $v }}
{{- end }}
{{- end -}}
