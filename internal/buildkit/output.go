package buildkit

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/moby/buildkit/client"
)

// Output is one place that a result goes to, as --output gives it.
type Output struct {
	Type  string // image, oci, docker, local or tar
	Attrs map[string]string
	Dest  string // file or folder, absolute; "-" for standard output; empty for an image
}

// String spells the output as it would be given.
func (o Output) String() string {
	attrs := maps.Clone(o.Attrs)
	if attrs == nil {
		attrs = map[string]string{}
	}
	if o.Dest != "" {
		attrs["dest"] = o.Dest
	}
	return spell(o.Type, attrs)
}

// pushes says whether the output sends the image to a registry.
func (o Output) pushes() bool {
	push, _ := strconv.ParseBool(o.Attrs["push"])
	return o.Type == "image" && push
}

// Push is the output that sends an image to the registries of its tags.
func Push() Output { return Output{Type: "image", Attrs: map[string]string{"push": "true"}} }

var outputTypes = []string{"image", "registry", "oci", "docker", "local", "tar"}

// ParseOutput reads the value of --output: type=TYPE,dest=PATH,…; a bare path stands for type=local,
// a bare - for type=tar, type=registry for type=image,push=true. Paths are relative to dir.
func ParseOutput(text, dir string) (Output, error) {
	switch {
	case text == "-":
		text = "type=tar,dest=-"
	case text != "" && !strings.Contains(text, "="):
		text = "type=local,dest=" + text
	}
	attrs, err := parseAttrs("--output", text)
	if err != nil {
		return Output{}, err
	}
	o := Output{Type: attrs["type"], Attrs: attrs, Dest: attrs["dest"]}
	delete(attrs, "type")
	delete(attrs, "dest")
	fail := func(hint, format string, args ...any) (Output, error) {
		return Output{}, &DefinitionError{Message: fmt.Sprintf("--output %q: ", text) + fmt.Sprintf(format, args...), Hint: hint}
	}
	if !slices.Contains(outputTypes, o.Type) {
		return fail("", "there is no output of type %q; types are %s", o.Type, strings.Join(outputTypes, ", "))
	}
	switch o.Type {
	case "registry":
		o.Type, attrs["push"] = "image", "true"
		fallthrough
	case "image":
		if o.Dest != "" {
			return fail("name=REFERENCE says where an image goes", "an image has no dest")
		}
		return o, nil
	}
	if o.Dest == "" {
		return fail("there is no Docker daemon to load it into; dest=- is standard output", "type=%s needs dest=PATH", o.Type)
	}
	if o.Dest != "-" && !filepath.IsAbs(o.Dest) {
		o.Dest = filepath.Join(dir, o.Dest)
	}
	if o.Dest == "-" && o.isFolder() {
		return fail("", "a folder cannot go to standard output")
	}
	return o, nil
}

func (o Output) isFolder() bool {
	if o.Type == "oci" || o.Type == "docker" {
		tar, err := strconv.ParseBool(o.Attrs["tar"])
		return err == nil && !tar
	}
	return o.Type == "local"
}

// export is the entry for BuildKit's client. The file that it writes appears under
// its name once it is whole; finish says how the build ended.
func (o Output) export(stdout io.Writer) (entry client.ExportEntry, finish func(ok bool) error) {
	entry = client.ExportEntry{Type: o.Type, Attrs: maps.Clone(o.Attrs)}
	if entry.Attrs == nil {
		entry.Attrs = map[string]string{}
	}
	finish = func(bool) error { return nil }
	switch {
	case o.Dest == "":
	case o.isFolder():
		entry.OutputDir = o.Dest
	case o.Dest == "-":
		entry.Output = func(map[string]string) (io.WriteCloser, error) { return nopCloser{stdout}, nil }
	default:
		file := &partialFile{dest: o.Dest}
		entry.Output, finish = file.open, file.finish
	}
	return entry, finish
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// partialFile is written beside its destination and renamed when the build ended
// well, so that a build that fails leaves what was there before.
type partialFile struct {
	dest string
	mu   sync.Mutex
	file *os.File
}

func (p *partialFile) open(map[string]string) (io.WriteCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.discard() // of an attempt before this one
	if err := os.MkdirAll(filepath.Dir(p.dest), 0o755); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(p.dest), "."+filepath.Base(p.dest)+".*")
	if err != nil {
		return nil, err
	}
	p.file = f
	return f, nil
}

func (p *partialFile) finish(ok bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !ok || p.file == nil {
		p.discard()
		return nil
	}
	p.file.Close() // the exporter has closed it; a second time does no harm
	if err := os.Chmod(p.file.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(p.file.Name(), p.dest)
}

func (p *partialFile) discard() {
	if p.file != nil {
		p.file.Close()
		os.Remove(p.file.Name())
		p.file = nil
	}
}
