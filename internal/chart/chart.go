// Package chart finds and loads the charts of a repository: from the work
// tree, from a git revision or from the index, always through an fs.FS.
// A loaded chart is immutable; everything that Helm mutates is handed out afresh.
package chart

import (
	"io/fs"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/opencontainers/go-digest"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// Layout says where a chart keeps its Chart.yaml.
type Layout int

const (
	// Flat is charts/NAME/Chart.yaml.
	Flat Layout = iota
	// House is charts/NAME/Chart/Chart.yaml, with README.md, deploy.sh and
	// orgs/ beside the folder that is published.
	House
)

func (l Layout) String() string {
	if l == House {
		return "house"
	}
	return "flat"
}

// Dir is a folder that is a chart, or looks like one.
type Dir struct {
	Path   string // the folder of Chart.yaml, slash-separated, relative to the repository's root
	Root   string // the folder named after the chart; Path itself in the flat layout
	Layout Layout
}

// Entry is a file below a chart's Root, whether or not it is published.
type Entry struct {
	Path   string      // relative to Root
	Mode   fs.FileMode // permission bits
	Digest digest.Digest
	Data   []byte // nil when the file is larger than Limits.File
}

// Chart is one chart of the repository. It is read-only: callers must not
// change what its methods return.
type Chart struct {
	Dir
	*content
	walkErr *LoadError
	tree    digest.Digest
	facts   atomic.Pointer[facts] // what is known of a chart with these files, nil if nothing is

	parsing sync.Mutex
	parsed  *parsed // nil until it is asked for

	pkg func() (digest.Digest, error)
}

// parsed is what Helm makes of a chart.
type parsed struct {
	base *helmchart.Chart
	err  *LoadError
}

// LoadError is why a folder is not a chart that Helm can load.
type LoadError struct {
	File string // path in the repository
	source.Pos
	Message string
	Hint    string
}

func (e *LoadError) Error() string {
	if e.Hint != "" {
		return e.File + ": " + e.Message + " (" + e.Hint + ")"
	}
	return e.File + ": " + e.Message
}

// Err is why the chart does not load, nil when it does. A chart that does
// not load still has its Files and Entries, as far as they could be read.
func (c *Chart) Err() *LoadError {
	if c.facts.Load() != nil {
		return nil // they are those of charts that load
	}
	return c.parse().err
}

// FolderName is the name of the chart's folder, which the chart's name must equal.
func (c *Chart) FolderName() string { return path.Base(c.Root) }

// Name is the name that Chart.yaml gives, else the folder's.
func (c *Chart) Name() string {
	if m := c.Metadata(); m != nil && m.Name != "" {
		return m.Name
	}
	return c.FolderName()
}

// Version is the version that Chart.yaml gives, "" if none.
func (c *Chart) Version() string {
	if m := c.Metadata(); m != nil {
		return m.Version
	}
	return ""
}

// IsLibrary reports whether the chart is a library, which is never rendered by itself.
func (c *Chart) IsLibrary() bool {
	m := c.Metadata()
	return m != nil && strings.EqualFold(m.Type, "library")
}

// Metadata is what Chart.yaml says (with requirements.yaml of an apiVersion v1
// chart counted in), nil when it could not be read. Read-only.
func (c *Chart) Metadata() *helmchart.Metadata {
	if f := c.facts.Load(); f != nil {
		return f.Metadata
	}
	if base := c.parse().base; base != nil {
		return base.Metadata
	}
	return nil
}

// RepoPath is the path in the repository of a file of the chart.
func (c *Chart) RepoPath(name string) string { return path.Join(c.Path, name) }

// Helm is the chart as Helm's loader gives it, without what dependency
// resolution adds: a fresh graph each time, since Helm mutates what it is
// given. The order of subcharts is fixed. It is nil when the chart does not load.
func (c *Chart) Helm() *helmchart.Chart {
	p := c.parse()
	if p.err != nil {
		return nil
	}
	return CloneHelm(p.base)
}

// Tree is a digest of every file below Root with its mode: the key of caches.
func (c *Chart) Tree() digest.Digest { return c.tree }

// Package is a digest of the files that would be published, after .helmignore
// and without fetched dependencies. The error is the chart's LoadError.
func (c *Chart) Package() (digest.Digest, error) {
	if f := c.facts.Load(); f != nil {
		return f.Package, nil
	}
	return c.pkg()
}

// parse has Helm read the chart, once.
func (c *Chart) parse() *parsed {
	c.parsing.Lock()
	defer c.parsing.Unlock()
	if c.parsed != nil {
		return c.parsed
	}
	base, err := parseHelm(c.Files())
	p := &parsed{base, c.walkErr}
	if err != nil && c.walkErr == nil {
		p.err = c.explain(err)
	}
	c.parsed = p
	return p
}

// Release lets go of the files' bytes, and of what was made of them. They are read again if somebody asks
// for them, so fsys must remain.
func (c *Chart) Release() {
	if c.Err() != nil {
		return
	}
	if c.facts.Load() == nil {
		pkg, err := c.Package()
		if err != nil {
			return
		}
		c.facts.Store(&facts{Metadata: c.Metadata(), Package: pkg})
	}
	c.parsing.Lock()
	c.parsed = nil
	c.parsing.Unlock()
	c.content.release()
}

// PackageFiles are the files that Package is the digest of.
func (c *Chart) PackageFiles() ([]archive.File, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	return archive.FromChart(c.Helm())
}
