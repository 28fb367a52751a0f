{{- define "family.shared" }}of great{{ end }}
{{- define "great.only" }}{{ .Chart.Name }} in {{ .Values.global.region }}{{ end }}
