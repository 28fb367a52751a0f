{{- define "inner.colour" }}blue{{ end }}
