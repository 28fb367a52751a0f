package doctor

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// enoughIDs is how many subordinate ids an image may need: all that 16 bits hold.
const enoughIDs = 65536

// Range is one line of /etc/subuid or /etc/subgid.
type Range struct {
	Line         int
	Owner        string // a name or a number
	Start, Count uint32
}

// End is the first id behind the range.
func (r Range) End() uint64 { return uint64(r.Start) + uint64(r.Count) }

func (r Range) String() string { return fmt.Sprintf("%s:%d:%d", r.Owner, r.Start, r.Count) }

// where is the range with its line, where that is known.
func (r Range) where() string {
	if r.Line == 0 {
		return r.String()
	}
	return fmt.Sprintf("%s (line %d)", r, r.Line)
}

func (r Range) same(other Range) bool { return r.Start == other.Start && r.Count == other.Count }

func (r Range) overlaps(other Range) bool {
	return uint64(r.Start) < other.End() && uint64(other.Start) < r.End()
}

// Fault is a line that cannot be read.
type Fault struct {
	Line    int
	Owner   string // as far as the line has one
	Message string
}

// maxRanges bounds how many lines are looked at.
const maxRanges = 10_000

// ParseRanges reads lines OWNER:START:COUNT. Empty lines and comments are passed over, as
// newuidmap does; what else is no range is a fault.
func ParseRanges(data []byte) ([]Range, []Fault) {
	var (
		ranges []Range
		faults []Fault
		n      int
	)
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(ranges)+len(faults) == maxRanges {
			return ranges, append(faults, Fault{n, "", fmt.Sprintf("there are more than %d lines", maxRanges)})
		}
		r, err := parseRange(line)
		if err != nil {
			owner, _, _ := strings.Cut(line, ":")
			faults = append(faults, Fault{n, owner, err.Error()})
			continue
		}
		r.Line = n
		ranges = append(ranges, r)
	}
	return ranges, faults
}

func parseRange(line string) (Range, error) {
	fields := strings.Split(line, ":")
	if len(fields) != 3 || fields[0] == "" {
		return Range{}, fmt.Errorf("%.60q is not OWNER:START:COUNT", line)
	}
	start, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		return Range{}, fmt.Errorf("%.20q is no id to start at", fields[1])
	}
	count, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil || count == 0 {
		return Range{}, fmt.Errorf("%.20q is no count of ids", fields[2])
	}
	if start+count > math.MaxUint32 { // the last one means "no id"
		return Range{}, fmt.Errorf("%d ids from %d on are more than there are", count, start)
	}
	return Range{Owner: fields[0], Start: uint32(start), Count: uint32(count)}, nil
}

// owns says whether a range is the user's.
func (u User) owns(r Range) bool { return r.Owner == u.Name || r.Owner == strconv.Itoa(u.UID) }

// rangesOf are those of one user, in order.
func rangesOf(ranges []Range, u User) []Range {
	return slices.DeleteFunc(slices.Clone(ranges), func(r Range) bool { return !u.owns(r) })
}

func total(ranges []Range) uint64 {
	var n uint64
	for _, r := range ranges {
		n += uint64(r.Count)
	}
	return n
}

// firstOverlap finds two ranges that share ids, one of mine and another one, of mine or of
// somebody else.
func firstOverlap(mine, others []Range) (a, b Range, found bool) {
	for i, a := range mine {
		for _, b := range append(slices.Clone(mine[i+1:]), others...) {
			if a.overlaps(b) {
				return a, b, true
			}
		}
	}
	return Range{}, Range{}, false
}

// free is the first range of enough ids, from 100000 on, that no line has.
func free(ranges []Range) Range {
	start := uint64(100000)
	for moved := true; moved; {
		moved = false
		for _, r := range ranges {
			if start < r.End() && uint64(r.Start) < start+enoughIDs {
				start, moved = r.End(), true
			}
		}
	}
	if start+enoughIDs > math.MaxUint32 {
		return Range{Start: 100000, Count: enoughIDs}
	}
	return Range{Start: uint32(start), Count: enoughIDs}
}
