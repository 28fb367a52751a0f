{{/* The sidecar. Userspace networking needs neither /dev/net/tun nor NET_ADMIN: the node's traffic ends in this process. */}}
{{- define "n8n.tailscale.container" -}}
- name: tailscale
  image: {{ include "n8n.image" (dict "image" .Values.tailscale.image "tag" "" "context" .) }}
  imagePullPolicy: {{ .Values.tailscale.image.pullPolicy }}
  securityContext:
    {{- toYaml .Values.containerSecurityContext | nindent 4 }}
  env:
    - name: TS_AUTHKEY
      valueFrom:
        secretKeyRef:
          name: {{ tpl .Values.tailscale.authKey.existingSecret . }}
          key: {{ .Values.tailscale.authKey.key }}
    # Log in only when the state has no identity yet.
    - name: TS_AUTH_ONCE
      value: "true"
    - name: TS_HOSTNAME
      value: {{ default (include "n8n.fullname" .) .Values.tailscale.hostname | quote }}
    - name: TS_USERSPACE
      value: "true"
    # Empty: the state goes to TS_STATE_DIR. A Secret as store would need a token for the Kubernetes API.
    - name: TS_KUBE_SECRET
      value: ""
    - name: TS_STATE_DIR
      value: /var/lib/tailscale
    - name: TS_SOCKET
      value: /tmp/tailscaled.sock
    - name: TS_SERVE_CONFIG
      value: /etc/tailscale/serve.json
    - name: TS_ENABLE_HEALTH_CHECK
      value: "true"
    - name: TS_LOCAL_ADDR_PORT
      value: "0.0.0.0:9002"
    - name: HOME
      value: /tmp
    {{- with .Values.tailscale.extraArgs }}
    - name: TS_EXTRA_ARGS
      value: {{ join " " . | quote }}
    {{- end }}
  ports:
    - name: ts-health
      containerPort: 9002
  # Whether the process is there, and no more: its /healthz fails whenever the tailnet is out of reach, and neither a restart
  # nor taking n8n off its Service would mend that.
  livenessProbe:
    tcpSocket:
      port: ts-health
    initialDelaySeconds: 60
    periodSeconds: 30
    failureThreshold: 5
  resources:
    {{- toYaml .Values.tailscale.resources | nindent 4 }}
  volumeMounts:
    - name: tailscale-config
      mountPath: /etc/tailscale
      readOnly: true
    - name: tailscale-state
      mountPath: /var/lib/tailscale
    # Not n8n's: the socket in it commands the node.
    - name: tailscale-tmp
      mountPath: /tmp
{{- end -}}

{{- define "n8n.tailscale.volumes" -}}
- name: tailscale-config
  configMap:
    name: {{ include "n8n.fullname" . }}-tailscale
- name: tailscale-state
  {{- if .Values.tailscale.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "n8n.fullname" . }}-tailscale
  {{- else }}
  emptyDir:
    sizeLimit: 64Mi
  {{- end }}
- name: tailscale-tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end -}}
