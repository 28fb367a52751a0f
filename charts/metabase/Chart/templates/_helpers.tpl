{{/* Name of the application in labels. */}}
{{- define "metabase.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the objects. 50 characters leave room for suffixes within the 63 of a DNS label. */}}
{{- define "metabase.fullname" -}}
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
{{- define "metabase.selectorLabels" -}}
app.kubernetes.io/name: {{ include "metabase.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{/* Labels of every object. */}}
{{- define "metabase.labels" -}}
app.kubernetes.io/name: {{ include "metabase.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* (dict "image" IMAGE "tag" DEFAULT-TAG "context" .): an image's reference. */}}
{{- define "metabase.image" -}}
{{- $registry := default .image.registry .context.Values.global.imageRegistry -}}
{{- printf "%s/%s:%s" $registry .image.repository (default .tag .image.tag) -}}
{{- end -}}

{{- define "metabase.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "metabase.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The subchart's name for its objects, by the subchart's own rule: its Service, its Secret and its client label follow from it. */}}
{{- define "metabase.postgresql.fullname" -}}
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
{{- define "metabase.database" -}}
{{- if .Values.postgresql.enabled -}}
{{- $auth := .Values.postgresql.auth -}}
host: {{ include "metabase.postgresql.fullname" . }}
port: 5432
database: {{ $auth.database | quote }}
username: {{ $auth.username | quote }}
{{- if $auth.existingSecret }}
secret: {{ tpl $auth.existingSecret . }}
key: {{ $auth.secretKeys.userPasswordKey }}
{{- else }}
secret: {{ include "metabase.postgresql.fullname" . }}
key: password
{{- end }}
{{- else -}}
{{- $db := .Values.externalDatabase -}}
{{- if not $db.host -}}
{{- fail "metabase: postgresql.enabled is false, so externalDatabase.host has to name a PostgreSQL server" -}}
{{- end -}}
host: {{ $db.host | quote }}
port: {{ $db.port }}
database: {{ $db.database | quote }}
username: {{ $db.username | quote }}
secret: {{ tpl $db.existingSecret . }}
key: {{ $db.existingSecretPasswordKey }}
{{- end -}}
{{- end -}}

{{/* The address that Metabase puts into mails and links; empty: it takes what the first administrator's browser says. */}}
{{- define "metabase.siteUrl" -}}
{{- if .Values.metabase.siteUrl -}}
{{- .Values.metabase.siteUrl | trimSuffix "/" -}}
{{- else if .Values.ingress.enabled -}}
{{- printf "%s://%s%s" (ternary "https" "http" .Values.ingress.tls.enabled) .Values.ingress.host .Values.ingress.path | trimSuffix "/" -}}
{{- end -}}
{{- end -}}
