package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/spf13/pflag"
)

type builderVerbFlags struct {
	*common
	namespace, kubeconfig, context string
	org, form, account, format     string
	apply                          bool
}

func builderVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	b := &builderVerbFlags{common: repositoryFlags(f)}
	f.StringVar(&b.namespace, "namespace", "", "the builders' namespace (default: build.driver-opts in chartgate.yaml, then the context's; for rbac the organisation's name)")
	f.StringVar(&b.kubeconfig, "kubeconfig", "", "the kubeconfig file (default: the variable KUBECONFIG, then ~/.kube/config, then the pod's service account)")
	f.StringVar(&b.context, "context", "", "the context of the kubeconfig file")
	f.StringVar(&b.format, "format", "text", "text or json, for ls")
	f.StringVar(&b.org, "org", "", "the organisation, for rbac (default: the variable CI_PROJECT_ROOT_NAMESPACE)")
	f.StringVar(&b.form, "form", string(kubernetes.FormAdmin), "admin: creates builders; use: builds on those that are there (for rbac)")
	f.StringVar(&b.account, "service-account", "", "the service account that gets the rights, for rbac (default: made of the organisation's name)")
	f.BoolVar(&b.apply, "apply", false, "apply what rbac prints")
	return b.run
}

func (b *builderVerbFlags) run(ctx context.Context, args []string, std stdio) (int, error) {
	if len(args) == 0 {
		return 0, &usageError{"nothing to do", "chartgate builder ls, rm NAME…, prune or rbac --org NAME"}
	}
	acts := map[string]func(context.Context, []string, stdio, *config.Config) (int, error){"ls": b.list, "rm": b.remove, "prune": b.prune, "rbac": b.rbac}
	act := acts[args[0]]
	switch {
	case act == nil:
		return 0, &usageError{fmt.Sprintf("chartgate builder does not know %q", args[0]), "it knows ls, rm, prune and rbac"}
	case args[0] == "rm" && len(args) == 1:
		return 0, &usageError{"rm needs the names of builders", "chartgate builder ls lists them"}
	case args[0] != "rm" && len(args) > 1:
		return 0, &usageError{fmt.Sprintf("unexpected argument %q", args[1]), ""}
	}
	_, cfg, err := b.load(std)
	if err != nil {
		return 0, err
	}
	return act(ctx, args[1:], std, cfg)
}

// connect reaches the cluster that the flags name, or else the configuration of the driver.
func (b *builderVerbFlags) connect(std stdio, cfg *config.Config, namespace string) (*kubernetes.Client, error) {
	given := map[string]string{}
	if cfg.Build.Driver == "kubernetes" {
		given = cfg.Build.DriverOpts
	}
	host := driver.Host{Env: std.Env, Log: func(line string) { fmt.Fprintln(std.Err, line) }}
	return kubernetes.Connect(cmp.Or(b.kubeconfig, given["kubeconfig"]), cmp.Or(b.context, given["context"]), cmp.Or(namespace, given["namespace"]), host)
}

func (b *builderVerbFlags) list(ctx context.Context, _ []string, std stdio, cfg *config.Config) (int, error) {
	if b.format != "text" && b.format != "json" {
		return 0, &usageError{fmt.Sprintf("unknown format %q", b.format), "formats are text and json"}
	}
	client, err := b.connect(std, cfg, b.namespace)
	if err != nil {
		return 0, err
	}
	builders, err := client.List(ctx)
	if err != nil {
		return 0, err
	}
	if b.format == "json" {
		e := json.NewEncoder(std.Out)
		e.SetIndent("", "  ")
		list := []any{}
		for _, i := range builders {
			list = append(list, builderJSON(i))
		}
		return exitClean, e.Encode(map[string]any{"schema": 1, "builders": list})
	}
	w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tORG\tREFS\tKIND\tREADY\tAGE\tIDLE\tREMOVED AFTER\tVERSION")
	now := time.Now()
	for _, i := range builders {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\n", i.Name, i.Org, refs(i), i.Kind, i.Ready, i.Wanted, age(now, i.Created), age(now, i.LastUse), ttl(i), i.Version)
		for _, p := range i.Pods {
			fmt.Fprintf(w, "  pod %s\t\t\t\t%s\t\t\t\t%s\n", p.Name, p.State, p.Node)
		}
	}
	return exitClean, w.Flush()
}

