package gate

import (
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/lint"
	"github.com/chartgate/chartgate/internal/lint/checks/yamlcheck"
)

// keyChange is a key of the configuration that changed.
type keyChange struct {
	key string // "" for the file as a whole
	// concerns says for which charts the key matters; nil means all.
	concerns func(*node) bool
	spreads  bool // to what depends on those charts
}

// readConfig finds which keys of chartgate.yaml changed. What variables and
// flags say is taken to be the same before and after.
func (im *impact) readConfig() error {
	im.folderMirrors(im.Config)
	name := im.configFile()
	if !im.files.has(name) {
		return nil
	}
	if im.was == nil || im.was.cfg == nil {
		im.config = []keyChange{{}}
		return nil
	}
	now, err := fileConfig(im.fsys, name)
	if err != nil {
		return err
	}
	im.folderMirrors(im.was.cfg)
	im.folderMirrors(im.Config) // again: today's win
	before, after := reflect.ValueOf(im.was.cfg).Elem(), reflect.ValueOf(now).Elem()
	for i := range after.NumField() {
		if reflect.DeepEqual(before.Field(i).Interface(), after.Field(i).Interface()) {
			continue
		}
		if k, ok := im.effect(after.Type().Field(i).Tag.Get("yaml"), im.was.cfg, now); ok {
			im.config = append(im.config, k)
		}
	}
	return nil
}

// effect says what a key that changed does to a validation. A key that is not
// named here concerns every chart.
func (im *impact) effect(key string, before, after *config.Config) (keyChange, bool) {
	k := keyChange{key: key}
	switch key {
	case "jobs", "images", "build", "default-branch":
		return k, false
	case "publish":
		k.key = "publish.to"
		return k, !slices.Equal(before.Publish.To, after.Publish.To)
	case "charts", "exclude":
		counted := map[string]bool{}
		dirs, err := chart.Discover(im.fsys, before.Charts, before.Exclude)
		for _, d := range dirs {
			counted[d.Path] = true
		}
		if err == nil {
			k.concerns, k.spreads = func(n *node) bool { return !counted[n.path] }, true
		}
	case "values-sets":
		k.concerns = func(n *node) bool {
			return !reflect.DeepEqual(before.ValuesSets[n.name], after.ValuesSets[n.name])
		}
	case "mirrors":
		k.concerns, k.spreads = mirrored(before.Mirrors, after.Mirrors), true
	}
	return k, true
}

// mirrored reports of which charts a dependency may come from another place
// than before, now that the mirrors are others.
func mirrored(before, after map[string]string) func(*node) bool {
	var changed []string
	for from, to := range before {
		if after[from] != to {
			changed = append(changed, from)
		}
	}
	for from := range after {
		if _, ok := before[from]; !ok {
			changed = append(changed, from)
		}
	}
	return func(n *node) bool {
		if n.chart == nil || n.chart.Metadata() == nil {
			return false
		}
		for _, d := range n.chart.Metadata().Dependencies {
			if d != nil && slices.ContainsFunc(changed, func(from string) bool { return under(d.Repository, from) }) {
				return true
			}
		}
		return false
	}
}

// configured gives charts the reasons that changed configuration is.
func (im *impact) configured() error {
	for i, n := range im.nodes {
		for _, k := range im.config {
			// A folder that a chart depends on is none of the repository's charts, but its own dependencies may be redirected.
			if i >= im.charts && k.key != "mirrors" || k.concerns != nil && !k.concerns(n) {
				continue
			}
			n.reasons = append(n.reasons, Reason{Kind: ReasonConfiguration, File: im.configFile(), Key: k.key})
			n.spreads = n.spreads || k.spreads
		}
	}
	if file := im.Config.CAFile; file != "" && !filepath.IsAbs(file) && im.files.has(path.Clean(file)) {
		im.concern(path.Clean(file), ".")
	}
	if slices.ContainsFunc(im.checks, func(c lint.Check) bool { return c.Name == yamlcheck.Name }) {
		im.yamlConfigured()
	}
	return nil
}

// concern gives all charts below a folder, and one that holds it, a file of
// configuration as a reason.
func (im *impact) concern(file, below string) {
	for _, n := range im.nodes[:im.charts] {
		if within(n.root, below) && !within(file, n.root) {
			n.reasons = append(n.reasons, Reason{Kind: ReasonConfiguration, File: file})
		}
	}
}

// yamlConfigured finds changed configurations of yamllint: those in use, with
// all that they extend, and those that were, which only their names tell.
func (im *impact) yamlConfigured() {
	nearest := im.Config.YAMLLint.Nearest
	if nearest {
		im.readNearest()
	}
	used := im.yamlConfig.names(im.Root)
	for _, f := range im.files {
		known := slices.Contains(configNames, path.Base(f))
		above := path.Dir(f) == "." || strings.HasPrefix(f, "../") && strings.Trim(path.Dir(f), "./") == ""
		switch {
		case known && nearest && !strings.HasPrefix(f, "../"):
			im.concern(f, path.Dir(f))
		case slices.Contains(used, f):
			im.concern(f, ".")
		case known && above && im.Config.YAMLLint.Config == "":
			im.concern(f, ".")
		}
	}
}

// readNearest has all configurations read that lie in or above charts.
func (im *impact) readNearest() {
	for _, c := range im.repo.Charts {
		dirs := []string{c.Root}
		for _, p := range c.Paths() {
			if slices.Contains(configNames, path.Base(p)) {
				dirs = append(dirs, path.Dir(path.Join(c.Root, p)))
			}
		}
		for _, dir := range dirs {
			_, _ = im.yamlConfig.all.of(path.Join(dir, "values.yaml")) // what is wrong with it is the check's to say
		}
	}
}

// names are the files that were consulted, relative to the root.
func (c *consulted) names(root string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for name := range c.files {
		if filepath.IsAbs(name) {
			rel, err := filepath.Rel(root, name)
			if err != nil {
				continue
			}
			name = rel
		}
		out = append(out, path.Clean(filepath.ToSlash(name)))
	}
	return out
}
