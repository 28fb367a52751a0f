package main

import (
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/chartgate/chartgate/internal/buildkit/driver/local"
	"github.com/chartgate/chartgate/internal/buildkit/driver/remote"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/spf13/pflag"
)

// builderFlags say which builder a verb wants.
type builderFlags struct {
	driverName, builder string
	driverOpts          []string
}

func (b *builderFlags) register(f *pflag.FlagSet) {
	f.StringVar(&b.driverName, "driver", "", "local, remote or kubernetes (default: remote where BUILDKIT_HOST is set, else local)")
	f.StringArrayVar(&b.driverOpts, "driver-opt", nil, "KEY=VALUE,…: options of the driver (repeatable)")
	f.StringVar(&b.builder, "builder", "", "the builder's name (kubernetes), or its address (remote)")
}

// driver makes the driver that flags, configuration and environment name.
func (b *builderFlags) driver(std stdio, cfg *config.Config) (driver.Driver, string, error) {
	name, given, err := b.choice(std, cfg)
	if err != nil {
		return nil, "", err
	}
	host := driver.Host{Env: std.Env, Self: std.Self, Log: func(line string) { fmt.Fprintf(std.Err, "%s: %s\n", name, line) }}
	var d driver.Driver
	switch name {
	case "local":
		d, err = local.New(given, host)
	case "remote":
		d, err = remote.New(given, host)
	case "kubernetes":
		d, err = kubernetes.New(given, host)
	}
	return d, name, err
}

// choice is the driver's name, and its options.
func (b *builderFlags) choice(std stdio, cfg *config.Config) (name string, given map[string]string, err error) {
	name = cfg.Build.Driver
	if b.driverName != "" {
		name = b.driverName
	}
	if name == "" {
		name = "local"
		if std.Env("BUILDKIT_HOST") != "" || strings.Contains(b.builder, "://") {
			name = "remote"
		}
	}
	given = map[string]string{}
	if name == cfg.Build.Driver || cfg.Build.Driver == "" {
		maps.Copy(given, cfg.Build.DriverOpts)
	}
	flags, err := driver.ParseOptions(name, b.driverOpts)
	if err != nil {
		return "", nil, err
	}
	maps.Copy(given, flags)
	switch {
	case name != "local" && name != "remote" && name != "kubernetes":
		return "", nil, &usageError{fmt.Sprintf("there is no driver %q", name), "drivers are local, remote and kubernetes"}
	case b.builder == "":
	case name == "local":
		return "", nil, &usageError{"--builder names a builder, and the local driver starts its own", "--driver remote or kubernetes, or no --builder"}
	case name == "remote":
		given["endpoint"] = b.builder
	default:
		given["builder"] = b.builder
	}
	return name, given, nil
}

// selfCommand is how this program runs itself again, to look after a daemon.
func selfCommand() []string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return []string{self, superviseName}
}
