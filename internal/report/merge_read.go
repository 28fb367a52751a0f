package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/opencontainers/go-digest"
)

// maxReport bounds a report that is read, in bytes.
const maxReport = 512 << 20

// seal adds the digest of everything else, which tells a report that was cut
// short or edited from one that was not.
func (r *jsonReport) seal() error {
	r.Shard.Content = ""
	var b bytes.Buffer
	if err := r.encode(&b); err != nil {
		return err
	}
	r.Shard.Content = digest.FromBytes(b.Bytes()).String()
	return nil
}

// MergeError is a report that cannot be put together with others.
type MergeError struct {
	File    string // as it was named
	Message string
	Hint    string
}

func (e *MergeError) Error() string { return e.File + ": " + e.Message }

// errNotWritten says that a report does not read as this program writes them.
var errNotWritten = errors.New("not as chartgate writes it: was it cut short or edited?")

// ReadShard reads the JSON report of a shard, written by the program tool. What
// it returns writes the same bytes again. Errors say what is wrong with the report.
func ReadShard(in io.Reader, tool Tool) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxReport+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxReport {
		return nil, fmt.Errorf("more than %d bytes", maxReport)
	}
	var kind struct {
		Schema int             `json:"schema"`
		Tool   jsonTool        `json:"tool"`
		Shard  json.RawMessage `json:"shard"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, fmt.Errorf("%w (%w)", errNotWritten, err)
	}
	switch {
	case kind.Schema != 1 || kind.Tool.Name != tool.Name:
		return nil, fmt.Errorf("not a JSON report of %s", tool.Name)
	case kind.Tool.Version != tool.Version:
		return nil, fmt.Errorf("written by %s %s, and this is %s", tool.Name, kind.Tool.Version, tool.Version)
	case kind.Shard == nil:
		return nil, errors.New("the report of a whole run, not of a shard")
	}
	return readExact(data)
}

// readExact reads a report, and makes sure that it writes the same bytes.
func readExact(data []byte) (*Report, error) {
	var j jsonReport
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, fmt.Errorf("%w (%w)", errNotWritten, err)
	}
	if j.Shard == nil {
		return nil, errNotWritten
	}
	r, err := j.report()
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errNotWritten, err)
	}
	var again bytes.Buffer
	if err := JSON(&again, r); err != nil {
		return nil, err
	}
	if !bytes.Equal(data, again.Bytes()) {
		return nil, errNotWritten
	}
	return r, nil
}

// report is the opposite of jsonOf. What the summary says is not taken over: it
// follows from the rest.
func (j *jsonReport) report() (*Report, error) {
	r := &Report{Tool: Tool(j.Tool), Shard: j.Shard.shard()}
	var err error
	if r.FailOn, err = finding.ParseSeverity(j.Summary.FailOn); err != nil {
		return nil, err
	}
	for _, c := range j.Charts {
		rc := Chart{Name: c.Name, Path: c.Path, Version: c.Version, Package: c.Package}
		for _, d := range c.Dependencies {
			rc.Dependencies = append(rc.Dependencies, Dependency(d))
		}
		r.Charts = append(r.Charts, rc)
	}
	for _, o := range j.Outcomes {
		r.Outcomes = append(r.Outcomes, Outcome(o))
	}
	for _, f := range j.Findings {
		severity, err := finding.ParseSeverity(f.Severity)
		if err != nil {
			return nil, err
		}
		r.Findings = append(r.Findings, finding.Finding{
			Check: f.Check, Rule: f.Rule, Severity: severity, Chart: f.Chart, Values: f.Values, Object: f.Object, Container: f.Container,
			File: f.File, Pos: source.Pos{Line: f.Line, Column: f.Column}, Message: f.Message, Hint: f.Hint, Fingerprint: f.Fingerprint,
		})
	}
	return r, nil
}
