package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
)

// Durations are how long charts took, in seconds, by their paths.
type Durations map[string]float64

// durationsFile is the file that durations are kept in.
type durationsFile struct {
	Schema  int       `json:"schema"`
	Seconds Durations `json:"seconds"`
}

// maxDurations bounds the file, in bytes; maxSeconds what one chart may have taken.
const (
	maxDurations = 16 << 20
	maxSeconds   = 1e6
)

// ReadDurations reads what WriteDurations wrote.
func ReadDurations(r io.Reader) (Durations, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDurations+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDurations {
		return nil, fmt.Errorf("more than %d bytes", maxDurations)
	}
	var file durationsFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the durations")
	}
	if file.Schema != 1 {
		return nil, fmt.Errorf("schema %d, and 1 is what this chartgate reads", file.Schema)
	}
	for path, s := range file.Seconds {
		if math.IsNaN(s) || s < 0 || s > maxSeconds {
			return nil, fmt.Errorf("chart %q: %v seconds", path, s)
		}
	}
	return file.Seconds, nil
}

// WriteDurations writes durations, sorted by path.
func WriteDurations(w io.Writer, d Durations) error {
	if d == nil {
		d = Durations{}
	}
	data, err := json.MarshalIndent(durationsFile{1, d}, "", "  ") // sorts the keys of maps
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// Digest is the same for the same durations.
func (d Durations) Digest() string {
	h := digest.Canonical.Digester()
	for _, path := range slices.Sorted(maps.Keys(d)) {
		fmt.Fprintf(h.Hash(), "%q %g\n", path, d[path])
	}
	return h.Digest().String()
}

// Set notes how long a chart took, to the millisecond.
func (d Durations) Set(path string, took time.Duration) {
	d[path] = math.Round(took.Seconds()*1000) / 1000
}

// usual is what is taken for charts of which nothing is known: the mean of the
// others. It is not ok where nothing is known of any.
func (d Durations) usual(paths []string) (mean float64, ok bool) {
	sorted := slices.Sorted(slices.Values(paths)) // a sum of floats depends on its order
	n := 0
	for _, p := range sorted {
		if s, known := d[p]; known {
			mean += s
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return mean / float64(n), true
}
