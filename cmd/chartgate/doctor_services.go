package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/chartgate/chartgate/internal/buildkit/driver/local"
	"github.com/chartgate/chartgate/internal/buildkit/driver/remote"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/doctor"
	"github.com/chartgate/chartgate/internal/publish"
	"github.com/chartgate/chartgate/internal/registry"
)

// registryTime bounds asking one registry: a doctor need not wait as a build would.
const registryTime = 20 * time.Second

// services are what lies beyond the machine. An error is a wrong option of the driver that
// was named: that one is missing is for a probe to say.
func (d *doctorFlags) services(ctx context.Context, std stdio, root string, cfg *config.Config, options map[string]map[string]string) (doctor.Services, error) {
	host := driver.Host{Env: std.Env, Self: std.Self, Log: func(string) {}}
	inCluster := options[doctor.Kubernetes]
	s := doctor.Services{Repository: root, Org: cmp.Or(inCluster["org"], std.Env("CI_PROJECT_ROOT_NAMESPACE"))}
	s.Cluster = func() (*kubernetes.Client, error) {
		if _, err := kubernetes.New(inCluster, host); err != nil {
			return nil, err
		}
		return kubernetes.Connect(inCluster["kubeconfig"], inCluster["context"], inCluster["namespace"], host)
	}
	s.Remote = func(ctx context.Context) error {
		r, err := remote.New(options[doctor.Remote], host)
		if err != nil {
			return err
		}
		return r.Start(ctx)
	}
	check := map[string]func() error{
		doctor.Local:      func() error { _, err := local.New(options[doctor.Local], host); return err },
		doctor.Remote:     func() error { _, err := remote.New(options[doctor.Remote], host); return err },
		doctor.Kubernetes: func() error { _, err := kubernetes.New(inCluster, host); return err },
	}[d.driverName]
	if check != nil {
		var wrong *driver.OptionError
		if err := check(); errors.As(err, &wrong) && options[d.driverName][wrong.Option] != "" {
			return s, err
		}
	}
	caFile := cfg.CAFile
	if caFile != "" {
		caFile = absolute(root, caFile)
	}
	var err error
	s.Registry, err = registry.New(registry.Options{PlainHTTP: cfg.PlainHTTP, CAFile: caFile, TokenHosts: cfg.TokenHosts, UserAgent: "chartgate/" + version,
		Env: std.Env, Timeout: registryTime, Retries: -1})
	if err != nil {
		return s, &usageError{err.Error(), ""}
	}
	s.References = pushedTo(std, cfg)
	return s, nil
}

// pushedTo are the repositories that the configuration, or else the pipeline, names: one
// for each registry. Tags that hold variables say too little.
func pushedTo(std stdio, cfg *config.Config) []registry.Reference {
	var refs []registry.Reference
	add := func(text string) {
		ref, err := registry.ParseReference(text)
		if err != nil || ref.Repository == "" || strings.Contains(text, "$") {
			return
		}
		if !slices.ContainsFunc(refs, func(r registry.Reference) bool { return r.Host == ref.Host }) {
			refs = append(refs, ref)
		}
	}
	add(cfg.Build.Repository)
	for _, name := range slices.Sorted(maps.Keys(cfg.Images)) {
		for _, tag := range cfg.Images[name].Tags {
			add(tag)
		}
	}
	if targets, err := publish.Targets(cfg.Publish.To, std.Env); err == nil {
		for _, t := range targets {
			if !t.Embedded {
				add(t.Ref.String())
			}
		}
	}
	add(std.Env("CI_REGISTRY_IMAGE"))
	return refs
}
