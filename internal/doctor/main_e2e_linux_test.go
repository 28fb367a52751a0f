//go:build e2e

package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
)

// TestMain lets the test binary be what makes attempts.
func TestMain(m *testing.M) {
	if len(os.Args) != 2 || !slices.Contains([]string{"rootlesskit", stageInside, stageProcess}, os.Args[1]) {
		os.Exit(m.Run())
	}
	if err := beStage(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func beStage(name string) error {
	self := []string{os.Args[0]}
	if name != "rootlesskit" {
		return Attempts(name, self, os.Stdin, os.Stdout)
	}
	var p Plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return err
	}
	t, err := byRootlesskit(context.Background(), self, p, Trial{})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(t)
}
