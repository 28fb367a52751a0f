package lint

import (
	"encoding/binary"
	"errors"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
)

// A record is the findings of a chart's parts, by the keys of the parts. It is
// encoded with lengths before strings, since JSON would change those that are not UTF-8.
type record map[string][]finding.Finding

// maxParts bounds the parts of a record: those that a run did not need go first.
const maxParts = 4096

var errRecord = errors.New("the record is damaged")

func (r record) encode(keys []string) []byte {
	out := binary.AppendUvarint(nil, uint64(len(keys)))
	for _, key := range keys {
		out = appendString(out, key)
		out = binary.AppendUvarint(out, uint64(len(r[key])))
		for _, f := range r[key] {
			out = appendFinding(out, f)
		}
	}
	return out
}

func decodeRecord(data []byte) (record, error) {
	d := decoder{data: data}
	n := d.count()
	r := make(record, min(n, maxParts))
	for ; n > 0 && d.err == nil; n-- {
		key := d.string()
		var found []finding.Finding
		for m := d.count(); m > 0 && d.err == nil; m-- {
			found = append(found, d.finding())
		}
		r[key] = found
	}
	if d.err == nil && len(d.data) > 0 {
		d.err = errRecord
	}
	return r, d.err
}

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

// texts are the strings of a finding that a check gives; what Run and the policy add is not kept.
func texts(f *finding.Finding) []*string {
	return []*string{&f.Rule, &f.Object, &f.Container, &f.File, &f.Message, &f.Hint, &f.Text}
}

func appendFinding(out []byte, f finding.Finding) []byte {
	for _, s := range texts(&f) {
		out = appendString(out, *s)
	}
	for _, n := range []int{int(f.Severity), f.Line, f.Column} {
		out = binary.AppendVarint(out, int64(n))
	}
	out = binary.AppendUvarint(out, uint64(len(f.Values)))
	for _, v := range f.Values {
		out = appendString(out, v)
	}
	return out
}

// decoder reads what encode wrote. After an error it gives zero values.
type decoder struct {
	data []byte
	err  error
}

// count reads a number of things, each of which takes a byte at least.
func (d *decoder) count() int {
	n, size := binary.Uvarint(d.data)
	if d.err != nil || size <= 0 || n > uint64(len(d.data)-size) {
		d.err = errRecord
		return 0
	}
	d.data = d.data[size:]
	return int(n)
}

func (d *decoder) string() string {
	n := d.count()
	if d.err != nil {
		return ""
	}
	s := string(d.data[:n])
	d.data = d.data[n:]
	return s
}

func (d *decoder) int() int {
	n, size := binary.Varint(d.data)
	if d.err != nil || size <= 0 {
		d.err = errRecord
		return 0
	}
	d.data = d.data[size:]
	return int(n)
}

func (d *decoder) finding() finding.Finding {
	var f finding.Finding
	for _, s := range texts(&f) {
		*s = d.string()
	}
	f.Severity = finding.Severity(d.int())
	f.Pos = source.Pos{Line: d.int(), Column: d.int()}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		f.Values = append(f.Values, d.string())
	}
	if f.Severity < finding.Off || f.Severity > finding.Error {
		d.err = errRecord
	}
	return f
}
