{{- define "clockwork.pod" -}}
restartPolicy: Never
automountServiceAccountToken: false
containers:
  - name: clock
    image: {{ .image }}
    command: {{ .command | toJson }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      runAsNonRoot: true
      runAsUser: 10201
      capabilities:
        drop:
          - ALL
    resources:
      requests:
        cpu: 10m
        memory: 16Mi
      limits:
        cpu: 10m
        memory: 16Mi
{{- end }}
