// Package buildkit builds images on the BuildKit daemons that a driver brings
// about: in the order of what they need of one another, with BuildKit's own
// frontend, progress and session, and results that are the same for the same commit.
package buildkit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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
	Place   string // FILE:LINE of the image's description, where it has one
	Message string
	Hint    string
}

func (e *DefinitionError) Error() string {
	msg := e.Message
	if e.Image != "" {
		msg = fmt.Sprintf("image %q: %s", e.Image, msg)
	}
	if e.Place != "" {
		msg = e.Place + ": " + msg
	}
	return msg
}
