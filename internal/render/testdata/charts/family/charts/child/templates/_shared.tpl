{{- define "family.shared" }}of child{{ end }}
{{- define "child.only" }}{{ .Chart.Name }} in {{ .Values.global.region }}{{ end }}
