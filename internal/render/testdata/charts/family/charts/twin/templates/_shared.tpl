{{- define "family.shared" }}of twin{{ end }}
{{- define "twin.only" }}{{ .Chart.Name }} in {{ .Values.global.region }}{{ end }}
