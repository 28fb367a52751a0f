package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"
)

// defaultAddr is where serve listens.
const defaultAddr = "127.0.0.1:5000"

func serveVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	c := &common{flags: f}
	addr := f.String("addr", defaultAddr, "loopback address to listen at")
	f.StringVar(&c.root, "root", "", "the repository's root, below which .chartgate/registry lies")
	return func(ctx context.Context, _ []string, std stdio) (int, error) {
		root, err := c.findRoot(std)
		if err != nil {
			return 0, err
		}
		srv, err := openEmbedded(root)
		if err != nil {
			return 0, err
		}
		defer srv.Close()
		running, err := srv.Start(ctx, *addr)
		if err != nil {
			return 0, fmt.Errorf("serving the embedded registry at %q: %w", *addr, err)
		}
		fmt.Fprintf(std.Out, "serving %s at %s; interrupt to end\n", filepath.Join(root, embeddedDir), running.Addr)
		repos, err := srv.Repositories(ctx)
		if err != nil {
			return 0, err
		}
		for _, name := range repos {
			tags, err := srv.Tags(name)
			if err != nil {
				return 0, err
			}
			for _, tag := range tags {
				fmt.Fprintf(std.Out, "  oci://%s/%s:%s\n", running.Addr, name, tag)
			}
		}
		if err := running.Wait(); err != nil {
			return 0, err
		}
		return exitClean, nil
	}
}
