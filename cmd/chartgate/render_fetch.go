package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/gate"
	"github.com/chartgate/chartgate/internal/registry"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// resolve resolves the dependencies of a chart of the tree.
func (s *chartSource) resolve(ctx context.Context, root string, fsys fs.FS, c *chart.Chart) (*helmchart.Chart, error) {
	cfg, err := s.config(root)
	if err != nil {
		return nil, err
	}
	opts, done, err := s.run.common.options(s.run.std, root, cfg, nil)
	if err != nil {
		return nil, err
	}
	defer done()
	repo := chart.NewRepo([]*chart.Chart{c})
	targets := knownTargets(cfg.Publish.To, s.run.std.Env)
	if len(targets) > 0 { // a dependency may be a chart of this tree
		if repo, err = gate.Discover(ctx, opts); err != nil {
			return nil, err
		}
	}
	resolved, err := s.resolveWith(ctx, c, deps.Options{Registry: opts.Registry, Store: opts.Store, Repo: repo, FS: fsys, Dir: root,
		Mirrors: mirrorsOf(cfg), PublishTargets: targets})
	if err != nil {
		return nil, err
	}
	return resolved.Helm(), nil
}

func (s *chartSource) resolveWith(ctx context.Context, c *chart.Chart, opts deps.Options) (*deps.Resolved, error) {
	resolver, err := deps.New(opts)
	if err != nil {
		return nil, err
	}
	defer resolver.Close()
	return resolver.Resolve(ctx, c)
}

// config reads the configuration of the repository that root is the root of.
func (s *chartSource) config(root string) (*config.Config, error) {
	c := *s.run.common
	c.root = root
	if c.caFile != "" { // helm's --ca-file is relative to the working directory
		c.caFile = absolute(s.run.std.Dir, c.caFile)
	}
	_, cfg, err := c.load(s.run.std)
	return cfg, err
}

func mirrorsOf(cfg *config.Config) []deps.Mirror {
	var out []deps.Mirror
	for from, to := range cfg.Mirrors {
		out = append(out, deps.Mirror{From: from, To: to})
	}
	return out
}

// fetch fetches a chart from a registry or repository. What looks for the
// dependencies of charts looks for it, so mirrors, credentials and the store
// are the same: the chart is the only dependency of one that is made up.
func (s *chartSource) fetch(ctx context.Context) (*helmchart.Chart, error) {
	want, err := s.wanted()
	if err != nil {
		return nil, err
	}
	root, err := s.run.common.findRoot(s.run.std)
	if err != nil {
		return nil, err
	}
	cfg, err := s.config(root)
	if err != nil {
		return nil, err
	}
	opts, done, err := s.run.common.options(s.run.std, root, cfg, nil)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := knownRepository(want.Repository, opts.Registry); err != nil {
		return nil, err
	}
	c, err := standIn(want)
	if err != nil {
		return nil, err
	}
	resolved, err := s.resolveWith(ctx, c, deps.Options{Registry: opts.Registry, Store: opts.Store, Dir: root, Mirrors: mirrorsOf(cfg)})
	if err != nil {
		return nil, fetchFault(s.arg, err)
	}
	return resolved.Deps[0].Helm(), nil
}

// wanted says what CHART means that is no path: a reference of an OCI
// registry, a name in the repository that --repo gives, or REPOSITORY/NAME
// with the name of a repository that was added with helm repo add.
func (s *chartSource) wanted() (*helmchart.Dependency, error) {
	version := strings.TrimSpace(s.run.version)
	if version == "" && s.run.devel {
		version = ">0.0.0-0"
	}
	want := &helmchart.Dependency{Version: version}
	switch {
	case registry.IsOCI(s.arg):
		ref, err := registry.ParseReference(s.arg)
		if err != nil {
			return nil, err
		}
		if ref.Digest != "" {
			return nil, &usageError{fmt.Sprintf("%q has a digest", s.arg), "name a version with --version"}
		}
		if ref.Tag != "" {
			if version != "" && version != registry.VersionOf(ref.Tag) {
				return nil, fmt.Errorf("chart reference and version mismatch: %s is not %s", version, registry.VersionOf(ref.Tag))
			}
			want.Version = registry.VersionOf(ref.Tag)
		}
		want.Name, want.Repository = path.Base(ref.Repository), registry.Scheme+path.Join(ref.Host, path.Dir(ref.Repository))
	case strings.Contains(s.arg, "://"):
		return nil, &usageError{fmt.Sprintf("%q is a URL, and archives are not fetched from one", s.arg), "give the chart's name and the repository with --repo, or download the archive"}
	case s.run.repo != "":
		want.Name, want.Repository = s.arg, s.run.repo
	default:
		repo, name, ok := strings.Cut(s.arg, "/")
		if !ok || repo == "" || name == "" {
			return nil, fmt.Errorf("non-absolute URLs should be in form of repo_name/path_to_chart, got: %s", s.arg)
		}
		want.Name, want.Repository = name, "@"+repo
	}
	if want.Version == "" {
		want.Version = "*"
	}
	return want, nil
}

// knownRepository refuses a name that helm knows no repository under.
func knownRepository(repository string, client *registry.Client) error {
	name, named := strings.CutPrefix(repository, "@")
	if !named {
		return nil
	}
	_, ok, err := client.RepoByName(name)
	if err == nil && !ok {
		err = &usageError{fmt.Sprintf("repo %s not found", name), fmt.Sprintf("helm repo add %s URL adds it, and --repo takes a URL", name)}
	}
	return err
}

// standIn is a chart that has nothing but one dependency.
func standIn(want *helmchart.Dependency) (*chart.Chart, error) {
	data, err := yaml.Marshal(&helmchart.Metadata{APIVersion: helmchart.APIVersionV2, Name: "rendered", Version: "0.0.0", Dependencies: []*helmchart.Dependency{want}})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "chartgate-render-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "Chart.yaml"), data, 0o600); err != nil {
		return nil, err
	}
	c := chart.Load(os.DirFS(dir), chart.Dir{Path: ".", Root: "."}, chart.Limits{})
	if err := c.Err(); err != nil {
		return nil, &loadFault{err}
	}
	return c, nil
}

// fetchFault names what was asked for as it was given.
func fetchFault(arg string, err error) error {
	var all deps.Errors
	if errors.As(err, &all) && len(all) == 1 {
		return &fetchError{arg, all}
	}
	return err
}

// fetchError is a chart that could not be fetched.
type fetchError struct {
	arg string
	all deps.Errors
}

func (e *fetchError) Error() string { return fmt.Sprintf("fetching %q: %v", e.arg, e.all[0].Err) }
func (e *fetchError) Unwrap() error { return e.all }
