package registry

import (
	"encoding/json"
	"fmt"

	"helm.sh/helm/v3/pkg/chart"
)

// compactEntry is what of an index's entry finds a chart: a hundredth of what indexes hold.
type compactEntry struct {
	Version string   `json:"v"`
	URLs    []string `json:"u"`
	Digest  string   `json:"d,omitempty"`
}

// compact is the index with only that of it which finds a chart, in the same order.
func (x *Index) compact() []byte {
	out := make(map[string][]compactEntry, len(x.Entries))
	for name, list := range x.Entries {
		out[name] = []compactEntry{}
		for _, e := range list {
			out[name] = append(out[name], compactEntry{e.Version, e.URLs, e.Digest})
		}
	}
	data, err := json.Marshal(out)
	if err != nil {
		panic("registry: compact index: " + err.Error()) // strings always marshal
	}
	return data
}

func parseCompact(data []byte) (*Index, error) {
	var in map[string][]compactEntry
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("reading a kept index: %w", err)
	}
	x := &Index{APIVersion: "v1", Entries: make(map[string][]*IndexEntry, len(in))}
	for name, list := range in {
		x.Entries[name] = []*IndexEntry{}
		for _, e := range list {
			x.Entries[name] = append(x.Entries[name], &IndexEntry{Metadata: &chart.Metadata{Name: name, Version: e.Version}, URLs: e.URLs, Digest: e.Digest})
		}
	}
	return x, nil
}
