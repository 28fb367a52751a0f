{{/* RELEASE-redis, or the release's own name where that says redis already. */}}
{{- define "redis.fullname" -}}
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

{{- define "redis.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: master
{{- end -}}

{{- define "redis.labels" -}}
{{ include "redis.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "redis.secretName" -}}
{{- if .Values.auth.existingSecret -}}
{{- tpl .Values.auth.existingSecret . -}}
{{- else -}}
{{- include "redis.fullname" . -}}
{{- end -}}
{{- end -}}

{{- define "redis.passwordKey" -}}
{{- if and .Values.auth.existingSecret .Values.auth.existingSecretPasswordKey -}}
{{- tpl .Values.auth.existingSecretPasswordKey . -}}
{{- else -}}
redis-password
{{- end -}}
{{- end -}}

{{- define "redis.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- if and (not .Values.global.security.allowInsecureImages) (not (hasPrefix "docker.io/bitnami/" (printf "%s/%s" $registry .Values.image.repository))) -}}
{{- fail (printf "redis: image %s/%s is not one of the original ones; set global.security.allowInsecureImages to accept it" $registry .Values.image.repository) -}}
{{- end -}}
{{- printf "%s/%s:%s" $registry .Values.image.repository .Values.image.tag -}}
{{- end -}}

{{- define "redis.serviceAccountName" -}}
{{- with .Values.master.serviceAccount -}}
{{- if .create -}}
{{- default (printf "%s-master" (include "redis.fullname" $)) .name -}}
{{- else -}}
{{- default "default" .name -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The password given, else the one in the cluster, else a random one. */}}
{{- define "redis.password" -}}
{{- $old := dig "data" "redis-password" "" (lookup "v1" "Secret" .Release.Namespace (include "redis.fullname" .)) -}}
{{- if .Values.auth.password -}}
{{- b64enc .Values.auth.password -}}
{{- else if $old -}}
{{- $old -}}
{{- else -}}
{{- randAlphaNum 32 | b64enc -}}
{{- end -}}
{{- end -}}
