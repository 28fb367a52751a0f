package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/chartgate/chartgate/internal/buildkit/driver/local"
	"github.com/chartgate/chartgate/internal/buildkit/driver/remote"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/lint/checks"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated documentation anew")

// TestDocs fails when a page that is made from code is out of date.
func TestDocs(t *testing.T) {
	var rules, cli, drivers bytes.Buffer
	reference(&rules, checks.List(checks.Options{}))
	commandLine(&cli)
	driverOptions(&drivers)
	for name, want := range map[string][]byte{
		"checks.md":             rules.Bytes(),
		"cli.md":                cli.Bytes(),
		"drivers.md":            drivers.Bytes(),
		"chartgate.schema.json": config.Schema(),
	} {
		name = filepath.Join("..", "..", "docs", name)
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is out of date; go test ./cmd/chartgate -run TestDocs -update writes it anew: %s", name, diff)
		}
	}
}

// commandLine is docs/cli.md.
func commandLine(w *bytes.Buffer) {
	fmt.Fprintf(w, "# Command line\n\nMade from the flags themselves, as `chartgate help VERB` prints them.\n\n"+
		"Exit codes: 0 clean; 1 findings at or above the failing severity, a check that could not run, or a refused publish; 2 usage or configuration; 3 chartgate or a service that it needs failed.\n")
	for _, v := range verbs() {
		flags, _ := v.flags()
		fmt.Fprintf(w, "\n## chartgate %s\n\n%s\n\n```\nchartgate %s\n", v.name, strings.ToUpper(v.doc[:1])+v.doc[1:]+".", v.usage())
		if usages := flags.FlagUsages(); usages != "" {
			fmt.Fprintf(w, "\n%s", usages)
		}
		fmt.Fprint(w, "```\n")
	}
	fmt.Fprint(w, "\n## Variables\n\nEach key of chartgate.yaml has one, which flags override: lists are separated by commas, maps are FROM=TO pairs separated by commas, anything else is YAML.\n\n")
	for _, name := range config.Variables() {
		fmt.Fprintf(w, "- `%s`\n", name)
	}
	fmt.Fprint(w, "- `CHARTGATE_CACHE_DIR`: where fetched dependencies are kept; the user's cache folder when empty\n")
}

// driverOptions is docs/drivers.md.
func driverOptions(w *bytes.Buffer) {
	fmt.Fprint(w, "# Drivers\n\nMade from the code. Options follow `--driver-opt`, several separated by commas; a pair whose value holds a comma goes into double quotes: "+
		"`--driver-opt '\"labels=a=1,b=2\"'`. In chartgate.yaml they are keys of `build.driver-opts`. An unknown one is refused. [building.md](building.md) says which driver is for what.\n")
	for _, d := range []struct {
		name    string
		options []driver.Option
	}{{"local", local.Options()}, {"remote", remote.Options()}, {"kubernetes", kubernetes.OptionDocs()}} {
		fmt.Fprintf(w, "\n## %s\n\n| Option | Value | |\n|---|---|---|\n", d.name)
		for _, o := range d.options {
			fmt.Fprintf(w, "| `%s` | %s | %s |\n", o.Name, o.Type, strings.ReplaceAll(o.Doc, "|", "\\|"))
		}
	}
	fmt.Fprintf(w, "\n## Rights of the Kubernetes driver\n\n`chartgate builder rbac` prints a Role with these, in one of two forms.\n\n%s", kubernetes.RightsMarkdown())
}
