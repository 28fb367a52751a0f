package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/chartgate/chartgate/internal/yamllint"
)

var configNames = []string{".yamllint", ".yamllint.yaml", ".yamllint.yml"}

// yamllint gives the configuration of each file: the one that the
// configuration names, else the one that yamllint would find from the root, else
// one fit for charts; with nearest, one beside the file or above it wins.
func (g *run) yamllint() (func(string) (*yamllint.Config, error), error) {
	g.yamlConfig = &consulted{files: map[string]string{}, root: g.Root}
	base, err := g.rootConfig()
	if err != nil {
		return nil, &UsageError{Err: err}
	}
	if !g.Config.YAMLLint.Nearest {
		return func(string) (*yamllint.Config, error) { return base, nil }, nil
	}
	nearest := &nearestConfig{fsys: g.fsys, base: base, seen: map[string]*yamllint.Config{}, note: g.yamlConfig}
	g.yamlConfig.all = nearest
	return nearest.of, nil
}

func (g *run) rootConfig() (*yamllint.Config, error) {
	if name := g.Config.YAMLLint.Config; name != "" {
		data, err := g.yamlConfig.through(g.readRoot)(path.Clean(name))
		if err != nil {
			return nil, fmt.Errorf("reading the yamllint configuration: %w", err)
		}
		return yamllint.ParseConfig(data, name, g.yamlConfig.through(g.readBeside))
	}
	home, _ := os.UserHomeDir()
	cfg, _, err := yamllint.FindConfig(yamllint.Search{Dir: g.Root, Home: home, Getenv: g.Env, Open: g.yamlConfig.through(os.ReadFile)})
	if err != nil {
		return nil, err
	}
	if cfg == nil {
		cfg = yamllint.ForCharts()
	}
	return cfg, nil
}

func (g *run) readRoot(name string) ([]byte, error) { return fs.ReadFile(g.fsys, name) }

// readBeside reads what a configuration extends, never outside the repository.
func (g *run) readBeside(name string) ([]byte, error) {
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(g.Root, name)
		if err != nil {
			return nil, err
		}
		name = rel
	}
	return fs.ReadFile(g.fsys, path.Clean(filepath.ToSlash(name)))
}

// nearestConfig finds the .yamllint nearest to a file.
type nearestConfig struct {
	fsys fs.FS
	base *yamllint.Config
	note *consulted
	mu   sync.Mutex
	seen map[string]*yamllint.Config // by folder
}

func (n *nearestConfig) of(file string) (*yamllint.Config, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.in(path.Dir(file))
}

func (n *nearestConfig) in(dir string) (*yamllint.Config, error) {
	if cfg, ok := n.seen[dir]; ok {
		return cfg, nil
	}
	cfg, err := n.read(dir)
	if err == nil && cfg == nil {
		if dir == "." {
			cfg = n.base
		} else {
			cfg, err = n.in(path.Dir(dir))
		}
	}
	if err == nil {
		n.seen[dir] = cfg
	}
	return cfg, err
}

func (n *nearestConfig) readFile(name string) ([]byte, error) { return fs.ReadFile(n.fsys, name) }

func (n *nearestConfig) read(dir string) (*yamllint.Config, error) {
	for _, name := range configNames {
		name = path.Join(dir, name)
		data, err := n.note.through(n.readFile)(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the yamllint configuration: %w", err)
		}
		return yamllint.ParseConfig(data, name, func(p string) ([]byte, error) { return n.note.through(n.readFile)(path.Join(dir, p)) })
	}
	return nil, nil
}
