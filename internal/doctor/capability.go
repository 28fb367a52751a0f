package doctor

import (
	"encoding/binary"
	"fmt"
)

// FileCapability is what an executable is given when it is run.
type FileCapability struct {
	Effective bool   // at once, without the program asking for it
	Permitted uint64 // a bit each
	RootID    uint32 // the user that is root in the user namespace where it holds; 0 is everywhere
}

// Revisions of the attribute, in the highest byte of its first word.
const (
	revisionMask = 0xff000000
	revision1    = 0x01000000
	revision2    = 0x02000000
	revision3    = 0x03000000
	effectiveBit = 1
)

// ParseCapability reads the extended attribute security.capability.
func ParseCapability(data []byte) (FileCapability, error) {
	if len(data) < 4 {
		return FileCapability{}, fmt.Errorf("%d bytes are no file capability", len(data))
	}
	word := func(i int) uint64 { return uint64(binary.LittleEndian.Uint32(data[4*i:])) }
	magic := uint32(word(0))
	c := FileCapability{Effective: magic&effectiveBit != 0}
	sizes := map[uint32]int{revision1: 12, revision2: 20, revision3: 24}
	size, known := sizes[magic&revisionMask]
	if !known {
		return FileCapability{}, fmt.Errorf("a file capability of revision %#x is not known", magic>>24)
	}
	if len(data) != size {
		return FileCapability{}, fmt.Errorf("a file capability of revision %d has %d bytes, not %d", magic>>24, len(data), size)
	}
	c.Permitted = word(1)
	if size > 12 {
		c.Permitted |= word(3) << 32
	}
	if size == 24 {
		c.RootID = uint32(word(5))
	}
	return c, nil
}
