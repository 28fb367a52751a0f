package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// owned are a user's ranges: as getsubids tells, which knows of other sources than the
// files, or as the file has them.
func (m *Machine) owned(ctx context.Context, who User, inFile []Range, groups bool) []Range {
	if path := m.Program("getsubids"); path != "" && who.Name != "" {
		args := []string{who.Name}
		if groups {
			args = []string{"-g", who.Name}
		}
		if out, err := m.Output(ctx, path, args...); err == nil {
			ranges := parseGetsubids(out)
			known := rangesOf(inFile, who)
			if slices.EqualFunc(ranges, known, Range.same) {
				return known // whose lines can be named
			}
			if len(ranges) > 0 {
				return ranges
			}
		}
	}
	return rangesOf(inFile, who)
}

// parseGetsubids reads what getsubids prints: "0: builder 100000 65536".
func parseGetsubids(out string) []Range {
	var ranges []Range
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) != 4 || len(ranges) == maxRanges {
			continue
		}
		if r, err := parseRange(strings.Join(f[1:], ":")); err == nil {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

func subordinateIDs(ctx context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return r
	}
	who, err := m.builder()
	if err != nil {
		return skipped("there is no user to look for")
	}
	all := ok("")
	var found []string
	for _, f := range []struct {
		file, mapFile, flag string
		groups              bool
		own                 int
	}{{"/etc/subuid", "/proc/self/uid_map", "--add-subuids", false, who.UID}, {"/etc/subgid", "/proc/self/gid_map", "--add-subgids", true, who.GID}} {
		c := idFile{file: f.file, flag: f.flag, who: who, own: f.own}
		c.ranges, c.faults = m.ranges(f.file)
		c.mine = m.owned(ctx, who, c.ranges, f.groups)
		c.available = m.available(f.mapFile)
		r := c.look(m)
		if r.State == OK {
			found = append(found, r.Finding)
			continue
		}
		all = worse(all, r)
	}
	if all.State == OK {
		return ok("%s", strings.Join(found, ", "))
	}
	return all
}

// worse joins two results: the state of the worse, and what both say.
func worse(a, b Result) Result {
	if a.State == OK {
		return b
	}
	out := a
	if b.State == Problem {
		out.State = Problem
	}
	out.Finding += "; " + b.Finding
	out.Detail = strings.TrimPrefix(a.Detail+"\n"+b.Detail, "\n")
	for _, fix := range b.Fixes {
		if len(out.Fixes) > 0 && out.Fixes[0].Where == fix.Where {
			out.Fixes[0].Lines = append(append([]string{}, out.Fixes[0].Lines...), fix.Lines...)
			continue
		}
		out.Fixes = append(out.Fixes, fix)
	}
	return out
}

// idFile is one of the two files, with what it has for the user.
type idFile struct {
	file, flag   string
	who          User
	own          int // the user's id, or its group's
	ranges, mine []Range
	faults       []Fault
	available    []Range // ids that there are in this namespace
}

