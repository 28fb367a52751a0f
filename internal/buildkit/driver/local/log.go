//go:build linux

package local

import (
	"regexp"
	"strings"
	"sync"
)

// maxLog is how many lines of the daemon's log are kept for messages.
const maxLog = 200

// tail keeps the last lines of a log.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	line = printable(line)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == maxLog {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

// printable takes out of a line what could move a terminal's cursor, or turn text around:
// the daemon repeats names that others chose.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(line, "\ufffd"))
}

func (t *tail) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}

var (
	// A frame of a Go stack trace, as buildkitd prints it below its errors.
	traceFunc = regexp.MustCompile(`^[\w./()*\-]+\.[\w.()*\[\]]+$`)
	// What rootlesskit says about the end of what it started.
	childEnd = regexp.MustCompile(`^\[rootlesskit:child ?\] error: command \[.*\] exited: (.+)$`)
	logLevel = regexp.MustCompile(`\blevel=(\w+)\b`)
)

// wrongFlag is what both programs say of a flag that they do not know.
const wrongFlag = "flag provided but not defined"

// shown is how many lines of the log a message has.
const shown = 12

// last picks the lines of a log that a message shows: its last ones, without stack
// traces and what every start prints; warnings only where there is nothing worse.
func last(lines []string) string {
	var kept, warnings []string
	for i, line := range lines {
		if strings.Contains(line, wrongFlag) {
			return "  " + line // what surrounds it is the program's help
		}
		trace := strings.HasPrefix(line, "\t") || traceFunc.MatchString(line) && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\t")
		level := logLevel.FindStringSubmatch(line)
		if trace || strings.TrimSpace(line) == "" || level != nil && (level[1] == "info" || level[1] == "debug") ||
			childEnd.MatchString(line) || strings.HasPrefix(line, "[rootlesskit:parent] error: child exited") {
			continue
		}
		if level != nil && level[1] == "warning" {
			warnings = append(warnings, "  "+line)
			continue
		}
		kept = append(kept, "  "+line)
	}
	if len(kept) == 0 {
		kept = warnings
	}
	if len(kept) > shown {
		kept = kept[len(kept)-shown:]
	}
	return strings.Join(kept, "\n")
}

// told says how buildkitd ended, and whether it was for want of memory. It is in
// rootlesskit's words where there are any, since its own status tells less.
func (e *end) told(lines []string) (status string, oom bool) {
	status = e.Status
	for _, line := range lines {
		if m := childEnd.FindStringSubmatch(line); m != nil {
			status = m[1]
		}
	}
	// The kernel may have killed a RUN step, and the daemon ended for another reason.
	if oom = e.OOM && strings.Contains(status, "killed"); oom {
		status += ", as memory ran out"
	}
	if e.Signal {
		status += ", since a signal asked its supervisor to end"
	}
	return status, oom
}
