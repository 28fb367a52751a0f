package doctor

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStatus(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Status
		err        string
	}{
		{"of an ordinary process", "Name:\tsh\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n",
			Status{Bounding: 0x1ffffffffff}, ""},
		{"in a container", "CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n",
			Status{NoNewPrivs: true, Seccomp: 2, Effective: 0xa80425fb, Bounding: 0xa80425fb}, ""},
		{"of an old kernel", "Name:\tsh\n", Status{}, ""},
		{"a name that looks like another line", "Name:\tSeccomp: x\nSeccomp:\t2\n", Status{Seccomp: 2}, ""},
		{"empty", "", Status{}, ""},
		{"no number", "Name:\tsh\nSeccomp:\tmany\n", Status{}, `line 2: "many" is no value of Seccomp`},
		{"too large", "CapBnd:\t10000000000000000\n", Status{}, "line 1"},
		{"no truth", "NoNewPrivs:\t2\n", Status{}, `"2" is no value of NoNewPrivs`},
	} {
		got, err := ParseStatus([]byte(c.text))
		if !matches(err, c.err) || got != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func matches(err error, want string) bool {
	if err == nil || want == "" {
		return err == nil && want == ""
	}
	return strings.Contains(err.Error(), want)
}

func TestParseRanges(t *testing.T) {
	text := strings.Join([]string{
		"# a comment", "", "alice:100000:65536", "  1001:165536:65536  ", "bob:231072", "bob:x:65536", "bob:300000:0", ":300000:1", "bob:300000:-1",
		"bob:4294967295:1", "bob:4294901760:65535", "eve:4294901761:65535", "a:b:c:d",
	}, "\n")
	ranges, faults := ParseRanges([]byte(text))
	if d := cmp.Diff([]Range{{3, "alice", 100000, 65536}, {4, "1001", 165536, 65536}, {11, "bob", 4294901760, 65535}}, ranges); d != "" {
		t.Error(d)
	}
	want := []Fault{
		{5, "bob", `"bob:231072" is not OWNER:START:COUNT`}, {6, "bob", `"x" is no id to start at`}, {7, "bob", `"0" is no count of ids`}, {8, "", `":300000:1" is not OWNER:START:COUNT`},
		{9, "bob", `"-1" is no count of ids`}, {10, "bob", "1 ids from 4294967295 on are more than there are"}, {12, "eve", "65535 ids from 4294901761 on are more than there are"},
		{13, "a", `"a:b:c:d" is not OWNER:START:COUNT`},
	}
	if d := cmp.Diff(want, faults); d != "" {
		t.Error(d)
	}
	ranges, faults = ParseRanges([]byte(strings.Repeat("a:1:1\n", maxRanges+5)))
	if len(ranges) != maxRanges || len(faults) != 1 {
		t.Errorf("%d ranges and %d faults of a file without end", len(ranges), len(faults))
	}
}

func TestFreeRange(t *testing.T) {
	for _, c := range []struct {
		text string
		want uint32
	}{
		{"", 100000},
		{"a:100000:65536", 165536},
		{"b:165536:65536\na:100000:65536", 231072},
		{"a:300000:65536", 100000},
		{"a:150000:10", 150010},
		{"a:1:4294967294", 100000}, // there is none left: somebody has to decide
	} {
		ranges, _ := ParseRanges([]byte(c.text))
		if got := free(ranges); got.Start != c.want || got.Count != enoughIDs {
			t.Errorf("%q: %v", c.text, got)
		}
	}
}

// attribute builds security.capability by the kernel's layout.
func attribute(magic uint32, words ...uint32) []byte {
	out := binary.LittleEndian.AppendUint32(nil, magic)
	for _, w := range words {
		out = binary.LittleEndian.AppendUint32(out, w)
	}
	return out
}

func TestParseCapability(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want FileCapability
		err  string
	}{
		{"cap_setuid+ep", attribute(revision2|1, 1<<capSetUID, 0, 0, 0), FileCapability{Effective: true, Permitted: 1 << capSetUID}, ""},
		{"cap_setgid+p", attribute(revision2, 1<<capSetGID, 0, 0, 0), FileCapability{Permitted: 1 << capSetGID}, ""},
		{"of a user namespace", attribute(revision3|1, 1<<capSetUID, 0, 0, 0, 1000), FileCapability{Effective: true, Permitted: 1 << capSetUID, RootID: 1000}, ""},
		{"beyond 32 bits", attribute(revision2|1, 0, 0, 1<<6, 0), FileCapability{Effective: true, Permitted: 1 << 38}, ""},
		{"the oldest form", attribute(revision1|1, 1<<capSetUID, 0), FileCapability{Effective: true, Permitted: 1 << capSetUID}, ""},
		{"cut off", attribute(revision2|1, 1<<capSetUID), FileCapability{}, "a file capability of revision 2 has 8 bytes, not 20"},
		{"too short", []byte{1, 2}, FileCapability{}, "2 bytes are no file capability"},
		{"empty", nil, FileCapability{}, "0 bytes"},
		{"of the future", attribute(0x09000000, 0, 0), FileCapability{}, "revision 0x9 is not known"},
	} {
		got, err := ParseCapability(c.data)
		if !matches(err, c.err) || (err == nil && got != c.want) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestParseMounts(t *testing.T) {
	text := `22 28 0:21 / /proc rw,relatime - proc proc rw
28 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw
30 28 0:25 / /usr rw,nosuid - overlay overlay rw,lowerdir=/a
31 28 0:26 / /mnt/with\040blank ro - tmpfs tmpfs rw
32 30 0:27 / /usr rw - tmpfs tmpfs rw
`
	mounts, err := ParseMounts([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, point, kind string }{
		{"/proc/self", "/proc", "proc"}, {"/etc", "/", "ext4"}, {"/usr/bin/newuidmap", "/usr", "tmpfs"}, {"/usrlocal", "/", "ext4"},
		{"/mnt/with blank/x", "/mnt/with blank", "tmpfs"}, {"/", "/", "ext4"},
	} {
		if m, found := mountOf(mounts, c.path); !found || m.Point != c.point || m.Type != c.kind {
			t.Errorf("%s: %+v, %v", c.path, m, found)
		}
	}
	for _, bad := range []string{"22 28\n", "22 28 0:21 / /proc rw,relatime proc proc rw\n", "22 28 0:21 / /proc rw -\n"} {
		if _, err := ParseMounts([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a mount", bad)
		}
	}
}

func TestParseIDMap(t *testing.T) {
	got, err := ParseIDMap([]byte("         0          0 4294967295\n"))
	if d := cmp.Diff([]Range{{1, "map", 0, 4294967295}}, got); err != nil || d != "" {
		t.Error(err, d)
	}
	for _, bad := range []string{"0 0\n", "x 0 1\n", "0 0 0\n", strings.Repeat("0 0 1\n", 341)} {
		if _, err := ParseIDMap([]byte(bad)); err == nil {
			t.Errorf("%.20q is taken for a map", bad)
		}
	}
}

func TestGetsubids(t *testing.T) {
	got := parseGetsubids("0: alice 100000 65536\n1: alice 300000 1000\nError fetching ranges\n2: alice x 1\n")
	if d := cmp.Diff([]Range{{0, "alice", 100000, 65536}, {0, "alice", 300000, 1000}}, got); d != "" {
		t.Error(d)
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte("CapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t2\n"))
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = ParseStatus(data) })
}

func FuzzParseRanges(f *testing.F) {
	f.Add([]byte("alice:100000:65536\nbob:165536:65536\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ranges, _ := ParseRanges(data)
		for _, r := range ranges {
			if r.Count == 0 || r.End() > math.MaxUint32 || r.Owner == "" || strings.Contains(r.Owner, ":") {
				t.Errorf("%+v is no range", r)
			}
		}
		if len(ranges) < 100 { // the search is quadratic
			if r := free(ranges); r.Count != enoughIDs || r.End() > math.MaxUint32 {
				t.Errorf("%+v is not free", r)
			}
		}
	})
}

func FuzzParseCapability(f *testing.F) {
	f.Add(attribute(revision3|1, 1<<capSetUID, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = ParseCapability(data) })
}

func FuzzParseMounts(f *testing.F) {
	f.Add([]byte("22 28 0:21 / /a\\040b rw,relatime - proc proc rw\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if mounts, err := ParseMounts(data); err == nil {
			mountOf(mounts, "/usr/bin/newuidmap")
		}
	})
}

func FuzzParseIDMap(f *testing.F) {
	f.Add([]byte("0 1000 1\n1 100000 65536\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ranges, err := ParseIDMap(data)
		if err == nil && len(ranges) > 0 && !covered(Range{Start: ranges[0].Start, Count: 1}, ranges) {
			t.Errorf("the first id of %v is not covered", ranges)
		}
	})
}
