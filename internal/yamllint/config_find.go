package yamllint

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Search is where to look for a configuration.
type Search struct {
	Dir    string                            // the working directory, absolute
	Home   string                            // the user's home directory; "" for none
	Getenv func(key string) string           // nil for no environment
	Open   func(path string) ([]byte, error) // reads a file; a missing one is fs.ErrNotExist
}

// FindConfig returns the configuration that applies in a working directory, and the file it comes from: a file
// .yamllint, .yamllint.yaml or .yamllint.yml there or in a folder above, up to the home directory or the root; the file that
// $YAMLLINT_CONFIG_FILE names; yamllint/config in $XDG_CONFIG_HOME or ~/.config. Without any, the configuration is nil.
func FindConfig(s Search) (cfg *Config, path string, err error) {
	if s.Getenv == nil {
		s.Getenv = func(string) string { return "" }
	}
	for _, path := range s.candidates() {
		data, err := s.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, path, fmt.Errorf("reading yamllint configuration %q: %w", path, err)
		}
		cfg, err := ParseConfig(data, path, func(p string) ([]byte, error) { return s.Open(s.expand(p)) })
		return cfg, path, err
	}
	return nil, "", nil
}

// candidates lists the files to look for, the first that exists counts.
func (s *Search) candidates() []string {
	var list []string
	for dir := s.Dir; ; dir = filepath.Dir(dir) {
		for _, name := range []string{".yamllint", ".yamllint.yaml", ".yamllint.yml"} {
			list = append(list, filepath.Join(dir, name))
		}
		if dir == s.Home || dir == filepath.Dir(dir) {
			break
		}
	}
	if file := s.Getenv("YAMLLINT_CONFIG_FILE"); file != "" {
		list = append(list, s.expand(file))
	}
	switch xdg := s.Getenv("XDG_CONFIG_HOME"); {
	case xdg != "":
		list = append(list, filepath.Join(xdg, "yamllint", "config"))
	case s.Home != "":
		list = append(list, filepath.Join(s.Home, ".config", "yamllint", "config"))
	}
	return list
}

// expand understands "~/" at the start of a path, and paths relative to the working directory.
func (s *Search) expand(path string) string {
	switch {
	case len(path) > 1 && path[:2] == "~/" && s.Home != "":
		return filepath.Join(s.Home, path[2:])
	case filepath.IsAbs(path):
		return path
	}
	return filepath.Join(s.Dir, path)
}
