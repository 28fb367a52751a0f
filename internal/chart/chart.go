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
	facts   *facts // what is remembered of a chart with these files, nil if nothing

	parsed  atomic.Bool // whether parse has been called
	parse   func()      // sets what follows
	base    *helmchart.Chart
	loadErr *LoadError

	pkg func() (digest.Digest, error)
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
	if c.walkErr == nil && c.facts != nil {
		return nil // only what is remembered of charts that load
	}
	c.parse()
	return c.loadErr
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
	if c.facts != nil && !c.parsed.Load() {
		return c.facts.Metadata
	}
	c.parse()
	if c.base == nil {
		return nil
	}
	return c.base.Metadata
}

// RepoPath is the path in the repository of a file of the chart.
func (c *Chart) RepoPath(name string) string { return path.Join(c.Path, name) }

// Helm is the chart as Helm's loader gives it, without what dependency
// resolution adds: a fresh graph each time, since Helm mutates what it is
// given. The order of subcharts is fixed. It is nil when the chart does not load.
func (c *Chart) Helm() *helmchart.Chart {
	c.parse()
	if c.loadErr != nil {
		return nil
	}
	return CloneHelm(c.base)
}

// Tree is a digest of every file below Root with its mode: the key of caches.
func (c *Chart) Tree() digest.Digest { return c.tree }

// Package is a digest of the files that would be published, after .helmignore
// and without fetched dependencies. The error is the chart's LoadError.
func (c *Chart) Package() (digest.Digest, error) {
	if c.facts != nil {
		return c.facts.Package, nil
	}
	return c.pkg()
}

// lazily makes what is found out on first use.
func (c *Chart) lazily() {
	c.parse = sync.OnceFunc(func() {
		base, err := parseHelm(c.Files())
		c.base, c.loadErr = base, c.walkErr
		if err != nil && c.walkErr == nil {
			c.loadErr = c.explain(err)
		}
		c.parsed.Store(true)
	})
	c.pkg = sync.OnceValues(func() (digest.Digest, error) {
		files, err := c.PackageFiles()
		if err != nil {
			return "", err
		}
		return archive.Digest(files), nil
	})
}

// PackageFiles are the files that Package is the digest of.
func (c *Chart) PackageFiles() ([]archive.File, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	return archive.FromChart(c.Helm())
}
