package gate

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"

	"github.com/chartgate/chartgate/internal/cache"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/lint/checks/chartschema"
	"github.com/chartgate/chartgate/internal/lint/checks/kubeseccheck"
	"github.com/chartgate/chartgate/internal/lint/checks/lintandtest"
	"github.com/chartgate/chartgate/internal/lint/checks/yamlcheck"
)

// remember makes the cache of results. A check that is not named here is never cached, so that a
// new one begins by saying what its verdict depends on.
func (g *run) remember() {
	if g.Cache == nil || g.NoLint {
		return
	}
	config := map[string]string{
		lintandtest.Name:  "",
		chartschema.Name:  "",
		kubeseccheck.Name: strconv.Itoa(g.Config.Kubesec.MinScore),
	}
	if digest, ok := g.yamlConfig.digest(g); ok {
		config[yamlcheck.Name] = digest
	}
	g.results = lint.NewCache(g.Cache, program(), config)
}

// program tells programs apart that may find differently. The build says which sources and modules
// a released one is made of; another is known by its file.
var program = sync.OnceValue(func() string {
	parts := []string{"seed", seed}
	info, ok := debug.ReadBuildInfo()
	modified, revision := "", ""
	if ok {
		parts = append(parts, info.String())
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.modified":
				modified = s.Value
			case "vcs.revision":
				revision = s.Value
			}
		}
	}
	if revision == "" || modified != "false" {
		self, err := os.Executable()
		if err == nil {
			var file os.FileInfo
			if file, err = os.Stat(self); err == nil {
				parts = append(parts, fmt.Sprint(file.Size(), file.ModTime().UnixNano()))
			}
		}
		if err != nil { // nothing is known, so nothing is shared with other runs
			parts = append(parts, strconv.Itoa(os.Getpid()))
		}
	}
	return string(cache.Sum(parts...))
})

// consulted notes which files a configuration was made of, and what they held.
type consulted struct {
	mu    sync.Mutex
	files map[string]string // digests, by name
	root  string            // of the repository: runners keep clones in different places
	all   *nearestConfig    // finds more of them, nil if there are no more
}

// through wraps a function that reads files.
func (c *consulted) through(read func(string) ([]byte, error)) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		data, err := read(name)
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if rel, err := filepath.Rel(c.root, name); err == nil && filepath.IsLocal(rel) {
				name = filepath.ToSlash(rel)
			}
			c.files[name] = string(cache.Sum(string(data)))
		}
		return data, err
	}
}

// digest is one of all the files that lead to the configuration of any file of the charts. It is
// not ok where one of them cannot be read.
func (c *consulted) digest(g *run) (string, bool) {
	if c.all != nil {
		for _, s := range g.subjects {
			dirs := []string{s.Chart.Root}
			for _, p := range s.Chart.Paths() {
				if slices.Contains(configNames, path.Base(p)) {
					dirs = append(dirs, path.Dir(path.Join(s.Chart.Root, p)))
				}
			}
			for _, dir := range dirs {
				if _, err := c.all.of(path.Join(dir, "values.yaml")); err != nil {
					return "", false
				}
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	parts := []string{strconv.FormatBool(c.all != nil)}
	for name := range c.files {
		parts = append(parts, name+"\x00"+c.files[name])
	}
	slices.Sort(parts)
	return string(cache.Sum(parts...)), true
}
