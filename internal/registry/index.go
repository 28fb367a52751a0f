package registry

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// maxIndexMarks bounds the nodes of a YAML index before it is parsed, since each
// costs a hundred times its size in memory: every node but the first needs one of
// the characters counted. The largest public index has fewer than two million.
const maxIndexMarks = 6_000_000

// Index is the index.yaml of a chart repository. It is shared: treat it as
// read-only.
type Index struct {
	APIVersion string
	Entries    map[string][]*IndexEntry // by chart name, newest version first
	Skipped    []string                 // entries that were left out, with the reason, sorted
}

// IndexEntry is one version of a chart in an index.
type IndexEntry struct {
	*chart.Metadata
	URLs    []string `json:"urls"` // absolute, or relative to the repository's URL
	Created string   `json:"created,omitempty"`
	Removed bool     `json:"removed,omitempty"`
	Digest  string   `json:"digest,omitempty"` // SHA-256 of the archive in hexadecimal, "" if not given

	// Written by earlier versions of Helm, which reads an index strictly.
	Checksum      string `json:"checksum,omitempty"`
	Engine        string `json:"engine,omitempty"`
	TillerVersion string `json:"tillerVersion,omitempty"`
	URL           string `json:"url,omitempty"`
}

// indexFile has every key that Helm allows at the top of an index.
type indexFile struct {
	ServerInfo  map[string]any           `json:"serverInfo"`
	APIVersion  string                   `json:"apiVersion"`
	Generated   string                   `json:"generated"`
	Entries     map[string][]*IndexEntry `json:"entries"`
	PublicKeys  []string                 `json:"publicKeys"`
	Annotations map[string]string        `json:"annotations"`
}

// ParseIndex reads an index.yaml, in YAML or JSON, with Helm's verdict: keys that
// Helm does not know are an error in YAML, an entry that Helm would pass over is
// passed over.
func ParseIndex(data []byte) (*Index, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("the index is empty: %w", ErrCorrupt)
	}
	var file indexFile
	if err := decodeIndex(data, &file); err != nil {
		return nil, err
	}
	if file.APIVersion == "" {
		return nil, fmt.Errorf("it is not the index of a chart repository, there is no apiVersion: %w", ErrCorrupt)
	}
	idx := &Index{APIVersion: file.APIVersion, Entries: make(map[string][]*IndexEntry, len(file.Entries))}
	for name, list := range file.Entries {
		idx.Entries[name] = idx.usable(name, list)
	}
	slices.Sort(idx.Skipped)
	return idx, nil
}

func decodeIndex(data []byte, file *indexFile) error {
	if json.Valid(data) {
		if err := json.Unmarshal(data, file); err != nil {
			return fmt.Errorf("%s: %w", foreign(err.Error()), ErrCorrupt)
		}
		return nil
	}
	marks := 0
	for _, b := range data {
		switch b {
		case '\n', ',', '[', '{', '-', '&', '*':
			marks++
		}
	}
	if marks > maxIndexMarks {
		return fmt.Errorf("the index has too many parts: %w", ErrTooLarge)
	}
	if err := yaml.UnmarshalStrict(data, file); err != nil {
		return fmt.Errorf("%s: %w", foreign(err.Error()), ErrCorrupt)
	}
	return nil
}

// usable drops the entries that Helm drops and sorts the others.
func (x *Index) usable(name string, list []*IndexEntry) []*IndexEntry {
	var kept []*IndexEntry
	for i, e := range list {
		if e == nil {
			x.skip(name, fmt.Sprintf("entry %d is empty", i+1))
			continue
		}
		if e.Metadata == nil {
			e.Metadata = &chart.Metadata{}
		}
		e.APIVersion = cmp.Or(e.APIVersion, chart.APIVersionV1)
		if err := e.Validate(); err != nil && !tolerated(err) {
			x.skip(name, fmt.Sprintf("version %q: %v", foreign(e.Version), foreign(err.Error())))
			continue
		}
		kept = append(kept, e)
	}
	versions := make(map[*IndexEntry]*semver.Version, len(kept))
	for _, e := range kept {
		versions[e], _ = semver.NewVersion(e.Version)
	}
	slices.SortStableFunc(kept, func(a, b *IndexEntry) int {
		va, vb := versions[a], versions[b]
		switch {
		case va == nil && vb == nil:
			return 0
		case va == nil:
			return 1
		case vb == nil:
			return -1
		}
		return vb.Compare(va)
	})
	return kept
}

// maxSkipped bounds the list of entries passed over.
const maxSkipped = 100

func (x *Index) skip(name, why string) {
	if len(x.Skipped) < maxSkipped {
		x.Skipped = append(x.Skipped, fmt.Sprintf("%s: %s", foreign(name), why))
	}
}

// tolerated is the one fault that Helm lets pass in an index: some servers lose the
// alias of dependencies.
func tolerated(err error) bool {
	var invalid chart.ValidationError
	return errors.As(err, &invalid) && strings.HasPrefix(err.Error(), "validation: more than one dependency with name or alias")
}
