package images

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/git"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
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
		Name: d.Name, Context: d.Context, Dockerfile: d.Dockerfile, Target: first(s.Flags.Target, d.Target), Needs: d.DependsOn,
		Args: x.mapped("args", d.Args, s.Flags.Args), Labels: x.mapped("labels", d.Labels, s.Flags.Labels),
		Platforms: d.Platforms, SSH: append(x.all("ssh", d.SSH), s.Flags.SSH...), Attest: s.Flags.Attest,
		Allow: append(slices.Clone(d.Allow), s.Flags.Allow...), Hosts: s.Flags.Hosts, Network: first(s.Flags.Network, d.Network),
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

// expander replaces the variables of one definition, and keeps the first error.
type expander struct {
	vars   map[string]string
	lookup func(string) (string, bool)
	lex    *shell.Lex
	err    error
}

func (s Setting) expander(d *Definition) *expander {
	x := &expander{vars: s.Facts.variables(), lookup: s.Lookup, lex: shell.NewLex('\\')}
	x.lex.SkipProcessQuotes = true
	if repo := first(s.Build.Repository, s.Env("CI_REGISTRY_IMAGE")); repo != "" {
		x.vars["IMAGE"] = strings.TrimSuffix(strings.TrimPrefix(repo, "oci://"), "/") + "/" + d.Name
	} else {
		x.vars["IMAGE"] = ""
	}
	return x
}

// Get is the value of a variable: ours before the environment's. It makes the expander a shell.EnvGetter.
func (x *expander) Get(name string) (string, bool) {
	if v, ours := x.vars[name]; ours {
		return v, v != ""
	}
	return x.lookup(name)
}

// Keys lists our variables.
func (x *expander) Keys() []string { return slices.Sorted(maps.Keys(x.vars)) }

// one replaces the variables of one text; missing names those that have no value.
func (x *expander) one(key, text string) (value string, missing []string) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	res, err := x.lex.ProcessWordWithMatches(text, x)
	if err != nil {
		x.fail(key, fmt.Sprintf("%q: %v", text, err), `a dollar sign of its own is written \$`)
		return "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(res.Unmatched)) {
		if !defaulted(text, name) {
			missing = append(missing, name)
		}
	}
	return res.Result, missing
}

// defaulted says whether a text does without a variable wherever it stands: ${NAME:-default},
// ${NAME:+instead}. The lexer counts such a variable as missing.
func defaulted(text, name string) bool {
	name = regexp.QuoteMeta(name)
	with := regexp.MustCompile(`\$\{`+name+`:?[-+]`).FindAllString(text, -1)
	all := regexp.MustCompile(`\$\{?`+name+`\b`).FindAllString(text, -1)
	return len(with) > 0 && len(with) == len(all)
}

func (x *expander) fail(key, message, hint string) {
	if x.err == nil {
		x.err = &buildkit.DefinitionError{Message: key + ": " + message, Hint: hint}
	}
}

func (x *expander) unset(key, text string, missing []string) {
	x.fail(key, fmt.Sprintf("%q: the variable %s has no value", text, strings.Join(missing, ", ")),
		"set it, or give a default as in ${"+missing[0]+":-default}; chartgate's own are "+strings.Join(x.Keys(), ", "))
}

// all replaces the variables of each text.
func (x *expander) all(key string, texts []string) []string {
	var out []string
	for _, t := range texts {
		value, missing := x.one(key, t)
		if len(missing) > 0 {
			x.unset(key, t, missing)
		}
		out = append(out, value)
	}
	return out
}

// known is all without the texts that want one of our variables which has no value
// here: a tag of the version, where the commit has none.
func (x *expander) known(key string, texts []string) []string {
	var out []string
	for _, t := range texts {
		value, missing := x.one(key, t)
		ours := slices.ContainsFunc(missing, func(name string) bool { _, is := x.vars[name]; return is && name != "IMAGE" })
		switch {
		case ours:
		case len(missing) > 0:
			x.unset(key, t, missing)
		case !slices.Contains(out, value):
			out = append(out, value)
		}
	}
	return out
}

// mapped replaces the variables of the values; flags stay as they are, and win.
func (x *expander) mapped(key string, own, flags map[string]string) map[string]string {
	out := map[string]string{}
	keys := slices.Collect(maps.Keys(own))
	sort.Strings(keys)
	for _, k := range keys {
		if _, given := flags[k]; given {
			continue
		}
		if v := x.all(key+"."+k, []string{own[k]}); len(v) == 1 {
			out[k] = v[0]
		}
	}
	maps.Copy(out, flags)
	return out
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// ChangedSince lists the files that differ between the work tree and its merge base
// with a revision, relative to root, with slashes.
func ChangedSince(ctx context.Context, root, revision string) ([]string, error) {
	repo, err := git.Open(ctx, root)
	if err != nil {
		return nil, err
	}
	base, err := repo.MergeBase(ctx, revision, "HEAD")
	if err != nil {
		return nil, err
	}
	files, err := repo.WorkTreeFiles(ctx, base)
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	below, err := filepath.Rel(repo.Root(), real)
	if err != nil || below == "." {
		return files, err
	}
	var out []string
	for _, f := range files {
		if rest, ok := strings.CutPrefix(f, filepath.ToSlash(below)+"/"); ok {
			out = append(out, rest)
		}
	}
	return out, nil
}
