{{- define "label.text" -}}
{{ .Values.text | upper }}
{{- end }}
