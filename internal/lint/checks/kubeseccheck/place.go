package kubeseccheck

import (
	"github.com/chartgate/chartgate/internal/source"
)

// podSpecs are the places of a pod in the kinds that have one.
var podSpecs = [][]any{
	{"spec"},
	{"spec", "template", "spec"},
	{"spec", "jobTemplate", "spec", "template", "spec"},
	{"template", "spec"},
}

// places finds containers in the text of one manifest, which is parsed when
// it is first asked for.
type places struct {
	text string
	obj  map[string]any
	doc  *source.YAML
}

// line is the line of the manifest, from 1, on which a container begins; 1 when it is not found.
func (p *places) line(container string) int {
	if container == "" {
		return 1
	}
	for _, path := range podSpecs {
		spec, ok := dig(p.obj, path).(map[string]any)
		if !ok {
			continue
		}
		for _, key := range []string{"containers", "initContainers"} {
			list, _ := spec[key].([]any)
			for i, item := range list {
				c, _ := item.(map[string]any)
				if name, _ := c["name"].(string); name == container {
					return p.at(append(path[:len(path):len(path)], key, i))
				}
			}
		}
	}
	return 1
}

func (p *places) at(path []any) int {
	if p.doc == nil {
		p.doc, _ = source.ParseYAML([]byte(p.text))
	}
	if pos, ok := p.doc.Pos(path...); ok {
		return pos.Line
	}
	return 1
}

func dig(v any, path []any) any {
	for _, step := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[step.(string)]
	}
	return v
}
