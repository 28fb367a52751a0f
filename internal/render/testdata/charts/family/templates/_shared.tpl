{{- define "family.shared" }}of the parent{{ end }}
{{- define "family.tree" }}
{{- range . }}
- {{ .name }}
{{- with .children }}{{ include "family.tree" . | indent 2 }}{{ end }}
{{- end }}
{{- end }}
{{- define "family.count" }}{{ if gt (int .) 0 }}{{ . }} {{ include "family.count" (sub (int .) 1) }}{{ end }}{{ end }}
