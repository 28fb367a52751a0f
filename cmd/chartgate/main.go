// Command chartgate is the gate that every Helm chart passes before it is
// published.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
)

// version is stamped by the Makefile.
var version = "dev"

func main() {
	log.SetOutput(io.Discard) // Helm's packages print here and there
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	dir, _ := os.Getwd()
	code := run(ctx, os.Args[1:], stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Dir: dir, Name: os.Args[0]})
	stop()
	os.Exit(code)
}
