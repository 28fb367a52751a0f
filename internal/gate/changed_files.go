package gate

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// fileSet is a sorted list of paths.
type fileSet []string

func newFileSet(files []string) fileSet {
	out := slices.Clone(files)
	slices.Sort(out)
	return slices.Compact(out)
}

func (s fileSet) has(name string) bool {
	_, ok := slices.BinarySearch(s, name)
	return ok
}

// in lists the files that are dir or lie below it, and what dir itself lies
// below: a link, a submodule or a file that has become a folder.
func (s fileSet) in(dir string) []string {
	var out []string
	if dir == "." {
		for _, f := range s {
			if f != ".." && !strings.HasPrefix(f, "../") {
				out = append(out, f)
			}
		}
		return out
	}
	for up := path.Dir(dir); up != "." && up != "/"; up = path.Dir(up) {
		if s.has(up) {
			out = append(out, up)
		}
	}
	if s.has(dir) {
		out = append(out, dir)
	}
	i, _ := slices.BinarySearch(s, dir+"/")
	for ; i < len(s) && strings.HasPrefix(s[i], dir+"/"); i++ {
		out = append(out, s[i])
	}
	return out
}

// place is where a link leads, or another link on the way there.
type place struct{ link, path string }

const (
	maxHops  = 40     // links after one another
	maxLinks = 10_000 // links of one chart
)

// linkFinder finds the places outside of a folder whose files the folder shows
// through symbolic links. Nothing but links is read, and nothing outside of the root.
type linkFinder struct {
	root   string // absolute
	seen   map[string]bool
	places []place
}

// links finds the places that the links below a folder lead to or through.
func links(root, dir string) []place {
	f := &linkFinder{root: root, seen: map[string]bool{}}
	f.follow(dir)
	f.walk(dir)
	return f.places
}

// walk looks for links below a folder; what they lead to is walked as well.
func (f *linkFinder) walk(dir string) {
	if f.seen[dir] {
		return
	}
	f.seen[dir] = true
	_ = filepath.WalkDir(filepath.Join(f.root, filepath.FromSlash(dir)), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read is for the loader to complain of
		}
		if len(f.places) > maxLinks {
			return filepath.SkipAll
		}
		if d.Type()&fs.ModeSymlink != 0 {
			if rel, err := filepath.Rel(f.root, name); err == nil {
				f.follow(filepath.ToSlash(rel))
			}
		}
		return nil
	})
}

// follow resolves a path as the system would, noting each link on its way but
// the path's own, and where it ends.
func (f *linkFinder) follow(name string) {
	rest := strings.Split(name, "/")
	at, hops := ".", 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == ".." && at == "." {
			return // out of the repository
		}
		at = path.Join(at, part)
		if at == "." {
			continue
		}
		target, err := os.Readlink(filepath.Join(f.root, filepath.FromSlash(at)))
		if err != nil {
			continue // no link
		}
		if at != name {
			f.note(name, at)
		}
		if hops++; hops > maxHops {
			return
		}
		if filepath.IsAbs(target) {
			if target, err = filepath.Rel(f.root, target); err != nil {
				return
			}
			at = "."
		} else {
			at = path.Dir(at)
		}
		rest = append(strings.Split(filepath.ToSlash(target), "/"), rest...)
	}
	if hops > 0 {
		f.note(name, at)
		f.walk(at)
	}
}

func (f *linkFinder) note(link, to string) {
	f.places = append(f.places, place{link, to})
}
