{{/*
The provisioning files of the data sources, one template each. What links them (uids loki, mimir and tempo) is fixed, so that
dashboards can rely on it; a link is there only when both ends are.
*/}}

{{/* (dict "kind" "loki" "type" TYPE "jsonData" DEFAULTS "context" .): one data source as YAML. */}}
{{- define "grafana.datasource" -}}
{{- $all := .context.Values.datasources -}}
{{- $this := index $all .kind -}}
{{- $json := .jsonData -}}
{{- $_ := set $json "timeout" $all.timeout -}}
{{- range $key, $value := $this.jsonData -}}
{{- $_ := set $json $key $value -}}
{{- end -}}
{{- $secure := dict -}}
{{- /* Last of all, so that no jsonData replaces the header: it is what keeps an organisation to its own data. */ -}}
{{- with default $all.tenant $this.tenant -}}
{{- $_ := set $json "httpHeaderName1" "X-Scope-OrgID" -}}
{{- $_ := set $secure "httpHeaderValue1" . -}}
{{- end -}}
{{- $source := dict "name" $this.name "uid" .kind "type" .type "access" "proxy" "url" $this.url "editable" false "isDefault" (eq .kind "mimir") -}}
{{- if $this.basicAuth.enabled -}}
{{- /* Grafana puts its own environment in for the variables: the password is in no ConfigMap. */ -}}
{{- $_ := set $source "basicAuth" true -}}
{{- $_ := set $source "basicAuthUser" (printf "$DATASOURCE_%s_USERNAME" (upper .kind)) -}}
{{- $_ := set $secure "basicAuthPassword" (printf "$DATASOURCE_%s_PASSWORD" (upper .kind)) -}}
{{- end -}}
{{- $_ := set $source "jsonData" $json -}}
{{- with $secure -}}
{{- $_ := set $source "secureJsonData" . -}}
{{- end -}}
{{- toYaml $source -}}
{{- end -}}

{{- define "grafana.datasource.loki" -}}
{{- $json := dict "maxLines" 2000 -}}
{{- if .Values.datasources.tempo.enabled -}}
{{- /* "$$" is Grafana's way to write a "$" that is no variable of the environment. */ -}}
{{- $field := dict "name" "TraceID" "matcherRegex" "(?:traceID|trace_id|traceId)[\"=:\\s]+([0-9a-fA-F]{16,32})" "datasourceUid" "tempo" "url" "$${__value.raw}" -}}
{{- $_ := set $json "derivedFields" (list $field) -}}
{{- end -}}
{{- include "grafana.datasource" (dict "kind" "loki" "type" "loki" "jsonData" $json "context" .) -}}
{{- end -}}

{{- define "grafana.datasource.mimir" -}}
{{- $json := dict "httpMethod" "POST" "prometheusType" "Mimir" "timeInterval" "60s" "manageAlerts" true -}}
{{- if .Values.datasources.tempo.enabled -}}
{{- $_ := set $json "exemplarTraceIdDestinations" (list (dict "name" "trace_id" "datasourceUid" "tempo")) -}}
{{- end -}}
{{- include "grafana.datasource" (dict "kind" "mimir" "type" "prometheus" "jsonData" $json "context" .) -}}
{{- end -}}

{{- define "grafana.datasource.tempo" -}}
{{- $json := dict "nodeGraph" (dict "enabled" true) -}}
{{- $tags := list (dict "key" "service.name" "value" "service_name") -}}
{{- if .Values.datasources.loki.enabled -}}
{{- $_ := set $json "tracesToLogsV2" (dict "datasourceUid" "loki" "spanStartTimeShift" "-10m" "spanEndTimeShift" "10m" "filterByTraceID" true "tags" $tags) -}}
{{- end -}}
{{- if .Values.datasources.mimir.enabled -}}
{{- $_ := set $json "serviceMap" (dict "datasourceUid" "mimir") -}}
{{- $_ := set $json "tracesToMetrics" (dict "datasourceUid" "mimir" "spanStartTimeShift" "-10m" "spanEndTimeShift" "10m" "tags" $tags) -}}
{{- end -}}
{{- include "grafana.datasource" (dict "kind" "tempo" "type" "tempo" "jsonData" $json "context" .) -}}
{{- end -}}
