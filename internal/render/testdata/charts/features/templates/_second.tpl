{{- define "features.twice" }}second{{ end -}}
{{- define "features.empty" }}{{ end -}}
