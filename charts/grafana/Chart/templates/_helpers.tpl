{{/* Name of the application in labels. */}}
{{- define "grafana.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the objects. 50 characters leave room for suffixes within the 63 of a DNS label. */}}
{{- define "grafana.fullname" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name $release -}}
{{- $release | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods: must never change within a release. */}}
{{- define "grafana.selectorLabels" -}}
app.kubernetes.io/name: {{ include "grafana.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{/* Labels of every object. */}}
{{- define "grafana.labels" -}}
app.kubernetes.io/name: {{ include "grafana.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* (dict "image" IMAGE "tag" DEFAULT-TAG "context" .): an image's reference. */}}
{{- define "grafana.image" -}}
{{- $registry := default .image.registry .context.Values.global.imageRegistry -}}
{{- printf "%s/%s:%s" $registry .image.repository (default .tag .image.tag) -}}
{{- end -}}

{{- define "grafana.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "grafana.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The subchart's name for its objects, by the subchart's own rule: its Service, its Secret and its client label follow from it. */}}
{{- define "grafana.postgresql.fullname" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- $name := default "postgresql" .Values.postgresql.nameOverride -}}
{{- if .Values.postgresql.fullnameOverride -}}
{{- .Values.postgresql.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name $release -}}
{{- $release | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The database as YAML: host, port, database, username, secret, key. Parse it with fromYaml. */}}
{{- define "grafana.database" -}}
{{- if .Values.postgresql.enabled -}}
{{- $auth := .Values.postgresql.auth -}}
host: {{ include "grafana.postgresql.fullname" . }}
port: 5432
database: {{ $auth.database | quote }}
username: {{ $auth.username | quote }}
{{- if $auth.existingSecret }}
secret: {{ tpl $auth.existingSecret . }}
key: {{ $auth.secretKeys.userPasswordKey }}
{{- else }}
secret: {{ include "grafana.postgresql.fullname" . }}
key: password
{{- end }}
{{- else -}}
{{- $db := .Values.externalDatabase -}}
{{- if not $db.host -}}
{{- fail "grafana: postgresql.enabled is false, so externalDatabase.host has to name a PostgreSQL server" -}}
{{- end -}}
host: {{ $db.host | quote }}
port: {{ $db.port }}
database: {{ $db.database | quote }}
username: {{ $db.username | quote }}
secret: {{ tpl $db.existingSecret . }}
key: {{ $db.existingSecretPasswordKey }}
{{- end -}}
{{- end -}}

{{/* Whether there is a Redis that several servers can share. */}}
{{- define "grafana.hasRedis" -}}
{{- if or .Values.redis.enabled .Values.externalRedis.host -}}true{{- end -}}
{{- end -}}

{{/* The redis subchart's name for its objects, by the subchart's own rule. */}}
{{- define "grafana.redis.fullname" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- $name := default "redis" .Values.redis.nameOverride -}}
{{- if .Values.redis.fullnameOverride -}}
{{- .Values.redis.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name $release -}}
{{- $release | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The Redis as YAML: host, port, secret, key; no secret where there is no password. Parse it with fromYaml. */}}
{{- define "grafana.redis" -}}
{{- if .Values.redis.enabled -}}
{{- $auth := .Values.redis.auth -}}
host: {{ include "grafana.redis.fullname" . }}-master
port: 6379
{{- if not $auth.enabled }}
{{- else if $auth.existingSecret }}
secret: {{ tpl $auth.existingSecret . }}
key: {{ $auth.existingSecretPasswordKey }}
{{- else }}
secret: {{ include "grafana.redis.fullname" . }}
key: redis-password
{{- end }}
{{- else -}}
{{- $redis := .Values.externalRedis -}}
host: {{ $redis.host | quote }}
port: {{ $redis.port }}
{{- with $redis.existingSecret }}
secret: {{ tpl . $ }}
key: {{ $redis.existingSecretPasswordKey }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The address of Grafana, without a slash at the end. */}}
{{- define "grafana.rootUrl" -}}
{{- if .Values.grafana.rootUrl -}}
{{- .Values.grafana.rootUrl | trimSuffix "/" -}}
{{- else if .Values.ingress.enabled -}}
{{- printf "%s://%s%s" (ternary "https" "http" .Values.ingress.tls.enabled) .Values.ingress.host .Values.ingress.path | trimSuffix "/" -}}
{{- else -}}
http://localhost:3000
{{- end -}}
{{- end -}}
