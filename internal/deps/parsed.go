package deps

import (
	"bytes"
	"container/list"
	"sync"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/opencontainers/go-digest"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// parsedCharts keeps charts of archives by the digest of the archive, those used longest ago out first. The charts are shared: never changed, only cloned.
type parsedCharts struct {
	max int64

	mu    sync.Mutex
	size  int64
	order list.List // of parsedChart, last used first
	at    map[digest.Digest]*list.Element
}

type parsedChart struct {
	blob  digest.Digest
	chart *helmchart.Chart
	files digest.Digest
	size  int64
}

func (p *parsedCharts) get(blob digest.Digest) (parsedChart, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.at[blob]
	if !ok {
		return parsedChart{}, false
	}
	p.order.MoveToFront(e)
	return e.Value.(parsedChart), true
}

func (p *parsedCharts) add(c parsedChart) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		p.at = map[digest.Digest]*list.Element{}
	}
	if _, ok := p.at[c.blob]; ok || c.size > p.max {
		return
	}
	p.at[c.blob] = p.order.PushFront(c)
	for p.size += c.size; p.size > p.max; {
		last := p.order.Remove(p.order.Back()).(parsedChart)
		delete(p.at, last.blob)
		p.size -= last.size
	}
}

// parse makes a chart of an archive, or finds the one that was made of it before.
func (r *Resolver) parse(blob digest.Digest, data []byte) (parsedChart, error) {
	if c, ok := r.parsed.get(blob); ok {
		return c, nil
	}
	_, files, err := archive.Read(bytes.NewReader(data), r.opt.Limits)
	if err != nil {
		return parsedChart{}, err
	}
	helm, err := archive.Load(files, r.opt.Limits)
	if err != nil {
		return parsedChart{}, err
	}
	c := parsedChart{blob: blob, chart: helm, files: archive.Digest(files)}
	for _, f := range files {
		c.size += int64(len(f.Data) + len(f.Name) + 64)
	}
	r.parsed.add(c)
	return c, nil
}
