package yamllint

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is how many bytes of a file are read. Larger ones are no YAML of anyone's; a device may have no end.
const maxFile = 1 << 30

// Files lists the files to lint that the arguments of a command name, in the order of the arguments and, in folders, in that
// of the file system, files before folders: that is what yamllint does. Of files in folders only those count that the
// configuration takes for YAML. Links to folders inside of folders are not followed. Arguments are relative to dir.
func Files(dir string, args []string, cfg *Config) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, arg := range args {
			info, err := os.Stat(absolutePath(dir, arg))
			if err == nil && info.IsDir() {
				if !walk(dir, arg, cfg, yield) {
					return
				}
				continue
			}
			if !cfg.IgnoresFile(filepath.ToSlash(arg)) && !yield(arg) { // a missing one is for its reader to find
				return
			}
		}
	}
}

// walk yields the files of a folder and, after those, of the folders in it. It returns false to stop.
func walk(dir, folder string, cfg *Config, yield func(string) bool) bool {
	var folders []string
	for _, e := range entries(absolutePath(dir, folder)) {
		name := folder + string(filepath.Separator) + e.Name()
		if strings.HasSuffix(folder, string(filepath.Separator)) {
			name = folder + e.Name()
		}
		if e.IsDir() {
			folders = append(folders, name)
			continue
		}
		if e.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(absolutePath(dir, name)); err == nil && info.IsDir() {
				continue
			}
		}
		if p := filepath.ToSlash(name); cfg.IsYAMLFile(p) && !cfg.IgnoresFile(p) && !yield(name) {
			return false
		}
	}
	for _, name := range folders {
		if !walk(dir, name, cfg, yield) {
			return false
		}
	}
	return true
}

// entries lists a folder as the file system does; one that cannot be read is empty.
func entries(folder string) []fs.DirEntry {
	f, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer f.Close()
	list, _ := f.ReadDir(-1)
	return list
}

// ReadFile reads a file to lint. The path is relative to dir.
func ReadFile(dir, path string) ([]byte, error) {
	f, err := os.Open(absolutePath(dir, path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := 0
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = int(min(info.Size(), maxFile))
	}
	return ReadText(f, path, size)
}

// ReadText reads a text to lint, of about as many bytes as size says. Name is what errors call it.
func ReadText(r io.Reader, name string, size int) ([]byte, error) {
	data := make([]byte, 0, size+512)
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, fmt.Errorf("reading %q: %w", name, err)
		case len(data) > maxFile:
			return nil, fmt.Errorf("reading %q: it is larger than %d MiB", name, maxFile>>20)
		case len(data) == cap(data):
			data = append(data, 0)[:len(data)]
		}
	}
}

func absolutePath(dir, path string) string {
	if filepath.IsAbs(path) || dir == "" {
		return path
	}
	return dir + string(filepath.Separator) + path
}
