package lint

import (
	"maps"
	"slices"
	"testing"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/google/go-cmp/cmp"
)

func someRecord() record {
	return record{
		"none": nil,
		"some": {
			{Rule: "r", Severity: finding.Error, Object: "Kind/name", Container: "c", File: "f", Pos: source.Pos{Line: 3, Column: 7}, Message: "m\xff\x00", Hint: "h", Text: "\xfe", Values: []string{"a", ""}},
			{Severity: finding.Off, Pos: source.Pos{Line: -1}},
		},
	}
}

func TestRecord(t *testing.T) {
	want := someRecord()
	got, err := decodeRecord(want.encode(slices.Sorted(maps.Keys(want))))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	r := someRecord()
	f.Add(r.encode(slices.Sorted(maps.Keys(r))))
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(data)
		if err != nil {
			return
		}
		again, err := decodeRecord(r.encode(slices.Sorted(maps.Keys(r))))
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}
