{{- define "shapes.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
  labels:
    app.kubernetes.io/name: {{ .Chart.Name }}
    helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
data:
  {{- range $name, $value := .Values.data }}
  {{ $name }}: {{ tpl (toString $value) $ | quote }}
  {{- end }}
{{- end }}
