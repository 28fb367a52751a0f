package kubesec_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chartgate/chartgate/internal/kubesec"
)

// BenchmarkScan scores a platform's mix of objects: one workload in eight, as
// public charts render them.
func BenchmarkScan(b *testing.B) {
	var objects []map[string]any
	for i := range 1000 {
		manifest := "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}"
		if i%8 == 0 {
			manifest = fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%d, labels: {app: web, tier: front}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      securityContext: {runAsNonRoot: true, fsGroup: 1001}
      affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname}}]}}
      volumes: [{name: config, configMap: {name: c}}, {name: tmp, emptyDir: {}}]
      initContainers: [{name: init, image: i, securityContext: {runAsUser: 0}}]
      containers:
        - {name: web, image: i, env: [{name: A, value: b}, {name: C, value: d}], securityContext: {capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}, resources: {limits: {memory: 1Gi}}}
        - {name: metrics, image: i, args: [--verbose], ports: [{containerPort: 9090}]}
`, i)
		}
		objects = append(objects, object(b, manifest))
	}
	for _, bench := range []struct {
		name string
		pick func(i int) map[string]any
	}{
		{"mixed", func(i int) map[string]any { return objects[i%len(objects)] }},
		{"workloads", func(i int) map[string]any { return objects[i*8%len(objects)] }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := kubesec.New(kubesec.Options{})
			for i := 0; b.Loop(); i++ {
				if _, err := s.Scan(context.Background(), bench.pick(i)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
		})
	}
}
