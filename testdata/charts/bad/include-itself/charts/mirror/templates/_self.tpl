{{- define "mirror.self" -}}
{{ include "mirror.self" . }}
{{- end }}
