package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/opencontainers/go-digest"
	"helm.sh/helm/v3/pkg/ignore"
)

// Limits bound what is read of one chart. A zero field means its default.
type Limits struct {
	Files int   // number of files below Root; 20,000
	File  int64 // bytes of one published file; Helm's 5 MiB
	Total int64 // bytes of all files below Root; 200 MiB
	Depth int   // nested folders; 64
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.File, 5 << 20}, {&l.Total, 200 << 20}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if l.Files == 0 {
		l.Files = 20_000
	}
	if l.Depth == 0 {
		l.Depth = 64
	}
	return l
}

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}

// Load reads the chart in dir. The result is never nil: a folder that is not a
// chart that Helm can load gives a Chart whose Err says why.
func Load(fsys fs.FS, dir Dir, lim Limits) *Chart {
	c := &Chart{Dir: dir}
	c.initPackage()
	w := walker{fsys: fsys, chart: c, lim: lim.withDefaults()}
	if err := w.run(); err != nil {
		c.loadErr = err
		// What was read before the fault still gives a name and a version.
		c.base, _ = parseHelm(c.files)
		return c
	}
	base, err := parseHelm(c.files)
	c.base = base
	if err != nil {
		c.loadErr = c.explain(err)
	}
	return c
}

// walker reads the files below a chart's Root, following links as Helm does.
type walker struct {
	fsys  fs.FS
	chart *Chart
	lim   Limits
	rules *ignore.Rules
	count int
	total int64
}

func (w *walker) run() *LoadError {
	rules := ignore.Empty()
	name := path.Join(w.chart.Path, ignore.HelmIgnore)
	if data, err := fs.ReadFile(w.fsys, name); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return &LoadError{File: name, Pos: source.Pos{Line: 1}, Message: fmt.Sprintf("reading .helmignore: %v", err),
				Hint: "Helm's patterns are those of a shell: no double stars"}
		}
	}
	rules.AddDefaults()
	w.rules = rules
	if err := w.folder(w.chart.Root, false, 0); err != nil {
		return err
	}
	slices.SortFunc(w.chart.entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

// folder reads one folder; ignored says that .helmignore keeps it out of the archive.
func (w *walker) folder(dir string, ignored bool, depth int) *LoadError {
	if depth > w.lim.Depth {
		return &LoadError{File: dir, Message: fmt.Sprintf("more than %d nested folders", w.lim.Depth), Hint: "is there a link to a folder above itself?"}
	}
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		return w.fault(dir, err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		info, err := fs.Stat(w.fsys, name) // follows links, as Helm does
		if err != nil {
			if ignored || w.ignores(name, e) {
				continue
			}
			return w.fault(name, err)
		}
		skip := ignored || w.ignores(name, fs.FileInfoToDirEntry(info))
		if info.IsDir() {
			if e.Name() == ".git" && skip {
				continue
			}
			if err := w.folder(name, skip, depth+1); err != nil {
				return err
			}
			continue
		}
		if err := w.file(name, info, skip); err != nil {
			return err
		}
	}
	return nil
}

// ignores reports whether .helmignore, or its place beside the published folder, keeps name out.
func (w *walker) ignores(name string, e fs.DirEntry) bool {
	rel, inside := strings.CutPrefix(name, w.chart.Path+"/")
	if w.chart.Path == "." {
		rel, inside = name, true
	}
	if !inside {
		return name != w.chart.Path && !strings.HasPrefix(w.chart.Path, name+"/")
	}
	info, err := e.Info()
	return err == nil && w.rules.Ignore(rel, info)
}

func (w *walker) file(name string, info fs.FileInfo, ignored bool) *LoadError {
	if !info.Mode().IsRegular() {
		if ignored {
			return nil
		}
		return &LoadError{File: name, Message: fmt.Sprintf("not a regular file (%s)", info.Mode().Type()), Hint: "a chart holds files, folders and links to them"}
	}
	w.count++
	w.total += info.Size()
	switch {
	case w.count > w.lim.Files:
		return &LoadError{File: w.chart.Root, Message: fmt.Sprintf("more than %d files", w.lim.Files), Hint: "does the folder hold more than a chart?"}
	case w.total > w.lim.Total:
		return &LoadError{File: w.chart.Root, Message: fmt.Sprintf("more than %d bytes of files", w.lim.Total), Hint: "does the folder hold more than a chart?"}
	case info.Size() > w.lim.File && !ignored:
		return &LoadError{File: name, Message: fmt.Sprintf("%d bytes, and Helm takes %d at most", info.Size(), w.lim.File), Hint: "keep it out of the archive with .helmignore"}
	}
	entry := Entry{Path: relative(w.chart.Root, name), Mode: info.Mode().Perm()}
	f, err := w.fsys.Open(name)
	if err != nil {
		return w.fault(name, err)
	}
	defer f.Close()
	if info.Size() > w.lim.File {
		entry.Digest, err = digest.FromReader(io.LimitReader(f, w.lim.Total))
	} else {
		entry.Data, err = io.ReadAll(io.LimitReader(f, w.lim.File))
		entry.Digest = digest.FromBytes(entry.Data)
	}
	if err != nil {
		return w.fault(name, err)
	}
	w.chart.entries = append(w.chart.entries, entry)
	if !ignored {
		w.chart.files = append(w.chart.files, archive.File{Name: relative(w.chart.Path, name), Data: bytes.TrimPrefix(entry.Data, utf8BOM)})
	}
	return nil
}

// fault turns an error of the file system into one clear message.
func (w *walker) fault(name string, err error) *LoadError {
	e := &LoadError{File: name, Message: "reading: " + reason(err)}
	switch {
	case strings.Contains(err.Error(), "escapes"):
		e.Message, e.Hint = "a link that leads out of the repository", "copy the file into the chart, or keep the link out with .helmignore"
	case errors.Is(err, fs.ErrNotExist):
		e.Message, e.Hint = "a link that leads nowhere", "restore its target, or remove the link"
	case strings.Contains(err.Error(), "too many"):
		e.Message, e.Hint = "a link that leads to itself", "remove the link"
	}
	return e
}

// reason drops the operation and the path that an fs.PathError repeats.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

func relative(dir, name string) string {
	if dir == "." {
		return name
	}
	return strings.TrimPrefix(name, dir+"/")
}
