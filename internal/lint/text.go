package lint

import (
	"path"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
)

// addTexts gives findings the text of their lines, where the file is one of a chart of
// the repository.
func (c *chartRun) addTexts(found []finding.Finding) {
	for i := range found {
		if f := &found[i]; f.Text == "" && f.Line > 0 {
			if data, ok := c.fileOf(f.File); ok {
				f.Text = source.Line(data, f.Line)
			}
		}
	}
}

// fileOf finds a file of the chart, or of the chart of the repository that it lies in.
func (c *chartRun) fileOf(name string) ([]byte, bool) {
	if data, ok := fileIn(c.Chart, name); ok {
		return data, true
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if other := c.Repo.At(dir); other != nil {
			return fileIn(other, name)
		}
		if dir == "." || dir == "/" {
			return nil, false
		}
	}
}

func fileIn(c *chart.Chart, name string) ([]byte, bool) {
	rel := name
	if c.Root != "." {
		if len(name) <= len(c.Root) || name[:len(c.Root)] != c.Root || name[len(c.Root)] != '/' {
			return nil, false
		}
		rel = name[len(c.Root)+1:]
	}
	e, ok := c.Entry(rel)
	return e.Data, ok
}
