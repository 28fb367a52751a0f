package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/gate"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/store"
	"github.com/chartgate/chartgate/internal/ui"
	"github.com/spf13/pflag"
)

// common are the flags of the verbs that look at charts.
type common struct {
	flags               *pflag.FlagSet
	root, config        string
	charts, exclude     []string
	checks, mirrors     []string
	jobs                int
	failOn, kubeVersion string
	base, branch        string
	minScore            int
	rules               []string
	yamlConfig          string
	nearest, plainHTTP  bool
	offline             bool
	caFile              string
	reports             []string
	verbose, touched    bool
	cache               cacheFlags
}

// repositoryFlags are those of every verb that reads a repository's configuration.
func repositoryFlags(f *pflag.FlagSet) *common {
	c := &common{flags: f}
	f.StringVar(&c.root, "root", "", "the repository's root (default: the nearest folder above with chartgate.yaml or .git)")
	f.StringVar(&c.config, "config", "", "configuration file, relative to the root (default chartgate.yaml)")
	return c
}

func commonFlags(f *pflag.FlagSet) *common {
	c := repositoryFlags(f)
	f.StringArrayVar(&c.charts, "charts", nil, "glob of charts' folders (repeatable; default charts/*)")
	f.StringArrayVar(&c.exclude, "exclude", nil, "glob of folders to leave out (repeatable)")
	f.IntVar(&c.jobs, "jobs", 0, "how many jobs run at once (default: one per processor)")
	f.StringArrayVar(&c.mirrors, "mirror", nil, "FROM=TO: ask TO for what dependencies want of the repository prefix FROM; a folder TO stands in (repeatable)")
	f.BoolVar(&c.offline, "offline", false, "take dependencies from the store only, as they were when they were fetched")
	f.BoolVar(&c.plainHTTP, "plain-http", false, "speak HTTP without TLS to registries")
	f.StringVar(&c.caFile, "ca-file", "", "PEM file of authorities that registries are trusted by, besides the system's")
	return c
}

func (c *common) checkFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&c.checks, "check", nil, "check to run (repeatable; default: all)")
	f.StringVar(&c.failOn, "fail-on", "error", "severity from which findings fail the run: error or warning")
	f.StringArrayVar(&c.rules, "rule", nil, "CHECK/RULE=SEVERITY: error, warning, info or off (repeatable)")
	f.StringVar(&c.kubeVersion, "kube-version", "", "Kubernetes version to render for (default: the newest known)")
	f.IntVar(&c.minScore, "kubesec-min-score", 0, "a lower kubesec score is an error")
	f.StringVar(&c.yamlConfig, "yaml-lint-config", "", "yamllint configuration, relative to the root")
	f.BoolVar(&c.nearest, "yaml-lint-nearest", false, "use the .yamllint nearest to each file")
	f.StringVar(&c.base, "base", "", "revision that versions are compared with (default: as CI or git says)")
	f.StringArrayVar(&c.reports, "report", nil, "FORMAT=FILE: write a report; formats are json, junit, codequality and text (repeatable)")
	f.BoolVar(&c.touched, "touched", false, "arguments are changed files: look at the charts they belong to and what depends on those, and at nothing when there are none")
	c.cache.register(f)
	f.BoolVarP(&c.verbose, "verbose", "v", false, "print findings of severity info too")
}

// load finds the root, reads the configuration and applies the flags.
func (c *common) load(std stdio) (root string, cfg *config.Config, err error) {
	if root, err = c.findRoot(std); err != nil {
		return "", nil, err
	}
	cfg, err = config.Load(os.DirFS(root), c.config, std.Env)
	var conf *config.Error
	switch {
	case errors.As(err, &conf):
		return "", nil, err
	case err != nil:
		return "", nil, &usageError{err.Error(), ""}
	}
	return root, cfg, c.apply(cfg)
}

