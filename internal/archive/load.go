package archive

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// Load makes a chart of files as Helm's loader does, subcharts under charts/ included, with two differences: subcharts come in the order of their folders' and
// archives' names rather than in that of a map, and archives within archives count towards the same limits, where Helm
// grants each of them 100 MiB anew.
func Load(files []File, lim Limits) (*helmchart.Chart, error) {
	lim = lim.withDefaults()
	return load(files, &budget{bytes: lim.Total, files: lim.Files, lim: lim}, 0)
}

// LoadArchive reads and loads a chart archive, as Read and Load together do.
func LoadArchive(data []byte, lim Limits) (*helmchart.Chart, error) {
	lim = lim.withDefaults()
	b := &budget{bytes: lim.Total, files: lim.Files, lim: lim}
	_, files, err := read(bytes.NewReader(data), b)
	if err != nil {
		return nil, err
	}
	return load(files, b, 0)
}

func load(files []File, b *budget, depth int) (*helmchart.Chart, error) {
	if depth > b.lim.Depth {
		return nil, &LimitError{What: "chart", Limit: int64(b.lim.Depth), Unit: "levels of charts within charts"}
	}
	own, subs := splitSubcharts(files)
	c, err := loader.LoadFiles(own)
	if err != nil {
		return nil, err
	}
	c.Raw = rawFiles(files)
	for _, s := range subs {
		sub, err := s.load(b, depth+1)
		if err != nil {
			return nil, fmt.Errorf("error unpacking subchart %s in %s: %w", s.name, c.Name(), err)
		}
		c.AddDependency(sub)
	}
	return c, nil
}

func rawFiles(files []File) []*helmchart.File {
	raw := make([]*helmchart.File, len(files))
	for i, f := range files {
		raw[i] = &helmchart.File{Name: f.Name, Data: f.Data}
	}
	return raw
}

// subchart is one folder or archive directly under charts/, its files named from there.
type subchart struct {
	name  string
	files []File
}

// splitSubcharts takes the files under charts/ apart from a chart's own. Signatures (.prov) count as the chart's own.
func splitSubcharts(files []File) (own []*loader.BufferedFile, subs []subchart) {
	index := map[string]int{}
	for _, f := range files {
		rest, under := strings.CutPrefix(f.Name, "charts/")
		if !under || path.Ext(f.Name) == ".prov" {
			own = append(own, &loader.BufferedFile{Name: f.Name, Data: f.Data})
			continue
		}
		name, _, _ := strings.Cut(rest, "/")
		if strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		i, known := index[name]
		if !known {
			i = len(subs)
			index[name] = i
			subs = append(subs, subchart{name: name})
		}
		subs[i].files = append(subs[i].files, File{Name: rest, Data: f.Data})
	}
	slices.SortFunc(subs, func(a, b subchart) int { return strings.Compare(a.name, b.name) })
	return own, subs
}

func (s subchart) load(b *budget, depth int) (*helmchart.Chart, error) {
	if path.Ext(s.name) == ".tgz" {
		if got := s.files[0].Name; got != s.name {
			return nil, fmt.Errorf("expected an archive at %q, got a folder with %q", s.name, got)
		}
		_, files, err := read(bytes.NewReader(s.files[0].Data), b)
		if err != nil {
			return nil, err
		}
		return load(files, b, depth)
	}
	inside := make([]File, 0, len(s.files))
	for _, f := range s.files {
		if _, rest, ok := strings.Cut(f.Name, "/"); ok {
			inside = append(inside, File{Name: rest, Data: f.Data})
		}
	}
	return load(inside, b, depth)
}
