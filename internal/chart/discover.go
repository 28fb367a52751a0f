package chart

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// houseDir is the folder of the house standard that is published.
const houseDir = "Chart"

// ErrNoMatch says that a pattern for charts names a folder that is not there.
var ErrNoMatch = errors.New("no such folder")

// Discover returns the folders that match one of the globs and none of exclude
// and that are charts or look like one, sorted by Root. Patterns are slash-separated,
// relative to the repository's root, and know "**". A glob may match the folder that is
// named after the chart or the folder of Chart.yaml itself. Folders under another
// chart's charts/ are its dependencies and left out. A pattern without wildcards
// that matches nothing fails with ErrNoMatch.
func Discover(fsys fs.FS, globs, exclude []string) ([]Dir, error) {
	found := map[string]Dir{} // by Path
	for _, glob := range globs {
		glob = clean(glob)
		matches, err := doublestar.Glob(fsys, glob)
		if err != nil {
			return nil, fmt.Errorf("matching charts %q: %w", glob, err)
		}
		if len(matches) == 0 && !strings.ContainsAny(glob, `*?[{\`) {
			return nil, fmt.Errorf("finding chart %q: %w", glob, ErrNoMatch)
		}
		for _, m := range matches {
			dir, ok := Identify(fsys, m)
			if !ok || excluded(exclude, dir) || insideChart(fsys, dir.Root) {
				continue
			}
			if old, seen := found[dir.Path]; !seen || old.Layout == Flat {
				found[dir.Path] = dir
			}
		}
	}
	dirs := make([]Dir, 0, len(found))
	for _, d := range found {
		dirs = append(dirs, d)
	}
	slices.SortFunc(dirs, func(a, b Dir) int {
		return cmp.Or(strings.Compare(a.Root, b.Root), strings.Compare(a.Path, b.Path))
	})
	return dirs, nil
}

// Identify tells which layout the folder has, and whether it is a chart or
// looks like one: it has a Chart.yaml (in whatever spelling), templates/ or values.yaml,
// or it is a link that leads nowhere.
func Identify(fsys fs.FS, dir string) (Dir, bool) {
	dir = clean(dir)
	info, err := fs.Stat(fsys, dir)
	switch {
	case err != nil:
		return Dir{Path: dir, Root: dir}, true // a match that cannot be read: a finding, not a gap
	case !info.IsDir():
		return Dir{}, false
	case isFile(fsys, path.Join(dir, "Chart.yaml")):
		if path.Base(dir) == houseDir && path.Dir(dir) != "." {
			return Dir{Path: dir, Root: path.Dir(dir), Layout: House}, true
		}
		return Dir{Path: dir, Root: dir}, true
	case looksLikeChart(fsys, path.Join(dir, houseDir)):
		return Dir{Path: path.Join(dir, houseDir), Root: dir, Layout: House}, true
	}
	return Dir{Path: dir, Root: dir}, looksLikeChart(fsys, dir)
}

func looksLikeChart(fsys fs.FS, dir string) bool {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		switch strings.ToLower(e.Name()) {
		case "chart.yaml", "chart.yml", "values.yaml", "values.yml", "templates":
			return true
		}
	}
	return false
}

// insideChart reports whether dir lies under the charts/ folder of a chart.
func insideChart(fsys fs.FS, dir string) bool {
	for d := dir; d != "." && d != "/"; d = path.Dir(d) {
		parent := path.Dir(d)
		if path.Base(parent) == "charts" && isFile(fsys, path.Join(path.Dir(parent), "Chart.yaml")) {
			return true
		}
	}
	return false
}

func excluded(patterns []string, dir Dir) bool {
	for _, p := range patterns {
		p = clean(p)
		for _, name := range []string{dir.Root, dir.Path} {
			if ok, _ := doublestar.Match(p, name); ok || strings.HasPrefix(name, p+"/") {
				return true
			}
		}
	}
	return false
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && !info.IsDir()
}

func clean(p string) string { return path.Clean(strings.TrimPrefix(p, "./")) }
