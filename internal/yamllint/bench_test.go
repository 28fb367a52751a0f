package yamllint

import (
	"bytes"
	"fmt"
	"testing"
)

// valuesLike makes a text like the values files of charts: commented keys, nested mappings, some lists.
func valuesLike(size int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `## @section Component %[1]d
##
component%[1]d:
  ## @param component%[1]d.enabled Whether the component is deployed
  ##
  enabled: true
  image:
    registry: registry.example.com
    repository: platform/component-%[1]d
    tag: "1.%[1]d.0"
    pullPolicy: IfNotPresent
  ## Resources of the main container
  ## e.g:
  ## resources:
  ##   limits:
  ##     cpu: 1
  ##
  resources: {}
  podLabels: {app: component, tier: backend}
  args: ["--port", '8080']
  env:
    - name: HOME
      value: /srv
    - name: LANG
      value: C.UTF-8
  description: |
    A longer text
    over several lines.

`, i)
	}
	return b.Bytes()
}

func BenchmarkLint(b *testing.B) {
	for _, cfg := range []struct {
		name string
		cfg  *Config
	}{{"default", Default()}, {"relaxed", Relaxed()}, {"charts", ForCharts()}} {
		for _, size := range []int{10 << 10, 1 << 20, 16 << 20} {
			text := valuesLike(size)
			b.Run(fmt.Sprintf("%s/%dKiB", cfg.name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					Lint(text, "values.yaml", cfg.cfg)
				}
			})
		}
	}
}

func BenchmarkScan(b *testing.B) {
	text := valuesLike(1 << 20)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s := newScanner(text)
		var t Token
		for s.next(&t) {
		}
	}
}

// BenchmarkLongLine shows that the time grows with the size and not faster, on texts made to hurt.
func BenchmarkLongLine(b *testing.B) {
	for name, unit := range map[string]string{"flow": "[a, ", "pairs": "{a: b, c: d}, ", "quotes": "'a b' ", "word": "x", "colons": "a:b ", "hashes": "# "} {
		for _, size := range []int{512 << 10, 5 << 20} {
			text := []byte("k: [" + string(bytes.Repeat([]byte(unit), size/len(unit))) + "\n")
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				cfg := Default()
				for b.Loop() {
					Lint(text, "x.yaml", cfg)
				}
			})
		}
	}
}
