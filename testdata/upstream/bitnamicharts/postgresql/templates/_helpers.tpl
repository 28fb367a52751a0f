{{/* RELEASE-postgresql, or the release's own name where that says postgresql already. */}}
{{- define "postgresql.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $release := .Release.Name | lower | replace "." "-" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name $release -}}
{{- $release | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "postgresql.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: primary
{{- end -}}

{{- define "postgresql.labels" -}}
{{ include "postgresql.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "postgresql.secretName" -}}
{{- if .Values.auth.existingSecret -}}
{{- tpl .Values.auth.existingSecret . -}}
{{- else -}}
{{- include "postgresql.fullname" . -}}
{{- end -}}
{{- end -}}

{{/* Whether a user of its own owns the database, rather than the superuser. */}}
{{- define "postgresql.hasOwnUser" -}}
{{- if and .Values.auth.username (ne .Values.auth.username "postgres") -}}true{{- end -}}
{{- end -}}

{{/* Keys of the Secret: ours are fixed, those of an existing Secret are configured. */}}
{{- define "postgresql.adminPasswordKey" -}}
{{- ternary .Values.auth.secretKeys.adminPasswordKey "postgres-password" (not (empty .Values.auth.existingSecret)) -}}
{{- end -}}

{{- define "postgresql.userPasswordKey" -}}
{{- if not (include "postgresql.hasOwnUser" .) -}}
{{- include "postgresql.adminPasswordKey" . -}}
{{- else -}}
{{- ternary .Values.auth.secretKeys.userPasswordKey "password" (not (empty .Values.auth.existingSecret)) -}}
{{- end -}}
{{- end -}}

{{- define "postgresql.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- if and (not .Values.global.security.allowInsecureImages) (not (hasPrefix "docker.io/bitnami/" (printf "%s/%s" $registry .Values.image.repository))) -}}
{{- fail (printf "postgresql: image %s/%s is not one of the original ones; set global.security.allowInsecureImages to accept it" $registry .Values.image.repository) -}}
{{- end -}}
{{- printf "%s/%s:%s" $registry .Values.image.repository .Values.image.tag -}}
{{- end -}}

{{- define "postgresql.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "postgresql.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* (dict "given" VALUE "key" KEY "context" .): the password given, else the one in the cluster, else a random one. */}}
{{- define "postgresql.password" -}}
{{- $old := dig "data" .key "" (lookup "v1" "Secret" .context.Release.Namespace (include "postgresql.fullname" .context)) -}}
{{- if .given -}}
{{- b64enc .given -}}
{{- else if $old -}}
{{- $old -}}
{{- else -}}
{{- randAlphaNum 32 | b64enc -}}
{{- end -}}
{{- end -}}
