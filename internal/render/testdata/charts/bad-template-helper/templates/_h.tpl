{{ define "h" }}
x: {{ .Values.a.b }}
{{ end }}