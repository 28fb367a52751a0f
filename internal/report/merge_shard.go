package report

import (
	"encoding/json"

	"github.com/opencontainers/go-digest"
)

// Shard says which part of the work a report is of, so that the parts can be
// put together again.
type Shard struct {
	Index, Total int      // from 1 to Total
	Checks       []string // those that were run
	Settings     string   // digest of the configuration
	Durations    string   // digest of the durations that the cut is balanced by, "" if by none
	Plan         []Planned
	Seconds      map[string]float64 // how long the charts of this part took, by path
}

// Planned is one chart of the whole, and the part that it was given to.
type Planned struct {
	Path, Tree string
	Shard      int
}

type jsonShard struct {
	Index     int                `json:"index"`
	Total     int                `json:"total"`
	Plan      string             `json:"plan"`
	Checks    []string           `json:"checks"`
	Settings  string             `json:"settings"`
	Durations string             `json:"durations"`
	Charts    []jsonPlanned      `json:"charts"`
	Seconds   map[string]float64 `json:"seconds"`
	Content   string             `json:"content"`
}

type jsonPlanned struct {
	Path  string `json:"path"`
	Tree  string `json:"tree"`
	Shard int    `json:"shard"`
}

// PlanDigest is the same for all parts of one whole, and for no others.
func (s *Shard) PlanDigest(tool Tool) string {
	plan := struct {
		Tool                Tool
		Total               int
		Checks              []string
		Settings, Durations string
		Charts              []Planned
	}{tool, s.Total, s.Checks, s.Settings, s.Durations, s.Plan}
	data, err := json.Marshal(plan)
	if err != nil { // strings and numbers only
		return ""
	}
	return digest.FromBytes(data).String()
}

func (s *Shard) json(tool Tool) *jsonShard {
	if s == nil {
		return nil
	}
	out := &jsonShard{Index: s.Index, Total: s.Total, Plan: s.PlanDigest(tool), Checks: append([]string{}, s.Checks...), Settings: s.Settings,
		Durations: s.Durations, Charts: []jsonPlanned{}, Seconds: map[string]float64{}}
	for _, c := range s.Plan {
		out.Charts = append(out.Charts, jsonPlanned(c))
	}
	for path, took := range s.Seconds {
		out.Seconds[path] = took
	}
	return out
}

func (s *jsonShard) shard() *Shard {
	out := &Shard{Index: s.Index, Total: s.Total, Checks: s.Checks, Settings: s.Settings, Durations: s.Durations, Seconds: s.Seconds}
	for _, c := range s.Charts {
		out.Plan = append(out.Plan, Planned(c))
	}
	return out
}
