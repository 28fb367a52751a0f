package deps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/opencontainers/go-digest"
)

// folder is a folder of charts on this machine.
type folder struct {
	once sync.Once
	root *os.Root
	err  error
}

func (f *folder) close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}

// openFolder opens a mirror's folder once. No link leads out of it.
func (r *Resolver) openFolder(dir string) (fs.FS, error) {
	r.mu.Lock()
	f := r.folders[dir]
	if f == nil {
		f = &folder{}
		r.folders[dir] = f
	}
	r.mu.Unlock()
	f.once.Do(func() { f.root, f.err = os.OpenRoot(dir) })
	if f.err != nil {
		return nil, &fault{kind: KindMissing, field: "repository", tried: []string{dir + ": " + f.err.Error()},
			err: fmt.Errorf("opening the mirror's folder: %w", f.err), hint: "correct the mirror, or make the folder"}
	}
	return f.root.FS(), nil
}

// takeFolder finds a dependency in a mirror's folder.
func (r *Resolver) takeFolder(ctx context.Context, n *node, s step, to place) result {
	dir := filepath.FromSlash(to.url)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.opt.Dir, dir)
	}
	fsys, err := r.openFolder(dir)
	if err != nil {
		return result{err: err}
	}
	space := dir + ": "
	found, err := r.search(ctx, &node{fsys: fsys, space: space}, s, to.url)
	if err != nil {
		return result{err: err}
	}
	if found.chart != nil {
		at := local{fsys: fsys, space: space, origin: OriginFile, from: path.Join(filepath.ToSlash(to.url), found.name), standIn: true}
		return r.takeLocal(ctx, n, s, found.chart, at)
	}
	return r.takeArchive(n, fsys, s, path.Join(filepath.ToSlash(to.url), found.name), found)
}

// candidate is a chart in a mirror's folder: unpacked, or an archive.
type candidate struct {
	name    string // of the folder or archive
	version string
	chart   *chart.Chart // nil for an archive
}

// search looks for the newest chart that does: in the folders NAME and NAME-VERSION, and in archives NAME-VERSION.tgz.
func (r *Resolver) search(ctx context.Context, at *node, s step, where string) (candidate, error) {
	entries, err := fs.ReadDir(at.fsys, ".")
	if err != nil {
		return candidate{}, &fault{kind: KindMissing, field: "repository", err: fmt.Errorf("reading the mirror's folder %s: %w", where, err)}
	}
	var all []candidate
	for _, e := range entries {
		c, ok, err := r.candidate(ctx, at, s.name, e)
		if err != nil {
			return candidate{}, err
		}
		if ok {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return candidate{}, &fault{kind: KindMissing, field: "name", tried: []string{where + ": no such chart"},
			err: fmt.Errorf("the mirror's folder %s has no chart %q", where, s.name), hint: "add the chart to the folder, or leave the mirror out"}
	}
	return pick(s, where, all)
}

func (r *Resolver) candidate(ctx context.Context, at *node, name string, e fs.DirEntry) (candidate, bool, error) {
	version, versioned := strings.CutPrefix(e.Name(), name+"-")
	if packed, ok := strings.CutSuffix(version, ".tgz"); ok && versioned {
		_, err := semver.NewVersion(packed)
		return candidate{name: e.Name(), version: packed}, err == nil, nil
	}
	if e.Name() != name {
		if _, err := semver.NewVersion(version); !versioned || err != nil {
			return candidate{}, false, nil
		}
	}
	if _, err := fs.Stat(at.fsys, e.Name()+"/Chart.yaml"); err != nil {
		return candidate{}, false, nil
	}
	c, err := r.localChart(ctx, at, e.Name())
	if err != nil {
		return candidate{}, false, err
	}
	return candidate{name: e.Name(), version: c.Version(), chart: c}, c.Name() == name, nil
}

// pick chooses the newest candidate that the step allows.
func pick(s step, where string, all []candidate) (candidate, error) {
	versions := map[string]candidate{}
	var have []string
	for _, c := range all {
		if v, err := semver.NewVersion(c.version); err == nil {
			have = append(have, v.String())
			versions[v.String()] = c
		}
	}
	have = newest(have)
	for _, v := range have {
		if s.locked && !sameVersion(s.version, v) || checkConstraint(s.version, v) != nil {
			continue
		}
		return versions[v], nil
	}
	return candidate{}, noVersion(s.version, where, have)
}

// takeArchive reads a dependency out of an archive in a mirror's folder.
func (r *Resolver) takeArchive(n *node, fsys fs.FS, s step, from string, found candidate) result {
	lim := r.opt.Limits.Archive
	if lim <= 0 {
		lim = 100 << 20
	}
	info, err := fs.Stat(fsys, found.name)
	if err == nil && info.Size() > lim {
		err = errors.New("it is too large")
	}
	var data []byte
	if err == nil {
		data, err = fs.ReadFile(fsys, found.name)
	}
	if err != nil {
		return result{err: &fault{kind: KindArchive, err: fmt.Errorf("reading %s: %w", from, err)}}
	}
	c, err := r.parse(digest.FromBytes(data), data)
	if err != nil {
		return result{err: &fault{kind: KindArchive, err: fmt.Errorf("reading %s: %w", from, err)}}
	}
	if err := s.checkFound(c.chart.Metadata, found.version, from); err != nil {
		return result{err: err}
	}
	if err := n.admit(c.size); err != nil {
		return result{err: err}
	}
	d := s.dependency(c.chart.Metadata.Version, from, OriginFile, &graph{chart: c.chart})
	d.Digest, d.StandIn = c.files, true
	return result{dep: d, entry: found.name}
}
