package generate

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
)

// words are what values are named after.
var words = strings.Fields("image service ingress persistence resources autoscaling probes security metrics network storage backup cron sidecar logging tracing cache queue worker scheduler gateway proxy session upload search index")

// Name is the name of the i-th chart.
func Name(i int) string { return fmt.Sprintf("app-%s-%03d", words[i%len(words)], i) }

// chart is the i-th chart.
func (w *writer) chart(i int, r *rand.Rand, repository string) {
	name, at := Name(i), "charts/"+Name(i)
	dependencies := []string{dependency("library", repository, "")}
	if r.IntN(2) == 0 {
		dependencies = append(dependencies, dependency("database", repository, "    condition: database.enabled\n"))
	}
	if r.IntN(3) == 0 {
		dependencies = append(dependencies, dependency("cache", repository, "    condition: cache.enabled\n    alias: cache\n"))
	}
	w.file(at+"/Chart.yaml", meta(name, fmt.Sprintf("1.%d.%d", r.IntN(30), r.IntN(10)), "application", dependencies...))
	w.file(at+"/values.yaml", values(name, 40+r.IntN(120), r))
	w.file(at+"/README.md", "# "+name+"\n\nMade by a generator.\n")
	w.file(at+"/.helmignore", ".git\n*.bak\n")
	w.templates(at, 1+r.IntN(3), r.IntN(2) == 0)
	if r.IntN(3) == 0 {
		w.file(at+"/ci/ha-values.yaml", "replicaCount: 3\nautoscaling:\n  enabled: true\n  minReplicas: 3\n  maxReplicas: 9\ningress:\n  enabled: true\n")
	}
}

// sub is a chart that others take in.
func (w *writer) sub(at, name string, port int, repository string) {
	r := rand.New(rand.NewPCG(uint64(port), 1))
	w.file(at+"/Chart.yaml", meta(name, SharedVersion, "application", dependency("library", repository, "")))
	w.file(at+"/values.yaml", values(name, 60, r))
	w.templates(at, 1, false)
}

// values is a values file with n blocks of comments and settings.
func values(name string, n int, r *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Values of %s.\n# Everything here may be overridden.\n\nnameOverride: \"\"\nfullnameOverride: \"\"\nreplicaCount: 1\ncommonLabels: {}\npodAnnotations: {}\nglobal:\n  imageRegistry: \"\"\n", name)
	fmt.Fprintf(&b, "image:\n  registry: registry.example.com\n  repository: team/%s\n  tag: 1.27.3\n  digest: \"\"\n  pullPolicy: IfNotPresent\n", name)
	b.WriteString("service:\n  type: ClusterIP\n  port: 8080\ningress:\n  enabled: false\n  hostname: app.example.com\n  tls: true\nautoscaling:\n  enabled: false\n  minReplicas: 1\n  maxReplicas: 5\n")
	b.WriteString("resources:\n  requests:\n    cpu: 100m\n    memory: 128Mi\n  limits:\n    cpu: 500m\n    memory: 512Mi\ndatabase:\n  enabled: true\ncache:\n  enabled: true\nauth:\n  username: admin\n  password: \"\"\ntls:\n  enabled: true\n")
	b.WriteString("configuration: |\n  listen 8080;\n  name {{ .Release.Name }};\n  replicas {{ .Values.replicaCount }};\nextra:\n")
	for i := range n {
		word := words[r.IntN(len(words))]
		fmt.Fprintf(&b, "  ## @section %s, part %d\n  ## @param extra.%s%d.enabled Whether this part of the %s is there.\n  ## @param extra.%s%d.size How large it may become.\n  ##\n", word, i, word, i, word, word, i)
		fmt.Fprintf(&b, "  %s%d:\n    enabled: %v\n    size: %dGi\n    name: %s-%d\n    labels:\n      part: %s\n      index: \"%d\"\n    items:\n", word, i, r.IntN(2) == 0, 1+r.IntN(64), word, i, word, i)
		for k := range 1 + r.IntN(4) {
			fmt.Fprintf(&b, "      - name: item-%d\n        value: %s\n", k, words[r.IntN(len(words))])
		}
	}
	return b.String()
}

