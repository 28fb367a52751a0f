{{- define "lib.thing" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
{{ end -}}
{{- define "features.twice" }}the library's{{ end -}}
