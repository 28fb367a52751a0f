package yamllint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
)

// codeQualityFormat writes the report that GitLab shows beside a merge request's changes.
type codeQualityFormat struct {
	w    io.Writer
	list jsonList
	seen map[string]int // how often a problem of the same words was in the file
}

type codeQualityIssue struct {
	Description string              `json:"description"`
	CheckName   string              `json:"check_name"`
	Fingerprint string              `json:"fingerprint"`
	Severity    string              `json:"severity"`
	Location    codeQualityLocation `json:"location"`
}

type codeQualityLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

func (f *codeQualityFormat) File(name string, problems []Problem) {
	clear(f.seen)
	name = path.Clean(name) // GitLab compares it with the paths of the repository
	for _, p := range problems {
		issue := codeQualityIssue{Description: p.Message, CheckName: p.Rule, Severity: "major", Location: codeQualityLocation{Path: name}}
		if p.Level == Warning {
			issue.Severity = "minor"
		}
		issue.Location.Lines.Begin = p.Line
		issue.Fingerprint = f.fingerprint(name, p)
		f.list.add(f.w, issue)
	}
}

// fingerprint tells problems apart, and stays when lines move.
func (f *codeQualityFormat) fingerprint(name string, p Problem) string {
	key := p.Rule + "\x00" + p.Message
	f.seen[key]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", name, key, f.seen[key]))
	return hex.EncodeToString(sum[:16])
}

func (f *codeQualityFormat) Close() { f.list.end(f.w) }