// templates are those of an application: workers says how many Deployments there are.
func (w *writer) templates(at string, workers int, cron bool) {
	t := at + "/templates/"
	w.file(t+"_helpers.tpl", "{{- define \"app.selector\" -}}\napp.kubernetes.io/name: {{ .Chart.Name }}\napp.kubernetes.io/instance: {{ .Release.Name }}\n{{- end -}}\n")
	w.file(t+"NOTES.txt", "{{ include \"library.fullname\" . }} listens on {{ .Values.service.port }}.\n")
	head := func(api, kind, suffix string) string {
		return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata:\n  name: {{ include \"library.fullname\" . }}" + suffix + "\n  namespace: {{ .Release.Namespace | quote }}\n" +
			"  labels: {{- include \"library.labels\" (dict \"customLabels\" .Values.commonLabels \"context\" $) | nindent 4 }}\n"
	}
	for i := range workers {
		w.file(fmt.Sprintf("%sdeployment-%d.yaml", t, i), head("apps/v1", "Deployment", fmt.Sprintf("-%d", i))+pods)
	}
	w.file(t+"service.yaml", head("v1", "Service", "")+"spec:\n  type: {{ .Values.service.type }}\n  ports:\n    - name: http\n      port: {{ .Values.service.port }}\n      targetPort: http\n  selector: {{- include \"app.selector\" . | nindent 4 }}\n")
	w.file(t+"serviceaccount.yaml", head("v1", "ServiceAccount", "")+"automountServiceAccountToken: false\n")
	w.file(t+"configmap.yaml", head("v1", "ConfigMap", "")+"data:\n  app.conf: |\n    {{- include \"library.render\" (dict \"value\" .Values.configuration \"context\" $) | nindent 4 }}\n  extra.yaml: |\n    {{- range $name, $part := .Values.extra }}\n    {{- if $part.enabled }}\n    {{ $name }}: {{ $part | toJson }}\n    {{- end }}\n    {{- end }}\n")
	w.file(t+"secret.yaml", head("v1", "Secret", "")+"type: Opaque\ndata:\n  username: {{ .Values.auth.username | b64enc }}\n  password: {{ default (randAlphaNum 24) .Values.auth.password | b64enc }}\n")
	w.file(t+"tls-secret.yaml", "{{- if .Values.tls.enabled }}\n{{- $ca := genCA (printf \"%s-ca\" (include \"library.fullname\" .)) 365 }}\n{{- $names := list (include \"library.fullname\" .) (printf \"%s.%s.svc\" (include \"library.fullname\" .) .Release.Namespace) }}\n{{- $cert := genSignedCert (include \"library.fullname\" .) nil $names 365 $ca }}\n"+
		head("v1", "Secret", "-tls")+"type: kubernetes.io/tls\ndata:\n  tls.crt: {{ $cert.Cert | b64enc }}\n  tls.key: {{ $cert.Key | b64enc }}\n  ca.crt: {{ $ca.Cert | b64enc }}\n{{- end }}\n")
	w.file(t+"hpa.yaml", "{{- if .Values.autoscaling.enabled }}\n"+head("autoscaling/v2", "HorizontalPodAutoscaler", "")+"spec:\n  minReplicas: {{ .Values.autoscaling.minReplicas }}\n  maxReplicas: {{ .Values.autoscaling.maxReplicas }}\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {{ include \"library.fullname\" . }}-0\n{{- end }}\n")
	w.file(t+"ingress.yaml", "{{- if .Values.ingress.enabled }}\n"+head("networking.k8s.io/v1", "Ingress", "")+"spec:\n  rules:\n    - host: {{ .Values.ingress.hostname }}\n      http:\n        paths:\n          - path: /\n            pathType: Prefix\n            backend:\n              service:\n                name: {{ include \"library.fullname\" . }}\n                port:\n                  name: http\n{{- end }}\n")
	w.file(t+"networkpolicy.yaml", head("networking.k8s.io/v1", "NetworkPolicy", "")+"spec:\n  podSelector:\n    matchLabels: {{- include \"app.selector\" . | nindent 6 }}\n  policyTypes: [Ingress]\n  ingress:\n    - ports:\n        - port: {{ .Values.service.port }}\n")
	w.file(t+"pdb.yaml", head("policy/v1", "PodDisruptionBudget", "")+"spec:\n  maxUnavailable: 1\n  selector:\n    matchLabels: {{- include \"app.selector\" . | nindent 6 }}\n")
	if cron {
		w.file(t+"cronjob.yaml", head("batch/v1", "CronJob", "-backup")+"spec:\n  schedule: \"0 3 * * *\"\n  jobTemplate:\n    spec:\n"+indent(pods[strings.Index(pods, "  template:"):], 4))
	}
}

// pods is the rest of a Deployment.
const pods = `spec:
  replicas: {{ .Values.replicaCount }}
  selector:
    matchLabels: {{- include "app.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "library.labels" (dict "customLabels" .Values.commonLabels "context" $) | nindent 8 }}
    spec:
      serviceAccountName: {{ include "library.fullname" . }}
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: app
          image: {{ include "library.image" (dict "image" .Values.image "global" .Values.global) }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            runAsNonRoot: true
            runAsUser: 10001
            capabilities:
              drop: [ALL]
          ports:
            - name: http
              containerPort: {{ .Values.service.port }}
          envFrom:
            - configMapRef:
                name: {{ include "library.fullname" . }}
          resources: {{- toYaml .Values.resources | nindent 12 }}
`

var nindent = regexp.MustCompile(`nindent (\d+)`)

// indent moves a part of a template to the right, with what it indents itself.
func indent(text string, by int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Repeat(" ", by) + line)
	}
	return nindent.ReplaceAllStringFunc(b.String(), func(call string) string {
		n, _ := strconv.Atoi(strings.TrimPrefix(call, "nindent "))
		return fmt.Sprintf("nindent %d", n+by)
	})
}
