package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// Places inside a message: "file.yaml:12:3" and "line 12", "column 3".
var places = regexp.MustCompile(`(:\d+)+\b|\b(line|column) \d+`)

// Fingerprint sets the fingerprint of each finding. It is made of everything
// that says which fault this is, without line numbers, so that it survives
// lines that move; equal faults in one file are told apart by their order, since
// reports that read fingerprints collapse equal ones. fs must be sorted.
func Fingerprint(fs []Finding) {
	seen := make(map[string]int, len(fs))
	for i := range fs {
		f := &fs[i]
		key := strings.Join([]string{
			f.Check, f.Rule, f.Chart, f.File, f.Object, f.Container,
			places.ReplaceAllString(f.Message, "$2"), strings.TrimSpace(f.Text),
		}, "\x00")
		n := seen[key]
		seen[key]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, n))
		f.Fingerprint = hex.EncodeToString(sum[:])
	}
}
