package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/pflag"
)

func versionVerb(*pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	return func(_ context.Context, _ []string, std stdio) (int, error) {
		v := version
		if info, ok := debug.ReadBuildInfo(); ok && v == "dev" && info.Main.Version != "" {
			v = info.Main.Version
		}
		fmt.Fprintf(std.Out, "chartgate %s %s %s/%s\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return exitClean, nil
	}
}
