package main

import (
	"context"

	"github.com/chartgate/chartgate/internal/buildkit/driver/local"
	"github.com/spf13/pflag"
)

// superviseVerb is not for people: the local driver starts it to have its daemon ended
// whatever becomes of the run.
func superviseVerb(*pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	return func(ctx context.Context, args []string, std stdio) (int, error) {
		return exitClean, local.Supervise(ctx, args, std.In, std.Out)
	}
}
