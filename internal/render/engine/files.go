package engine

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/gobwas/glob"
	"helm.sh/helm/v3/pkg/chart"
)

// files is what templates find in .Files: the chart's files that are not
// templates, by path. The name of the type is Helm's: templates can see it.
type files map[string][]byte

func newFiles(from []*chart.File) files {
	out := make(files, len(from))
	for _, f := range from {
		out[f.Name] = f.Data
	}
	return out
}

// GetBytes returns a file, or nothing where there is no such file.
func (f files) GetBytes(name string) []byte {
	if data, ok := f[name]; ok {
		return data
	}
	return []byte{}
}

// Get returns a file as a string, "" where there is no such file.
func (f files) Get(name string) string { return string(f.GetBytes(name)) }

const (
	maxGlob     = 512           // bytes of a pattern
	maxGlobWork = 2_000_000_000 // steps of matching one pattern against all names, at worst
)

// Glob returns the files whose path matches the pattern; * stays within a
// folder, ** does not. A pattern that is none matches everything.
func (f files) Glob(pattern string) (files, error) {
	if len(pattern) > maxGlob {
		return nil, fmt.Errorf("a pattern of %d bytes: the limit is %d", len(pattern), maxGlob)
	}
	if work := f.globWork(pattern); work > maxGlobWork {
		return nil, fmt.Errorf("the pattern %q has too many wildcards for this chart's files", pattern)
	}
	g, err := glob.Compile(pattern, '/')
	if err != nil {
		g = glob.MustCompile("**")
	}
	out := files{}
	for name, data := range f {
		if g.Match(name) {
			out[name] = data
		}
	}
	return out, nil
}

// globWork estimates the steps of matching: the matcher halves the pattern at
// a literal and tries every place of that in the name, on either side again.
func (f files) globWork(pattern string) float64 {
	wild := strings.Count(pattern, "*") + strings.Count(pattern, "{") + strings.Count(pattern, ",")
	power := math.Ceil(math.Log2(float64(wild+1))) + 1
	work := 0.0
	for name := range f {
		work += math.Pow(float64(len(name)+1), power)
	}
	return work
}

// AsConfig writes the files as the data of a ConfigMap, by their base names.
// Of files with the same base name one is kept; which one Helm leaves to chance.
func (f files) AsConfig() string {
	return f.asYAML(func(data []byte) string { return string(data) })
}

// AsSecrets writes the files as the data of a Secret.
func (f files) AsSecrets() string { return f.asYAML(base64.StdEncoding.EncodeToString) }

func (f files) asYAML(encode func([]byte) string) string {
	if f == nil {
		return ""
	}
	out := make(map[string]string, len(f))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		out[path.Base(name)] = encode(f[name])
	}
	return toYAML(out)
}

// Lines returns the lines of a file.
func (f files) Lines(name string) []string {
	data := f[name]
	if len(data) == 0 {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}
