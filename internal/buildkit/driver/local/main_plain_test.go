//go:build linux && !e2e

package local

import "testing"

func testMain(m *testing.M) int { return m.Run() }
