package images

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/config"
)

// Flags are what a command line adds to every image, spelled as buildx spells it.
type Flags struct {
	Args, Labels, Contexts, Hosts map[string]string
	Secrets, SSH, Platforms, Tags []string
	CacheFrom, CacheTo, Outputs   []string
	Allow, NoCacheOf              []string
	Attest                        map[string]string
	Dockerfile, Target, Network   string
	Push, NoCache, Pull           bool
}

// Setting is what an expansion needs besides the definitions.
type Setting struct {
	Root   string // the repository's root, absolute
	Dir    string // what paths of flags are relative to, absolute
	Build  config.Build
	Facts  Facts
	Flags  Flags
	Env    func(string) string
	Lookup func(string) (string, bool) // of the environment; nil means that of the process
}

// Expand makes images of definitions: variables replaced, defaults filled in, flags on
// top. What is wrong is a *buildkit.DefinitionError with the image's name.
func (s Setting) Expand(definitions []*Definition) ([]*buildkit.Image, error) {
	if s.Lookup == nil {
		s.Lookup = os.LookupEnv
	}
	if err := s.forOne(definitions); err != nil {
		return nil, err
	}
	var out []*buildkit.Image
	for _, d := range definitions {
		i, err := s.expand(d)
		if err != nil {
			var wrong *buildkit.DefinitionError
			if errors.As(err, &wrong) && wrong.Image == "" {
				wrong.Image = d.Name
			}
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

// forOne refuses what several images would write to one place.
func (s Setting) forOne(definitions []*Definition) error {
	asked := 0
	for _, d := range definitions {
		if !d.Needed {
			asked++
		}
	}
	if asked < 2 {
		return nil
	}
	for _, o := range s.Flags.Outputs {
		if strings.Contains(o, "dest=") || !strings.Contains(o, "=") {
			return &buildkit.DefinitionError{Message: fmt.Sprintf("--output %q would be written by %d images", o, asked), Hint: "name one image"}
		}
	}
	if len(s.Flags.Tags) > 0 {
		return &buildkit.DefinitionError{Message: fmt.Sprintf("--tag would be given to %d images", asked), Hint: "name one image; tags: of each in chartgate.yaml serves several"}
	}
	return nil
}

func (s Setting) expand(d *Definition) (*buildkit.Image, error) {
	x := s.expander(d)
	i := &buildkit.Image{
		Name: d.Name, Context: d.Context, Dockerfile: d.Dockerfile, Target: cmp.Or(s.Flags.Target, d.Target), Needs: d.DependsOn,
		Args: x.mapped("args", d.Args, s.Flags.Args), Labels: x.mapped("labels", d.Labels, s.Flags.Labels),
		Platforms: d.Platforms, SSH: append(x.all("ssh", d.SSH), s.Flags.SSH...), Attest: s.Flags.Attest,
		Allow: append(slices.Clone(d.Allow), s.Flags.Allow...), Hosts: s.Flags.Hosts, Network: cmp.Or(s.Flags.Network, d.Network),
		NoCache: s.Flags.NoCache, NoCacheOf: s.Flags.NoCacheOf, Pull: s.Flags.Pull, Contexts: map[string]string{},
	}
	if len(s.Flags.Platforms) > 0 {
		i.Platforms = s.Flags.Platforms
	}
	s.describe(i)
	s.places(d, i)
	if err := s.secrets(d, i, x); err != nil {
		return nil, err
	}
	if err := s.tags(d, i, x); err != nil {
		return nil, err
	}
	if err := s.caches(d, i, x); err != nil {
		return nil, err
	}
	return i, x.err
}

// places makes paths absolute: those of the definition are relative to the root, those
// of the flags to the working directory.
func (s Setting) places(d *Definition, i *buildkit.Image) {
	if d.Place != "" {
		i.Context = filepath.Join(s.Root, filepath.FromSlash(d.Place))
		i.Dockerfile = filepath.Join(i.Context, filepath.FromSlash(d.Dockerfile))
	}
	if s.Flags.Dockerfile != "" && d.Place != "" {
		i.Dockerfile = under(s.Dir, s.Flags.Dockerfile)
	}
	for name, c := range d.Contexts {
		i.Contexts[name] = c
		if !remote(c) {
			i.Contexts[name] = under(s.Root, c)
		}
	}
	for name, c := range s.Flags.Contexts {
		i.Contexts[name] = c
		if !remote(c) {
			i.Contexts[name] = under(s.Dir, c)
		}
	}
}

func under(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// describe adds the labels that say where an image comes from, unless they are given.
func (s Setting) describe(i *buildkit.Image) {
	if i.Labels == nil {
		i.Labels = map[string]string{}
	}
	for k, v := range map[string]string{"revision": s.Facts.Commit, "source": s.Facts.Source, "version": s.Facts.variables()["VERSION"]} {
		if key := "org.opencontainers.image." + k; v != "" && i.Labels[key] == "" {
			i.Labels[key] = v
		}
	}
}

func (s Setting) secrets(d *Definition, i *buildkit.Image, x *expander) error {
	given := map[string]bool{}
	add := func(texts []string, dir string) error {
		for _, text := range texts {
			secret, err := buildkit.ParseSecret(text, dir, s.Env, s.Lookup)
			if err != nil {
				return err
			}
			if !given[secret.ID] { // flags come first, and win
				given[secret.ID] = true
				i.Secrets = append(i.Secrets, secret)
			}
		}
		return nil
	}
	if err := add(s.Flags.Secrets, s.Dir); err != nil {
		return err
	}
	var own []string // what a flag gives need not be here
	for _, text := range x.all("secrets", d.Secrets) {
		if !given[buildkit.SecretID(text)] {
			own = append(own, text)
		}
	}
	return add(own, s.Root)
}

// defaultTags are those of the commit and of the version.
var defaultTags = []string{"${IMAGE}:${COMMIT_SHORT}", "${IMAGE}:${VERSION}", "${IMAGE}:${VERSION_MINOR}", "${IMAGE}:${VERSION_MAJOR}", "${IMAGE}:${LATEST}"}

func (s Setting) tags(d *Definition, i *buildkit.Image, x *expander) error {
	switch {
	case len(s.Flags.Tags) > 0 && !d.Needed:
		i.Tags = s.Flags.Tags
	case len(d.Tags) > 0:
		i.Tags = x.known("tags", d.Tags)
	case x.vars["IMAGE"] != "":
		i.Tags = x.known("tags", defaultTags)
	}
	for _, t := range i.Tags {
		if err := buildkit.CheckTag(t); err != nil {
			return err
		}
	}
	if d.Needed {
		return nil
	}
	for _, text := range s.Flags.Outputs {
		o, err := buildkit.ParseOutput(text, s.Dir)
		if err != nil {
			return err
		}
		i.Outputs = append(i.Outputs, o)
	}
	if s.Flags.Push {
		i.Outputs = append(i.Outputs, buildkit.Push())
	}
	return nil
}

// caches are those of the flags, else of the definition, else, when an image is pushed
// from a pipeline, one beside the image: a branch writes its own and reads the default branch's as well.
func (s Setting) caches(d *Definition, i *buildkit.Image, x *expander) error {
	from, to := s.Flags.CacheFrom, s.Flags.CacheTo
	if len(from) == 0 {
		from = x.known("cache-from", d.CacheFrom)
	}
	if len(to) == 0 {
		to = x.known("cache-to", d.CacheTo)
	}
	if len(from)+len(to) == 0 && s.Build.Cache == "auto" && s.Facts.CI && s.Flags.Push && x.vars["IMAGE"] != "" {
		own := x.vars["IMAGE"] + ":cache-" + slug(s.Facts.Branch)
		main := x.vars["IMAGE"] + ":cache-" + slug(s.Facts.Default)
		if s.Facts.Branch != "" {
			from = append(from, own)
			to = append(to, "type=registry,ref="+own+",mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true")
		}
		if s.Facts.Default != "" && main != own {
			from = append(from, main)
		}
	}
	for _, text := range from {
		c, err := buildkit.ParseCache("--cache-from", text)
		if err != nil {
			return err
		}
		i.CacheFrom = append(i.CacheFrom, c)
	}
	for _, text := range to {
		c, err := buildkit.ParseCache("--cache-to", text)
		if err != nil {
			return err
		}
		i.CacheTo = append(i.CacheTo, c)
	}
	return nil
}
