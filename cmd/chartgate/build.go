package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/images"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/spf13/pflag"
)

type buildFlags struct {
	*common
	builderFlags
	add                                              images.Flags
	args, labels, contexts, hosts, attest            []string
	provenance, sbom, progress, metadata, dotenv, id string
	changedSince                                     string
	dryRun, print, quiet                             bool
}

func buildVerb(f *pflag.FlagSet) func(context.Context, []string, stdio) (int, error) {
	b := &buildFlags{common: repositoryFlags(f)}
	b.register(f)
	f.StringArrayVar(&b.args, "build-arg", nil, "NAME=VALUE, or NAME for the environment's value (repeatable)")
	f.StringArrayVar(&b.add.Secrets, "secret", nil, "id=ID,src=FILE or id=ID,env=VARIABLE, for RUN --mount=type=secret (repeatable)")
	f.StringArrayVar(&b.add.SSH, "ssh", nil, "default, or ID=SOCKET|KEY, for RUN --mount=type=ssh (repeatable)")
	f.StringArrayVar(&b.labels, "label", nil, "NAME=VALUE of the image (repeatable)")
	f.StringArrayVarP(&b.add.Tags, "tag", "t", nil, "reference to push to, instead of the configured ones (repeatable; one image)")
	f.StringSliceVar(&b.add.Platforms, "platform", nil, "platforms to build for (repeatable, or separated by commas)")
	f.StringVar(&b.add.Target, "target", "", "the stage to build")
	f.StringVarP(&b.add.Dockerfile, "file", "f", "", "the Dockerfile, relative to the working directory")
	f.StringArrayVar(&b.contexts, "build-context", nil, "NAME=FOLDER or NAME=docker-image://REFERENCE: a further context (repeatable)")
	f.StringArrayVar(&b.add.CacheFrom, "cache-from", nil, "where build cache is taken from: a reference, or type=TYPE,… (repeatable)")
	f.StringArrayVar(&b.add.CacheTo, "cache-to", nil, "where build cache is kept: type=registry,ref=REFERENCE,mode=max (repeatable)")
	f.BoolVar(&b.add.Push, "push", false, "push to the registry of each tag")
	f.StringArrayVarP(&b.add.Outputs, "output", "o", nil, "type=oci|docker|local|tar,dest=PATH or type=image,name=REFERENCE,push=true (repeatable)")
	f.BoolVar(&b.add.NoCache, "no-cache", false, "build every step anew")
	f.StringSliceVar(&b.add.NoCacheOf, "no-cache-filter", nil, "build these stages anew")
	f.BoolVar(&b.add.Pull, "pull", false, "look base images up even when the builder has them")
	f.StringVar(&b.add.Network, "network", "", "the network of RUN: default, none or host")
	f.StringArrayVar(&b.hosts, "add-host", nil, "NAME:ADDRESS for /etc/hosts of RUN (repeatable)")
	f.StringSliceVar(&b.add.Allow, "allow", nil, "entitlements: network.host, security.insecure")
	f.StringArrayVar(&b.attest, "attest", nil, "type=provenance|sbom,…: attestations (repeatable; none without)")
	f.StringVar(&b.provenance, "provenance", "", "true, or mode=max: short for --attest type=provenance")
	f.StringVar(&b.sbom, "sbom", "", "true: short for --attest type=sbom")
	f.StringVar(&b.changedSince, "changed-since", "", "revision: only images with changes since, and those that depend on them")
	f.StringVar(&b.progress, "progress", "auto", strings.Join(buildkit.ProgressModes, ", "))
	f.BoolVarP(&b.quiet, "quiet", "q", false, "short for --progress quiet")
	f.StringVar(&b.metadata, "metadata-file", "", "write what was built as JSON, by image")
	f.StringVar(&b.dotenv, "dotenv-file", "", "write references with digests as variables, for later jobs")
	f.StringVar(&b.id, "iidfile", "", "write the digest of the image (one image)")
	f.IntVar(&b.jobs, "jobs", 0, "how many images are built at once (default: one per processor)")
	f.BoolVar(&b.plainHTTP, "plain-http", false, "speak HTTP without TLS to registries")
	f.BoolVar(&b.dryRun, "dry-run", false, "say what would be built and pushed, and start nothing")
	f.BoolVar(&b.print, "print", false, "print the images as JSON, with everything filled in, and build nothing")
	return b.run
}

func (b *buildFlags) run(ctx context.Context, args []string, std stdio) (int, error) {
	root, cfg, err := b.load(std)
	if err != nil {
		return 0, err
	}
	code, err := b.runIn(ctx, args, std, root, cfg)
	return code, images.Locate(err, root, b.config)
}

