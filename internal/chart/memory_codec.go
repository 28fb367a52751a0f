package chart

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
)

// errMemory says that bytes are not those of a memory.
var errMemory = errors.New("reading what is remembered of the files: damaged")

const sumSize = 32

func rawSum(d digest.Digest) (string, error) {
	raw, err := hex.DecodeString(d.Encoded())
	if err == nil && len(raw) != sumSize {
		err = errMemory
	}
	return string(raw), err
}

// Encode returns what was seen since the memory was made; not ok if it knew all of that before.
func (m *Memory) Encode() (data []byte, ok bool) {
	if m == nil {
		return nil, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.carryOver() && !m.fresh {
		return nil, false
	}
	str := func(s string) { data = append(binary.AppendUvarint(data, uint64(len(s))), s...) }
	data = binary.AppendUvarint(data, uint64(len(m.now.files)))
	for _, name := range slices.Sorted(maps.Keys(m.now.files)) {
		f := m.now.files[name]
		str(name)
		for _, n := range []uint64{uint64(f.size), uint64(f.mtime), uint64(f.ctime), f.inode, f.device} {
			data = binary.LittleEndian.AppendUint64(data, n)
		}
		data = append(data, f.sum...)
	}
	data = binary.AppendUvarint(data, uint64(len(m.now.facts)))
	for _, key := range slices.Sorted(maps.Keys(m.now.facts)) {
		str(key)
		str(string(m.now.facts[key]))
	}
	return data, true
}

// maxUnseen is how many more entries are carried over than were seen.
const maxUnseen = 10_000

// carryOver keeps what this run had no need of and another may have: what is known by content, unless that
// has become too much. It reports whether something was dropped.
func (m *Memory) carryOver() (dropped bool) {
	unseen := len(m.old.files) + len(m.old.facts) - len(m.now.files) - len(m.now.facts)
	tooMuch := unseen > len(m.now.files)+maxUnseen
	for name, f := range m.old.files {
		if _, ok := m.now.files[name]; ok {
			continue
		}
		if dropped = dropped || tooMuch || !f.content(); !tooMuch && f.content() {
			m.now.files[name] = f
		}
	}
	for key, f := range m.old.facts {
		if _, ok := m.now.facts[key]; ok {
			continue
		}
		if dropped = dropped || tooMuch; !tooMuch {
			m.now.facts[key] = f
		}
	}
	return dropped
}

// DecodeMemory reads what Encode returned. The memory has no part in data.
func DecodeMemory(data []byte) (*Memory, error) {
	m := NewMemory()
	d := memoryDecoder{rest: string(data)}
	n := d.count()
	m.old.files = make(map[string]mark, min(n, len(data)/(sumSize+40)))
	for ; n > 0 && !d.bad; n-- {
		name := d.take(d.count())
		m.old.files[name] = mark{size: int64(d.word()), mtime: int64(d.word()), ctime: int64(d.word()), inode: d.word(), device: d.word(), sum: d.take(sumSize)}
	}
	for n := d.count(); n > 0 && !d.bad; n-- {
		key := d.take(d.count())
		m.old.facts[key] = json.RawMessage(d.take(d.count()))
	}
	if d.bad || d.rest != "" {
		return nil, errMemory
	}
	return m, nil
}

type memoryDecoder struct {
	rest string
	bad  bool
}

// count reads a number of things, each of which takes a byte at least.
func (d *memoryDecoder) count() int {
	head := []byte(d.rest[:min(len(d.rest), binary.MaxVarintLen64)])
	n, size := binary.Uvarint(head)
	if d.bad || size <= 0 || n > uint64(len(d.rest)-size) {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return int(n)
}

func (d *memoryDecoder) take(n int) string {
	if d.bad || n > len(d.rest) {
		d.bad = true
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *memoryDecoder) word() uint64 {
	s := d.take(8)
	if d.bad {
		return 0
	}
	return binary.LittleEndian.Uint64([]byte(s))
}
