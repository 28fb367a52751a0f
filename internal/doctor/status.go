package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// Status is what /proc/PID/status says of a process's privileges.
type Status struct {
	NoNewPrivs bool   // it gains nothing by setuid bits and file capabilities
	Seccomp    int    // 0 none, 1 strict, 2 filter
	Effective  uint64 // capabilities, a bit each
	Bounding   uint64
}

// The bits of capabilities that are looked at.
const (
	capSetGID   = 6
	capSetUID   = 7
	capSysAdmin = 21
)

func has(set uint64, capability uint) bool { return set&(1<<capability) != 0 }

// ParseStatus reads /proc/PID/status. Lines that it does not know are passed over; one that
// an old kernel lacks is zero.
func ParseStatus(data []byte) (Status, error) {
	var s Status
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		key, value, found := strings.Cut(line, ":")
		if !found {
			continue
		}
		var err error
		switch value = strings.TrimSpace(value); key {
		case "NoNewPrivs":
			s.NoNewPrivs, err = strconv.ParseBool(value)
		case "Seccomp":
			s.Seccomp, err = strconv.Atoi(value)
		case "CapEff":
			s.Effective, err = strconv.ParseUint(value, 16, 64)
		case "CapBnd":
			s.Bounding, err = strconv.ParseUint(value, 16, 64)
		}
		if err != nil {
			return Status{}, fmt.Errorf("line %d: %.20q is no value of %s", n, value, key)
		}
	}
	return s, nil
}
