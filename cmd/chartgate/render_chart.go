package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/chartgate/chartgate/internal/render"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// maxChartArchive bounds a chart archive, in compressed bytes.
const maxChartArchive = 100 << 20

// chartSource is where a chart is loaded from.
type chartSource struct {
	run *renderRun
	arg string // as given
	// path of a folder or archive on this machine; "" if the chart is to be fetched
	path   string
	folder bool
}

// locate looks for the chart as helm does: on this machine first.
func (r *renderRun) locate(arg string) (*chartSource, error) {
	arg = strings.TrimSpace(arg)
	s := &chartSource{run: r, arg: arg}
	full := absolute(r.std.Dir, arg)
	info, err := os.Stat(full)
	switch {
	case err == nil && arg != "" && info.IsDir():
		s.path, s.folder = unlinked(full), true
	case err == nil && arg != "" && info.Mode().IsRegular():
		s.path = full
	case err == nil && arg != "":
		return nil, fmt.Errorf("%q is neither a folder nor an archive", arg)
	case filepath.IsAbs(arg) || strings.HasPrefix(arg, "."):
		return nil, fmt.Errorf("path %q not found", arg)
	}
	return s, nil
}

// load gives the chart with its dependencies in place.
func (s *chartSource) load(ctx context.Context) (*helmchart.Chart, error) {
	switch {
	case s.folder:
		return s.loadFolder(ctx)
	case s.path != "":
		return s.loadArchive()
	}
	c, err := s.fetch(ctx)
	if err != nil {
		return nil, err
	}
	return c, s.ready(c)
}

func (s *chartSource) loadArchive() (*helmchart.Chart, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, asGiven(err, s.arg)
	}
	defer f.Close()
	data, err := bounded(f, s.arg, maxChartArchive)
	if err != nil {
		return nil, asGiven(err, s.arg)
	}
	if err := s.zipped(data); err != nil {
		return nil, err
	}
	c, err := archive.LoadArchive(data, archive.Limits{})
	if err != nil {
		return nil, err
	}
	return c, s.ready(c)
}

// zipped tells from the beginning of a file, as helm does, whether it may be an archive.
func (s *chartSource) zipped(data []byte) error {
	head := make([]byte, 512) // helm looks at as much, whether or not there is
	copy(head, data)
	kind := http.DetectContentType(head)
	switch {
	case kind == "application/x-gzip" || bytes.HasPrefix(data, []byte{0x1f, 0x8b, 0x08}):
		return nil
	case strings.HasSuffix(s.path, ".yml") || strings.HasSuffix(s.path, ".yaml"):
		return fmt.Errorf("file '%s' seems to be a YAML file, but expected a gzipped archive", s.path)
	}
	return fmt.Errorf("file '%s' does not appear to be a gzipped archive; got '%s'", s.path, kind)
}

// ready refuses what helm refuses before it renders: libraries, and charts that
// lack dependencies.
func (s *chartSource) ready(c *helmchart.Chart) error {
	if err := s.installable(c.Metadata); err != nil {
		return err
	}
	if lacks := lacking(c); len(lacks) > 0 {
		return &missingError{names: lacks}
	}
	return nil
}

func (s *chartSource) installable(md *helmchart.Metadata) error {
	if err := render.Installable(md); err != nil {
		return err
	}
	if md.Deprecated {
		fmt.Fprintln(s.run.std.Err, "WARNING: This chart is deprecated")
	}
	return nil
}

// loadFolder loads a chart's folder, in either layout. What charts/ has is
// taken as it is, as helm does; if a dependency is lacking there, all are
// resolved as `helm dependency build` does, and nothing is written.
func (s *chartSource) loadFolder(ctx context.Context) (*helmchart.Chart, error) {
	root, err := s.root()
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(root, s.path)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, &usageError{fmt.Sprintf("%q lies outside of %s", s.arg, root), "--root names the repository that the chart is in"}
	}
	tree, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("opening the repository: %w", err)
	}
	defer tree.Close()
	dir := filepath.ToSlash(rel)
	if found, ok := chart.Identify(tree.FS(), dir); ok {
		dir = found.Path
	}
	c := chart.Load(tree.FS(), chart.Dir{Path: dir, Root: dir}, chart.Limits{})
	if err := c.Err(); err != nil {
		return nil, &loadFault{err}
	}
	helm := c.Helm()
	if err := s.installable(helm.Metadata); err != nil {
		return nil, err
	}
	lacks := lacking(helm)
	if len(lacks) == 0 {
		return helm, nil
	}
	resolved, err := s.resolve(ctx, root, tree.FS(), c)
	if err != nil {
		return nil, &missingError{names: lacks, err: err}
	}
	return resolved, nil
}

// loadFault is a fault of a chart in Helm's words alone: where it is and what
// mends it is printed apart.
type loadFault struct{ *chart.LoadError }

func (f *loadFault) Error() string { return f.Message }
func (f *loadFault) Unwrap() error { return f.LoadError }

// root is the folder that links and file:// dependencies must not leave: the
// repository that the chart is in, else the working directory, else the
// folder above the chart.
func (s *chartSource) root() (string, error) {
	r := s.run
	if r.common.root != "" {
		root, err := r.common.findRoot(r.std)
		return unlinked(root), err
	}
	for dir := s.path; ; dir = filepath.Dir(dir) {
		for _, mark := range []string{config.FileName, ".git"} {
			if _, err := os.Stat(filepath.Join(dir, mark)); err == nil {
				return dir, nil
			}
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	here := unlinked(r.std.Dir)
	if rel, err := filepath.Rel(here, s.path); err == nil && filepath.IsLocal(rel) && rel != "." {
		return here, nil
	}
	return filepath.Dir(s.path), nil
}

// lacking names the dependencies that Chart.yaml has and charts/ lacks. Like
// helm, it looks at names alone.
func lacking(c *helmchart.Chart) []string {
	have := map[string]bool{}
	for _, d := range c.Dependencies() {
		have[d.Name()] = true
	}
	var out []string
	for _, d := range c.Metadata.Dependencies {
		if d != nil && !have[d.Name] {
			out = append(out, d.Name)
		}
	}
	return out
}

// missingError says which dependencies are lacking, in helm's words, and why
// they could not be resolved if that was tried.
type missingError struct {
	names []string
	err   error
}

func (e *missingError) Error() string {
	text := "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: " +
		"found in Chart.yaml, but missing in charts/ directory: " + strings.Join(e.names, ", ")
	if e.err != nil {
		text += "\n\nThey could not be resolved: " + e.err.Error()
	}
	return text
}

func (e *missingError) Unwrap() error { return e.err }
