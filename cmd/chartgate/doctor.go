package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/doctor"
	"github.com/spf13/pflag"
)

type doctorFlags struct {
	*common
	builderFlags
	format, stage string
}

func doctorVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	d := &doctorFlags{common: repositoryFlags(f)}
	f.StringVar(&d.driverName, "driver", "", "local, remote or kubernetes: what this one needs (default: all, and which of them would work)")
	f.StringArrayVar(&d.driverOpts, "driver-opt", nil, "KEY=VALUE,…: options of the driver (repeatable)")
	f.StringVar(&d.builder, "builder", "", "the builder's name (kubernetes), or its address (remote)")
	f.StringVar(&d.format, "format", "text", "text or json")
	f.BoolVar(&d.plainHTTP, "plain-http", false, "speak HTTP without TLS to registries")
	f.StringVar(&d.stage, "attempt", "", "the part of an attempt that this process is to make")
	_ = f.MarkHidden("attempt") // the program starts itself with it
	return d.run
}

func (d *doctorFlags) run(ctx context.Context, _ []string, std stdio) (int, error) {
	self := []string{std.Name, "doctor", "--attempt"}
	if d.stage != "" {
		return exitClean, doctor.Attempts(d.stage, self, std.In, std.Out)
	}
	if d.format != "text" && d.format != "json" {
		return 0, &usageError{fmt.Sprintf("unknown format %q", d.format), "formats are text and json"}
	}
	root, cfg, err := d.load(std)
	if err != nil {
		return 0, err
	}
	var drivers []string
	if d.driverName != "" {
		drivers = []string{d.driverName}
	} else if len(d.driverOpts) > 0 || d.builder != "" {
		return 0, &usageError{"--driver-opt and --builder need --driver", "name the driver that they are for"}
	}
	options, err := d.options(std, cfg)
	if err != nil {
		return 0, err
	}
	services, err := d.services(ctx, std, root, cfg, options)
	if err != nil {
		return 0, err
	}
	m := doctor.Here(std.Env, self, options, services)
	report, err := doctor.Run(ctx, m, doctor.Probes(), drivers...)
	if err != nil {
		return 0, err
	}
	if d.format == "json" {
		err = printDoctorJSON(std.Out, report)
	} else {
		printDoctor(std.Out, report)
	}
	if err != nil || report.Works() {
		return exitClean, err
	}
	return exitFindings, nil
}

// options are those of each driver: of the command line for the one that it names, and
// of the configuration for the one that is configured.
func (d *doctorFlags) options(std stdio, cfg *config.Config) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, name := range doctor.Drivers() {
		b := builderFlags{driverName: name}
		if name == d.driverName {
			b = d.builderFlags
		}
		conf := *cfg
		if conf.Build.Driver == "" && len(conf.Build.DriverOpts) > 0 {
			conf.Build.Driver = d.defaultDriver(std)
		}
		var err error
		if _, out[name], err = b.choice(std, &conf); err != nil {
			return nil, err
		}
	}
	if d.driverName != "" && !slices.Contains(doctor.Drivers(), d.driverName) {
		return nil, &usageError{fmt.Sprintf("there is no driver %q", d.driverName), "drivers are " + strings.Join(doctor.Drivers(), ", ")}
	}
	return out, nil
}

func (d *doctorFlags) defaultDriver(std stdio) string {
	switch {
	case d.driverName != "":
		return d.driverName
	case std.Env("BUILDKIT_HOST") != "":
		return doctor.Remote
	}
	return doctor.Local
}

func printDoctorJSON(w io.Writer, report *doctor.Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Schema int               `json:"schema"`
		Tool   map[string]string `json:"tool"`
		*doctor.Report
	}{1, map[string]string{"name": "chartgate", "version": version}, report})
}

// printDoctor is for people: one line a probe, and below it what mends it.
func printDoctor(w io.Writer, report *doctor.Report) {
	width := 0
	for _, r := range report.Results {
		width = max(width, len(r.Probe))
	}
	var passed []string
	for _, r := range report.Results {
		if r.State == doctor.Skipped && r.Finding == doctor.NotNeeded {
			passed = append(passed, r.Probe)
			continue
		}
		fmt.Fprintf(w, "%-8s %-*s  %s\n", r.State, width, r.Probe, r.Finding)
		if r.State == doctor.OK {
			continue
		}
		for line := range strings.Lines(r.Detail) {
			fmt.Fprintf(w, "%*s  %s\n", width+9, "", strings.TrimRight(line, "\n"))
		}
		for _, fix := range r.Fixes {
			fmt.Fprintf(w, "%*s  %s:\n", width+9, "", fix.Where)
			for _, line := range fix.Lines {
				fmt.Fprintf(w, "%*s    %s\n", width+9, "", line)
			}
		}
	}
	if len(passed) > 0 {
		fmt.Fprintf(w, "\nnot looked at, as no driver that was asked for needs it: %s\n", strings.Join(passed, ", "))
	}
	fmt.Fprintln(w)
	for _, v := range report.Verdicts {
		if v.Works {
			fmt.Fprintf(w, "driver %s would work here\n", v.Driver)
			continue
		}
		fmt.Fprintf(w, "driver %s would not work here: %s\n", v.Driver, strings.Join(v.Problems, ", "))
	}
}