// builderJSON is a builder as ls --format json prints it: times in RFC 3339, "" where
// there is none, durations in seconds.
func builderJSON(i kubernetes.BuilderInfo) map[string]any {
	pods := []any{}
	for _, p := range i.Pods {
		pods = append(pods, map[string]any{"name": p.Name, "node": p.Node, "state": p.State, "ready": p.Ready})
	}
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	return map[string]any{
		"name": i.Name, "namespace": i.Namespace, "org": i.Org, "protected": i.Protected, "kind": i.Kind, "ready": i.Ready, "wanted": i.Wanted, "image": i.Image,
		"version": i.Version, "created": stamp(i.Created), "lastUse": stamp(i.LastUse), "expires": stamp(i.Expires), "ttl": i.TTL.Seconds(), "removing": i.Removing, "pods": pods,
	}
}

func refs(i kubernetes.BuilderInfo) string {
	if i.Protected {
		return "protected"
	}
	return "all others"
}

func age(now, since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	d := now.Sub(since).Round(time.Second)
	if d > time.Minute {
		d = d.Round(time.Minute)
	}
	return strings.TrimSuffix(d.String(), "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(d.String(), "m0s")]
}

func ttl(i kubernetes.BuilderInfo) string {
	if i.TTL == 0 {
		return "never"
	}
	return strings.TrimSuffix(strings.TrimSuffix(i.TTL.String(), "0s"), "0m")
}

func (b *builderVerbFlags) remove(ctx context.Context, names []string, std stdio, cfg *config.Config) (int, error) {
	client, err := b.connect(std, cfg, b.namespace)
	if err != nil {
		return 0, err
	}
	code := exitClean
	for _, name := range names {
		if _, err := client.Remove(ctx, name); err != nil {
			code = max(code, complain(std.Err, err))
			continue
		}
		fmt.Fprintf(std.Out, "removed    %s\n", name)
	}
	return code, nil
}

func (b *builderVerbFlags) prune(ctx context.Context, _ []string, std stdio, cfg *config.Config) (int, error) {
	client, err := b.connect(std, cfg, b.namespace)
	if err != nil {
		return 0, err
	}
	removed, kept, err := client.Prune(ctx, time.Now())
	if err != nil {
		return 0, err
	}
	for _, i := range removed {
		fmt.Fprintf(std.Out, "removed    %s, idle since %s\n", i.Name, i.LastUse.UTC().Format(time.RFC3339))
	}
	for _, k := range kept {
		fmt.Fprintf(std.Out, "kept       %s: %s\n", k.Builder.Name, k.Reason)
	}
	fmt.Fprintf(std.Out, "%d removed\n", len(removed))
	return exitClean, nil
}

func (b *builderVerbFlags) rbac(ctx context.Context, _ []string, std stdio, cfg *config.Config) (int, error) {
	org := cmp.Or(b.org, std.Env("CI_PROJECT_ROOT_NAMESPACE"))
	if org == "" {
		return 0, &usageError{"rbac needs an organisation", "--org NAME"}
	}
	namespace := cmp.Or(b.namespace, org)
	docs, err := kubernetes.RBAC(org, namespace, cmp.Or(b.account, kubernetes.ServiceAccountName(org)), kubernetes.Form(b.form))
	if err != nil {
		return 0, &usageError{err.Error(), "--namespace, --service-account and --form set what is not as it should be"}
	}
	if !b.apply {
		_, err := std.Out.Write(docs)
		return exitClean, err
	}
	client, err := b.connect(std, cfg, namespace)
	if err != nil {
		return 0, err
	}
	applied, err := client.Apply(ctx, docs)
	for _, what := range applied {
		fmt.Fprintf(std.Out, "applied    %s in %s\n", what, namespace)
	}
	return exitClean, err
}
