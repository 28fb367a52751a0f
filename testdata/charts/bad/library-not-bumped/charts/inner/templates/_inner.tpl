{{- define "inner.colour" }}green{{ end }}
