package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Mount is one line of /proc/self/mountinfo.
type Mount struct {
	Point, Type string
	Options     []string // nosuid, ro, …
}

// ParseMounts reads /proc/self/mountinfo. Lines in another form are an error, since an
// answer drawn from the rest could be wrong.
func ParseMounts(data []byte) ([]Mount, error) {
	var out []Mount
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		fields := strings.Fields(line)
		dash := slices.Index(fields, "-")
		if dash < 6 || dash+1 >= len(fields) {
			return nil, fmt.Errorf("line %d is no mount", n)
		}
		out = append(out, Mount{Point: unescape(fields[4]), Type: fields[dash+1], Options: strings.Split(fields[5], ",")})
	}
	return out, nil
}

// mountOf is the mount that an absolute path lies on; a later one covers an earlier.
func mountOf(mounts []Mount, path string) (Mount, bool) {
	var (
		best  Mount
		found bool
	)
	for _, m := range mounts {
		if m.Point == "/" || path == m.Point || strings.HasPrefix(path, m.Point+"/") {
			if len(m.Point) >= len(best.Point) {
				best, found = m, true
			}
		}
	}
	return best, found
}

// unescape undoes how the kernel writes blanks in a path: \040.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
