{{- define "family.shared" }}of grandchild{{ end }}
{{- define "grandchild.only" }}{{ .Chart.Name }} in {{ .Values.global.region }}{{ end }}
