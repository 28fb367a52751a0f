// Command chartgate is the gate that every Helm chart passes before it is
// published.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/sirupsen/logrus"
	"k8s.io/klog/v2"
)

// version is stamped by the Makefile.
var version = "dev"

func main() {
	silenceLibraries()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	dir, _ := os.Getwd()
	code := run(ctx, os.Args[1:], stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, LookupEnv: os.LookupEnv, Dir: dir, Name: os.Args[0], Self: selfCommand()})
	stop()
	os.Exit(code)
}

// silenceLibraries ends what Helm's, BuildKit's and Kubernetes' packages print here and
// there: what matters of it comes back as an error.
func silenceLibraries() {
	log.SetOutput(io.Discard)
	logrus.SetOutput(io.Discard)
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	klog.InitFlags(flags)
	flags.Set("logtostderr", "false")
	klog.SetOutput(io.Discard)
}
