//go:build e2e

package engine

import (
	"context"
	"os"
	"testing"

	helm "helm.sh/helm/v3/pkg/engine"
)

// The two benchmarks render the chart in BENCH (a fixture without it) with
// Helm's engine and with this one; both load the chart apart from the clock.

func benchJob() oracleJob {
	if dir := os.Getenv("BENCH"); dir != "" {
		return oracleJob{"bench", dir, ""}
	}
	return oracleJob{"features", "../testdata/charts/features", ""}
}

func BenchmarkHelm(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		c, vals := prepare(b, benchJob())
		b.StartTimer()
		if _, err := helm.Render(c, vals); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExecute(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		c, vals := prepare(b, benchJob())
		b.StartTimer()
		if _, err := New(Options{}).Execute(context.Background(), c, vals); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExecuteAgain renders with an Engine that has parsed the chart.
func BenchmarkExecuteAgain(b *testing.B) {
	e := New(Options{})
	for b.Loop() {
		b.StopTimer()
		c, vals := prepare(b, benchJob())
		b.StartTimer()
		if _, err := e.Execute(context.Background(), c, vals); err != nil {
			b.Fatal(err)
		}
	}
}