func (c *common) findRoot(std stdio) (string, error) {
	if c.root != "" {
		root := absolute(std.Dir, c.root)
		if info, err := os.Stat(root); err != nil || !info.IsDir() {
			return "", &usageError{fmt.Sprintf("--root %q is not a folder", c.root), ""}
		}
		return root, nil
	}
	for dir := std.Dir; ; dir = filepath.Dir(dir) {
		for _, mark := range []string{config.FileName, ".git"} {
			if _, err := os.Stat(filepath.Join(dir, mark)); err == nil {
				return dir, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return std.Dir, nil
		}
	}
}

func absolute(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}

// apply sets what was given on the command line.
func (c *common) apply(cfg *config.Config) error {
	set := func(name string, do func()) {
		if f := c.flags.Lookup(name); f != nil && f.Changed {
			do()
		}
	}
	set("charts", func() { cfg.Charts = c.charts })
	set("exclude", func() { cfg.Exclude = c.exclude })
	set("jobs", func() { cfg.Jobs = c.jobs })
	set("fail-on", func() { cfg.FailOn = c.failOn })
	set("kube-version", func() { cfg.KubeVersion = c.kubeVersion })
	set("kubesec-min-score", func() { cfg.Kubesec.MinScore = c.minScore })
	set("yaml-lint-config", func() { cfg.YAMLLint.Config = c.yamlConfig })
	set("yaml-lint-nearest", func() { cfg.YAMLLint.Nearest = c.nearest })
	set("offline", func() { cfg.Offline = c.offline })
	set("plain-http", func() { cfg.PlainHTTP = c.plainHTTP })
	set("ca-file", func() { cfg.CAFile = c.caFile })
	set("default-branch", func() { cfg.Branch = c.branch })
	if cfg.FailOn != "error" && cfg.FailOn != "warning" {
		return &usageError{fmt.Sprintf("--fail-on %q is neither error nor warning", cfg.FailOn), ""}
	}
	if cfg.Jobs < 0 {
		return &usageError{fmt.Sprintf("--jobs %d is less than none", cfg.Jobs), ""}
	}
	var err error
	if cfg.Mirrors, err = withPairs(cfg.Mirrors, "--mirror", "FROM=TO", c.mirrors); err != nil {
		return err
	}
	cfg.Rules, err = withPairs(cfg.Rules, "--rule", "CHECK/RULE=SEVERITY", c.rules)
	return err
}

// withPairs adds KEY=VALUE arguments to a map.
func withPairs(m map[string]string, flag, form string, pairs []string) (map[string]string, error) {
	out := map[string]string{}
	for k, v := range m {
		out[k] = v
	}
	for _, p := range pairs {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" || v == "" {
			return nil, &usageError{fmt.Sprintf("%s %q is not %s", flag, p, form), ""}
		}
		out[k] = v
	}
	return out, nil
}

// options are the gate's options for these flags; charts are the arguments.
func (c *common) options(std stdio, root string, cfg *config.Config, charts []string, plainHosts ...string) (gate.Options, func(), error) {
	var only []string
	for _, arg := range charts {
		name, err := below(std.Dir, root, arg)
		if err != nil {
			return gate.Options{}, nil, err
		}
		only = append(only, name)
	}
	caFile := cfg.CAFile
	if caFile != "" {
		caFile = absolute(root, caFile)
	}
	kept, err := openStore(std)
	if err != nil {
		return gate.Options{}, nil, err
	}
	client, err := registry.New(registry.Options{PlainHTTP: cfg.PlainHTTP, PlainHTTPHosts: plainHosts, CAFile: caFile, TokenHosts: cfg.TokenHosts, Indexes: deps.IndexMemory(kept), UserAgent: "chartgate/" + version, Env: std.Env})
	if err != nil {
		return gate.Options{}, nil, &usageError{err.Error(), ""}
	}
	results, err := c.cache.open(std, kept, client)
	if err != nil {
		return gate.Options{}, nil, err
	}
	progress, unbound := ui.NewProgress(std.Err, std.Env), boundMemory(std.Env)
	return gate.Options{
		Root: root, Config: cfg, ConfigFile: c.config, Checks: c.checks, Only: only, Touched: c.touched, Base: c.base, Env: std.Env,
		Registry: client, Store: kept, Cache: results, Progress: progress.Update,
	}, func() { progress.Done(); unbound(); closeCache(std.Err, results); kept.Close() }, nil
}

// below turns an argument into a path below the root; what is no path stays, since it may be a chart's name.
func below(dir, root, arg string) (string, error) {
	full := absolute(dir, arg)
	if _, err := os.Lstat(full); errors.Is(err, fs.ErrNotExist) && !strings.ContainsRune(arg, filepath.Separator) {
		return arg, nil
	}
	rel, err := filepath.Rel(root, full)
	if err != nil || !filepath.IsLocal(rel) {
		return "", &usageError{fmt.Sprintf("%q lies outside of %s", arg, root), "--root names another repository"}
	}
	return filepath.ToSlash(rel), nil
}

func openStore(std stdio) (*store.Store, error) {
	dir := std.Env("CHARTGATE_CACHE_DIR")
	if dir == "" {
		var err error
		if dir, err = store.DefaultDir(); err != nil {
			return store.InMemory(store.Options{}), nil // no home: keep what is fetched for this run
		}
	}
	return store.Open(dir, store.Options{Fallback: true})
}
