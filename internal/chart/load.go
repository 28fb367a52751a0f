package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

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
func Load(fsys fs.FS, dir Dir, lim Limits) *Chart { return (*Memory)(nil).Load(fsys, dir, lim) }

// Load is the function Load, but that what the memory knows already is read only when it is asked
// for, if at all: until then, fsys must remain.
func (m *Memory) Load(fsys fs.FS, dir Dir, lim Limits) *Chart {
	c := &Chart{Dir: dir, content: &content{dir: dir, fsys: fsys, lim: lim.withDefaults()}}
	c.pkg = sync.OnceValues(func() (digest.Digest, error) {
		files, err := c.PackageFiles()
		if err != nil {
			return "", err
		}
		return archive.Digest(files), nil
	})
	w := walker{content: c.content, memory: m}
	c.walkErr = w.run()
	c.sort()
	c.tree = c.sum()
	if c.walkErr == nil {
		c.facts.Store(m.recall(c))
	}
	return c
}

// walker reads the files below a chart's Root, following links as Helm does.
type walker struct {
	*content
	memory *Memory
	rules  *ignore.Rules
	count  int
	total  int64
}

func (w *walker) run() *LoadError {
	rules := ignore.Empty()
	name := path.Join(w.dir.Path, ignore.HelmIgnore)
	if data, err := fs.ReadFile(w.fsys, name); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return &LoadError{File: name, Pos: source.Pos{Line: 1}, Message: fmt.Sprintf("reading .helmignore: %v", err),
				Hint: "Helm's patterns are those of a shell: no double stars"}
		}
	}
	rules.AddDefaults()
	w.rules = rules
	return w.folder(w.dir.Root, false, 0)
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
		info, err := w.stat(name, e)
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

// stat describes a file, links followed, as Helm does. The listing knows what is no link.
func (w *walker) stat(name string, e fs.DirEntry) (fs.FileInfo, error) {
	if e.Type()&fs.ModeSymlink == 0 {
		if info, err := e.Info(); err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return info, nil
		}
	}
	return fs.Stat(w.fsys, name)
}

// ignores reports whether .helmignore, or its place beside the published folder, keeps name out.
func (w *walker) ignores(name string, e fs.DirEntry) bool {
	rel, inside := strings.CutPrefix(name, w.dir.Path+"/")
	if w.dir.Path == "." {
		rel, inside = name, true
	}
	if !inside {
		return name != w.dir.Path && !strings.HasPrefix(w.dir.Path, name+"/")
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
		return &LoadError{File: w.dir.Root, Message: fmt.Sprintf("more than %d files", w.lim.Files), Hint: "does the folder hold more than a chart?"}
	case w.total > w.lim.Total:
		return &LoadError{File: w.dir.Root, Message: fmt.Sprintf("more than %d bytes of files", w.lim.Total), Hint: "does the folder hold more than a chart?"}
	case info.Size() > w.lim.File && !ignored:
		return &LoadError{File: name, Message: fmt.Sprintf("%d bytes, and Helm takes %d at most", info.Size(), w.lim.File), Hint: "keep it out of the archive with .helmignore"}
	}
	found := walked{Entry: Entry{Path: relative(w.dir.Root, name), Mode: info.Mode().Perm()}, ignored: ignored, large: info.Size() > w.lim.File}
	w.size += info.Size()
	var known bool
	if found.Digest, known = w.memory.file(name, info); known {
		found.unread = true
	} else if err := w.read(name, info, &found); err != nil {
		return w.fault(name, err)
	}
	w.walked = append(w.walked, found)
	return nil
}

func (w *walker) read(name string, info fs.FileInfo, found *walked) error {
	f, err := w.fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if found.large {
		found.Digest, err = digest.FromReader(io.LimitReader(f, w.lim.Total))
	} else {
		found.Data, err = readAll(io.LimitReader(f, w.lim.File), info.Size())
		found.Digest = digest.FromBytes(found.Data)
	}
	if err == nil {
		w.memory.seen(name, info, found.Digest, found.Data)
	}
	return err
}

// readAll reads what has probably that many bytes, into no more memory than that.
func readAll(r io.Reader, size int64) ([]byte, error) {
	data := make([]byte, 0, size+1)
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return data, err
		case len(data) == cap(data):
			data = append(data, 0)[:len(data)]
		}
	}
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