func (c *idFile) look(m *Machine) Result {
	faults := ""
	for i, f := range c.faults {
		if i == 5 {
			faults += fmt.Sprintf("and %d more\n", len(c.faults)-i)
			break
		}
		faults += fmt.Sprintf("%s:%d: %s\n", c.file, f.Line, f.Message)
	}
	faults = strings.TrimSuffix(faults, "\n")
	if len(c.mine) == 0 {
		return problem("%s has no line for %q", c.file, c.who).because("%s", faults).mend(c.line(m))
	}
	for _, r := range c.mine {
		if !covered(r, c.available) {
			return problem("%s gives %q ids that do not exist here: %s", c.file, c.who, r).
				because("this container has a user namespace of its own, with the ids %s", describe(c.available)).mend(c.line(m))
		}
		if int(r.Start) <= c.own && uint64(c.own) < r.End() {
			return problem("%s gives %q its own id %d once more: %s", c.file, c.who, c.own, r).mend(c.line(m))
		}
	}
	if a, b, found := firstOverlap(c.mine, nil); found {
		return problem("%s gives %q ids twice: %s and %s", c.file, c.who, a.where(), b.where()).
			because("they cannot be mapped together").mend(c.line(m))
	}
	others := slices.DeleteFunc(slices.Clone(c.ranges), c.who.owns)
	if a, b, found := firstOverlap(c.mine, others); found {
		return warning("%s gives ids of %q to another as well: %s and %s", c.file, c.who, a.where(), b.where()).
			because("builds of the one may touch files of the other").mend(c.line(m))
	}
	enough := uint64(enoughIDs)
	if n := total(c.available); n < enough+1 {
		enough = n - 1 - 1 // id 0 may stand for the namespace's root, the user's own is mapped anyway
	}
	if n := total(c.mine); n < enough {
		return warning("%s gives %q %d ids", c.file, c.who, n).
			because("images whose files belong to higher users than that fail to unpack; %d are enough for all", enoughIDs).mend(c.line(m))
	}
	r := ok("%d ids in %s", total(c.mine), strings.TrimPrefix(c.file, "/etc/"))
	if faults != "" {
		lines := make([]string, len(c.faults))
		for i, f := range c.faults {
			lines[i] = fmt.Sprintf("sed -i '%ds/^/# /' %s", f.Line, c.file)
		}
		r = warning("%s has lines that cannot be read", c.file).because("%s", faults).mend(m.asRoot(lines[:min(len(lines), 5)]...))
	}
	return r
}

// line is the line, or lines, that the file should have for the user.
func (c *idFile) line(m *Machine) Fix {
	others := slices.DeleteFunc(slices.Clone(c.ranges), c.who.owns)
	r := free(others)
	want := []Range{r}
	if !covered(r, c.available) { // what there is, but for root and the user itself
		top := c.available[len(c.available)-1].End()
		want = []Range{{Start: 1, Count: uint32(max(c.own-1, 1))}, {Start: uint32(c.own + 1), Count: uint32(top - uint64(c.own) - 1)}}
	}
	lines := []string{fmt.Sprintf("sed -i '/^%s:/d;/^%d:/d' %s", c.who, c.who.UID, c.file)}
	if len(rangesOf(c.ranges, c.who)) == 0 && !slices.ContainsFunc(c.faults, func(f Fault) bool { return f.Owner == c.who.Name || f.Owner == strconv.Itoa(c.who.UID) }) {
		lines = nil
	}
	for _, r := range want {
		r.Owner = c.who.String()
		lines = append(lines, fmt.Sprintf("echo %s >> %s", r, c.file))
	}
	return m.asRoot(lines...)
}

// available are the ids that exist in the namespace that this process is in; all of them
// when that cannot be read.
func (m *Machine) available(mapFile string) []Range {
	data, err := m.read(mapFile)
	if err == nil {
		if ranges, err := ParseIDMap(data); err == nil && len(ranges) > 0 {
			return ranges
		}
	}
	return []Range{{Start: 0, Count: 1<<32 - 1}}
}

// ParseIDMap reads /proc/PID/uid_map: the ids inside of a namespace.
func ParseIDMap(data []byte) ([]Range, error) {
	var out []Range
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil, fmt.Errorf("line %d is not INSIDE OUTSIDE COUNT", n)
		}
		r, err := parseRange("map:" + f[0] + ":" + f[2])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if r.Line = n; n > 340 { // the kernel's own limit
			return nil, fmt.Errorf("there are more than 340 lines")
		}
		out = append(out, r)
	}
	return out, nil
}

// covered says whether each id of a range exists; maps are in the order of their ids.
func covered(r Range, available []Range) bool {
	next := uint64(r.Start)
	for again := true; again && next < r.End(); {
		again = false
		for _, a := range available {
			if uint64(a.Start) <= next && next < a.End() {
				next, again = a.End(), true
			}
		}
	}
	return next >= r.End()
}

func describe(ranges []Range) string {
	var out []string
	for _, r := range ranges {
		out = append(out, fmt.Sprintf("%d to %d", r.Start, r.End()-1))
	}
	return strings.Join(out, ", ")
}
