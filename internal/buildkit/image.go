// Package buildkit builds images on the BuildKit daemons that a driver brings
// about: in the order of what they need of one another, with BuildKit's own
// frontend, progress and session, and results that are the same for the same commit.
package buildkit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/suggest"
	"github.com/moby/buildkit/client"
)

// Image is one image to build. Strings that buildx's flags share are spelled as there.
type Image struct {
	Name       string // unique among the images of a run
	Context    string // folder, absolute; or the URL of a Git repository or archive
	Dockerfile string // file, absolute; relative to the top where the context is a URL
	Target     string // stage; the last one when empty
	Args       map[string]string
	Labels     map[string]string
	Secrets    []Secret
	SSH        []string          // ID, ID=SOCKET or ID=KEY,…
	Platforms  []string          // os/arch[/variant]; the builder's own when empty
	Tags       []string          // references, complete
	CacheFrom  []Cache           // what may be reused
	CacheTo    []Cache           // where what was built is kept
	Contexts   map[string]string // further contexts by name: a folder (absolute), or docker-image://, https://, …
	Needs      []string          // names of images that are built first, and whose names a FROM may use
	Outputs    []Output          // where the result goes; to the builder alone when empty
	Attest     map[string]string // attestations by type: "provenance" → "mode=min"
	Allow      []string          // entitlements: network.host, security.insecure
	Hosts      map[string]string // extra lines of /etc/hosts: name → address
	Network    string            // default, host or none, for RUN
	NoCache    bool              // build every step anew
	NoCacheOf  []string          // build these stages anew
	Pull       bool              // look base images up even when the builder has them
	Pinned     string            // digest of the definition, part of the builder's choice; the name when empty
}

// Cache is one source or destination of build cache, as --cache-from and --cache-to give it.
type Cache struct {
	Type  string
	Attrs map[string]string
}

func (c Cache) entry() client.CacheOptionsEntry {
	return client.CacheOptionsEntry{Type: c.Type, Attrs: maps.Clone(c.Attrs)}
}

// String spells the entry as it would be given.
func (c Cache) String() string { return spell(c.Type, c.Attrs) }

func spell(kind string, attrs map[string]string) string {
	parts := []string{"type=" + kind}
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		parts = append(parts, k+"="+attrs[k])
	}
	return strings.Join(parts, ",")
}

// DefinitionError is an image that cannot be built as it is described: a fault of
// the configuration or of the command line, found before any builder is asked.
type DefinitionError struct {
	Image   string
	Message string
	Hint    string
}

func (e *DefinitionError) Error() string {
	if e.Image == "" {
		return e.Message
	}
	return fmt.Sprintf("image %q: %s", e.Image, e.Message)
}

// Select returns the named images and everything that they need, in the order in
// which they can be built: what is needed comes first, else as given. No names
// select all. An unknown name and a circle of needs are a *DefinitionError.
func Select(images []*Image, names []string) ([]*Image, error) {
	byName := map[string]*Image{}
	var known []string
	for _, i := range images {
		if byName[i.Name] != nil {
			return nil, &DefinitionError{Image: i.Name, Message: "there are two of this name"}
		}
		byName[i.Name] = i
		known = append(known, i.Name)
	}
	if len(names) == 0 {
		names = known
	}
	s := &selection{byName: byName, known: known, done: map[string]bool{}}
	for _, n := range names {
		if byName[n] == nil {
			return nil, &DefinitionError{Message: fmt.Sprintf("there is no image %q", n), Hint: s.hint(n)}
		}
		if err := s.add(n, nil); err != nil {
			return nil, err
		}
	}
	return s.order, nil
}

type selection struct {
	byName map[string]*Image
	known  []string
	done   map[string]bool
	order  []*Image
}

func (s *selection) add(name string, path []string) error {
	if at := slices.Index(path, name); at >= 0 {
		return &DefinitionError{Image: name, Message: "it needs itself: " + strings.Join(append(path[at:], name), " needs ")}
	}
	if s.done[name] {
		return nil
	}
	path = append(path, name)
	for _, need := range s.byName[name].Needs {
		if s.byName[need] == nil {
			return &DefinitionError{Image: name, Message: fmt.Sprintf("it depends on %q, which is no image", need), Hint: s.hint(need)}
		}
		if err := s.add(need, path); err != nil {
			return err
		}
	}
	s.done[name] = true
	s.order = append(s.order, s.byName[name])
	return nil
}

func (s *selection) hint(name string) string {
	if near := suggest.Nearest(name, s.known, len(name)/2); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(s.known) == 0 {
		return "images: in chartgate.yaml, or a folder images/NAME with a Dockerfile, defines one"
	}
	return "the images are " + strings.Join(s.known, ", ")
}

// Affected returns the names of the images that a change reaches: those that changed
// says, and all that need one of those, in the order given.
func Affected(images []*Image, changed func(*Image) bool) []string {
	reached := map[string]bool{}
	for again := true; again; {
		again = false
		for _, i := range images {
			if reached[i.Name] {
				continue
			}
			if changed(i) || slices.ContainsFunc(i.Needs, func(n string) bool { return reached[n] }) {
				reached[i.Name], again = true, true
			}
		}
	}
	var names []string
	for _, i := range images {
		if reached[i.Name] {
			names = append(names, i.Name)
		}
	}
	return names
}
