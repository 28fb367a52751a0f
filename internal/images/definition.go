// Package images knows a repository's images: what its configuration and its
// folders say of them, and what the commit, the pipeline and the flags add.
package images

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// Folder is where images need no entry in the configuration, below the repository's root.
const Folder = "images"

// Definition is an image as it is described, before variables are replaced.
type Definition struct {
	Name string
	config.Image
	// Place is the context relative to the repository's root, with slashes; empty for a URL.
	Place string
	// Needed says that only others want it: tags, outputs and pushing, as flags ask for
	// them, are not for it.
	Needed bool
}

// Discover lists the images of a repository by name: those of the configuration, and
// each folder below Folder that has a Dockerfile. A context outside of the repository is a
// *buildkit.DefinitionError.
func Discover(root string, cfg *config.Config) ([]*Definition, error) {
	found := maps.Clone(cfg.Images)
	if found == nil {
		found = map[string]config.Image{}
	}
	entries, err := os.ReadDir(filepath.Join(root, Folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for images: %w", err)
	}
	for _, e := range entries {
		if _, has := found[e.Name()]; has || !e.IsDir() {
			continue
		}
		if info, err := os.Stat(filepath.Join(root, Folder, e.Name(), "Dockerfile")); err == nil && info.Mode().IsRegular() {
			found[e.Name()] = config.Image{}
		}
	}
	var out []*Definition
	for _, name := range slices.Sorted(maps.Keys(found)) {
		d, err := define(name, found[name])
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func define(name string, image config.Image) (*Definition, error) {
	d := &Definition{Name: name, Image: image}
	if d.Context == "" {
		d.Context = Folder + "/" + name
	}
	if remote(d.Context) {
		return d, nil
	}
	d.Place = path.Clean(filepath.ToSlash(d.Context))
	if !filepath.IsLocal(d.Context) {
		return nil, &buildkit.DefinitionError{Image: name, Message: fmt.Sprintf("its context %q lies outside of the repository", image.Context),
			Hint: "context: is a folder relative to the repository's root"}
	}
	if d.Dockerfile == "" {
		d.Dockerfile = "Dockerfile"
	}
	if file := path.Join(d.Place, filepath.ToSlash(d.Dockerfile)); !filepath.IsLocal(file) || filepath.IsAbs(d.Dockerfile) {
		return nil, &buildkit.DefinitionError{Image: name, Message: fmt.Sprintf("its Dockerfile %q lies outside of the repository", d.Dockerfile),
			Hint: "dockerfile: is relative to the context"}
	}
	return d, nil
}

// Locate adds to an error about an image where the configuration, a file relative to root, describes
// it. Other errors, and those about images that it does not describe, stay as they are.
func Locate(err error, root, file string) error {
	var wrong *buildkit.DefinitionError
	if !errors.As(err, &wrong) || wrong.Image == "" {
		return err
	}
	file = cmp.Or(file, config.FileName)
	data, readErr := os.ReadFile(filepath.Join(root, file))
	if readErr != nil {
		return err
	}
	doc, parseErr := source.ParseYAML(data)
	if parseErr != nil {
		return err
	}
	if pos, ok := doc.Pos("images", wrong.Image); ok {
		wrong.Place = fmt.Sprintf("%s:%d", file, pos.Line)
	}
	return err
}

// OfFolder defines the image of a folder that a command line names: relative to the
// root, with slashes.
func OfFolder(place string) (*Definition, error) {
	name := path.Base(place)
	if place == "." {
		name = "image"
	}
	return define(strings.ToLower(name), config.Image{Context: place})
}

// Changed says whether one of the files, relative to the root, is the image's, or says how it is built. What
// the context's .dockerignore leaves out is not the image's.
func (d *Definition) Changed(root string, files []string) bool {
	dockerfile := path.Join(d.Place, filepath.ToSlash(d.Dockerfile))
	ignores := []string{dockerfile + ".dockerignore", path.Join(d.Place, ".dockerignore")}
	ignored := ignoredBy(root, ignores)
	for _, f := range files {
		if f == config.FileName || f == dockerfile || slices.Contains(ignores, f) {
			return true
		}
		if rel, ok := below(d.Place, f); ok && d.Place != "" && !ignored(rel) {
			return true
		}
		for _, c := range d.Contexts {
			if _, ok := below(path.Clean(filepath.ToSlash(c)), f); ok && !remote(c) {
				return true
			}
		}
	}
	return false
}

// below is a file's path within a folder.
func below(folder, file string) (string, bool) {
	if folder == "." {
		return file, true
	}
	return strings.CutPrefix(file, folder+"/")
}

// ignoredBy reads the first of the files that is there, as BuildKit does. One that cannot be
// read ignores nothing.
func ignoredBy(root string, names []string) func(string) bool {
	for _, name := range names {
		f, err := os.Open(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			continue
		}
		defer f.Close()
		patterns, err := ignorefile.ReadAll(f)
		if err != nil {
			break
		}
		matcher, err := patternmatcher.New(patterns)
		if err != nil {
			break
		}
		return func(file string) bool {
			ignored, err := matcher.MatchesOrParentMatches(file)
			return err == nil && ignored
		}
	}
	return func(string) bool { return false }
}

func remote(context string) bool {
	return strings.Contains(context, "://") || strings.HasPrefix(context, "git@")
}
