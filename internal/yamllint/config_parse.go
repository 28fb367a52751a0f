package yamllint

import (
	"fmt"
	"strings"
)

// maxExtends bounds how many files may extend one another.
const maxExtends = 16

// configParser reads one configuration file.
type configParser struct {
	name  string
	open  func(path string) ([]byte, error)
	depth int
	cfg   *Config
}

// ParseConfig reads a configuration file, and those that it extends or takes patterns from, which open reads. Name is
// what errors call the file. Wrong settings are *ConfigError, with the reason that yamllint gives.
func ParseConfig(data []byte, name string, open func(path string) ([]byte, error)) (*Config, error) {
	return parseConfig(data, name, open, 0)
}

func parseConfig(data []byte, name string, open func(path string) ([]byte, error), depth int) (*Config, error) {
	if open == nil {
		open = func(path string) ([]byte, error) { return nil, fmt.Errorf("no other file can be read here: %q", path) }
	}
	p := &configParser{name: name, open: open, depth: depth}
	text, bad := decode(data)
	var root *node
	if bad == nil {
		root, bad = compose(text)
	}
	if bad != nil {
		return nil, p.fail(&node{mark: bad.Mark}, "%s", bad.Problem)
	}
	if root == nil || root.kind != mappingNode {
		return nil, p.fail(root, "not a mapping")
	}
	return p.config(root)
}

func (p *configParser) fail(n *node, format string, args ...any) error {
	e := &ConfigError{Name: p.name, Reason: fmt.Sprintf(format, args...)}
	if n != nil {
		e.Line, e.Column = n.mark.Line+1, n.mark.Column+1
	}
	return e
}

func (p *configParser) config(root *node) (*Config, error) {
	p.cfg = &Config{yamlFiles: defaultYAMLFiles()}
	if n := root.get("extends"); n != nil {
		if err := p.extend(n); err != nil {
			return nil, err
		}
	}
	ignore, err := p.ignore(root)
	if err != nil {
		return nil, err
	}
	if ignore != nil {
		p.cfg.ignore = ignore
	}
	if n := root.get("yaml-files"); n != nil {
		list, ok := stringList(n)
		if !ok {
			return nil, p.fail(n, "yaml-files should be a list of file patterns")
		}
		if p.cfg.yamlFiles, err = p.patterns(n, list); err != nil {
			return nil, err
		}
	}
	if n := root.get("locale"); n != nil {
		if err := p.locale(n); err != nil {
			return nil, err
		}
	}
	if n := root.get("rules"); n != nil {
		if err := p.rules(n); err != nil {
			return nil, err
		}
	}
	return p.cfg, nil
}

func defaultYAMLFiles() *patterns {
	p, err := newPatterns([]string{"*.yaml", "*.yml", ".yamllint"})
	if err != nil {
		panic(err) // a test reads them
	}
	return p
}

func (p *configParser) extend(n *node) error {
	path, ok := n.value().(string)
	if !ok {
		return p.fail(n, "extends should be the name of a configuration: default, relaxed or a path")
	}
	if p.depth >= maxExtends {
		return p.fail(n, "configurations extend one another more than %d deep", maxExtends)
	}
	var data []byte
	switch path {
	case "default":
		data = []byte(defaultPreset)
	case "relaxed":
		data = []byte(relaxedPreset)
	default:
		var err error
		if data, err = p.open(path); err != nil {
			return fmt.Errorf("%w: %w", p.fail(n, "cannot read the configuration that it extends"), err)
		}
	}
	base, err := parseConfig(data, path, p.open, p.depth+1)
	if err != nil {
		return err
	}
	p.cfg = base.clone()
	p.cfg.yamlFiles = defaultYAMLFiles() // which are not inherited
	return nil
}

// ignore reads the keys "ignore" and "ignore-from-file" of the configuration or of a rule; nil where there is neither.
func (p *configParser) ignore(n *node) (*patterns, error) {
	inline, files := n.get("ignore"), n.get("ignore-from-file")
	switch {
	case inline != nil && files != nil:
		return nil, p.fail(files, "ignore and ignore-from-file keys cannot be used together")
	case inline != nil:
		if s, ok := inline.value().(string); ok {
			return p.patterns(inline, strings.Split(s, "\n"))
		}
		list, ok := stringList(inline)
		if !ok {
			return nil, p.fail(inline, "ignore should contain file patterns")
		}
		return p.patterns(inline, list)
	case files != nil:
		return p.ignoreFiles(files)
	}
	return nil, nil
}

func (p *configParser) ignoreFiles(n *node) (*patterns, error) {
	list, ok := stringList(n)
	if s, one := n.value().(string); one {
		list, ok = []string{s}, true
	}
	if !ok {
		return nil, p.fail(n, "ignore-from-file should contain filename(s), either as a list or string")
	}
	var lines []string
	for _, name := range list {
		data, err := p.open(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", p.fail(n, "cannot read the file of patterns"), err)
		}
		lines = append(lines, strings.Split(string(data), "\n")...)
	}
	return p.patterns(n, lines)
}

// patterns reads file patterns that a node lists or names.
func (p *configParser) patterns(n *node, lines []string) (*patterns, error) {
	list, err := newPatterns(lines)
	if err != nil {
		return nil, p.fail(n, "%s", err)
	}
	return list, nil
}

// locale lets pass what sorts by code point, which is all that this program does.
func (p *configParser) locale(n *node) error {
	s, ok := n.value().(string)
	if !ok {
		return p.fail(n, "locale should be a string")
	}
	switch strings.ToUpper(s) {
	case "", "C", "POSIX", "C.UTF-8", "C.UTF8":
		return nil
	}
	return p.fail(n, "locale %q is not supported: keys are ordered by code point; use C or leave it out", s)
}

// stringList returns the strings of a sequence of nothing but strings.
func stringList(n *node) ([]string, bool) {
	if n.kind != sequenceNode {
		return nil, false
	}
	list := make([]string, 0, len(n.items))
	for _, item := range n.items {
		s, ok := item.value().(string)
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}