func (b *buildFlags) runIn(ctx context.Context, args []string, std stdio, root string, cfg *config.Config) (int, error) {
	if err := b.pairs(std); err != nil {
		return 0, err
	}
	facts, err := images.FactsOf(ctx, root, std.Env)
	if err != nil {
		return 0, err
	}
	selected, err := b.selected(ctx, std, root, cfg, args)
	if err != nil {
		return 0, err
	}
	if len(selected) == 0 {
		fmt.Fprintln(std.Out, "nothing to build")
		return exitClean, nil
	}
	setting := images.Setting{Root: root, Dir: std.Dir, Build: cfg.Build, Facts: facts, Flags: b.add, Env: std.Env, Lookup: b.lookup(std)}
	list, err := setting.Expand(selected)
	if err != nil {
		return 0, err
	}
	if asked := len(selected) - count(selected, func(d *images.Definition) bool { return d.Needed }); b.id != "" && asked > 1 {
		return 0, &usageError{fmt.Sprintf("--iidfile would be written by %d images", asked), "name one image"}
	}
	if b.print {
		return exitClean, buildkit.Print(std.Out, list)
	}
	if b.dryRun {
		printBuildPlan(std.Out, list)
		return exitClean, nil
	}
	client, err := registry.New(registry.Options{PlainHTTP: cfg.PlainHTTP, UserAgent: "chartgate/" + version, Env: std.Env})
	if err != nil {
		return 0, err
	}
	d, name, err := b.driver(std, cfg)
	if err != nil {
		return 0, err
	}
	run := &buildkit.Run{Root: root, Key: facts.Key(), Driver: d, Jobs: cfg.Jobs, PlainHTTP: client.PlainHTTP, Stdout: std.Out,
		Credentials: func(ctx context.Context, host string) buildkit.Credential {
			c := client.Credential(ctx, host)
			return buildkit.Credential{Username: c.Username, Password: c.Password, IdentityToken: c.RefreshToken, RegistryToken: c.AccessToken}
		}}
	if cfg.Build.Reproducible {
		run.Epoch = facts.Epoch
	}
	return b.build(ctx, std, run, name, list)
}

// selected are the images that the arguments name, or all; of these only the changed
// ones where that is asked for; and what they need.
func (b *buildFlags) selected(ctx context.Context, std stdio, root string, cfg *config.Config, args []string) ([]*images.Definition, error) {
	all, err := images.Discover(root, cfg)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, arg := range args {
		name, err := below(std.Dir, root, arg)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(all, func(d *images.Definition) bool { return d.Name == arg || d.Place == name })
		if at < 0 && (strings.Contains(name, "/") || name == "." || name != arg) {
			d, err := images.OfFolder(name)
			if err != nil {
				return nil, err
			}
			all, at = append(all, d), len(all)
		}
		if at >= 0 {
			arg = all[at].Name
		}
		names = append(names, arg)
	}
	if b.changedSince != "" {
		files, err := images.ChangedSince(ctx, root, b.changedSince)
		if err != nil {
			return nil, changedError(err)
		}
		reached := images.Affected(all, func(d *images.Definition) bool { return d.Changed(root, files) })
		if len(names) == 0 {
			names = reached
		} else {
			names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(reached, n) })
		}
		if len(names) == 0 {
			return nil, nil
		}
	}
	if len(all) == 0 {
		return nil, &usageError{"there are no images here", "images: in chartgate.yaml, or a folder images/NAME with a Dockerfile, defines one"}
	}
	return images.Select(all, names)
}

func count[T any](list []T, is func(T) bool) int {
	n := 0
	for _, x := range list {
		if is(x) {
			n++
		}
	}
	return n
}

// pairs reads the flags that are NAME=VALUE.
func (b *buildFlags) pairs(std stdio) error {
	var err error
	read := func(flag, separator string, given []string) map[string]string {
		out := map[string]string{}
		for _, text := range given {
			k, v, ok := strings.Cut(text, separator)
			if flag == "--build-arg" && !ok {
				if v, ok = b.lookup(std)(k); !ok {
					continue // as Docker has it: the Dockerfile's own default stays
				}
			}
			if (!ok || k == "") && err == nil {
				err = &usageError{fmt.Sprintf("%s %q is not NAME%sVALUE", flag, text, separator), ""}
			}
			out[k] = v
		}
		return out
	}
	b.add.Args, b.add.Labels = read("--build-arg", "=", b.args), read("--label", "=", b.labels)
	b.add.Contexts, b.add.Hosts = read("--build-context", "=", b.contexts), read("--add-host", ":", b.hosts)
	if err != nil {
		return err
	}
	b.add.Attest, err = buildkit.ParseAttest(b.attest, b.provenance, b.sbom)
	if b.quiet {
		b.progress = "quiet"
	}
	return err
}

// lookup tells an empty variable from one that is not set, where the process is asked.
func (b *buildFlags) lookup(std stdio) func(string) (string, bool) {
	if std.LookupEnv != nil {
		return std.LookupEnv
	}
	return func(name string) (string, bool) { v := std.Env(name); return v, v != "" }
}
