//go:build linux

package local

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// plan is what the supervisor is told to do: its only argument, as JSON.
type plan struct {
	// Command is rootlesskit, its flags, buildkitd and its flags, but for those that
	// depend on whether proc can be mounted.
	Rootlesskit []string
	Buildkitd   []string
	Sandbox     string        // auto, true, false
	Run         string        // folder of the socket; removed at the end
	State       string        // folder of the daemon's state; removed at the end when Temporary
	Temporary   bool          // whether State goes away with the run
	NoProc      bool          // take it that proc cannot be mounted, without trying
	LockWait    time.Duration // how long another run may use State
	Grace       time.Duration // between SIGTERM and SIGKILL
}

// report is one line of JSON that the supervisor writes. One field is set.
type report struct {
	Log     string `json:"log,omitempty"`     // a line of rootlesskit's or buildkitd's output
	Waiting string `json:"waiting,omitempty"` // the folder that another run uses
	Started *start `json:"started,omitempty"`
	Ended   *end   `json:"ended,omitempty"`
	Failed  string `json:"failed,omitempty"` // why the supervisor could not do its work
	Left    string `json:"left,omitempty"`   // what could not be removed, and why
}

type start struct {
	PID     int  `json:"pid"`     // of rootlesskit
	PIDs    bool `json:"pids"`    // whether it has a process namespace of its own
	Sandbox bool `json:"sandbox"` // whether RUN steps have
}

type end struct {
	Status string `json:"status"`           // "exit status 1", "signal: killed"
	OOM    bool   `json:"oom,omitempty"`    // the kernel killed a process of this cgroup as memory ran out
	Signal bool   `json:"signal,omitempty"` // the supervisor was told to end, with the run still there
}

const (
	maxLogLine = 4 << 10  // bytes of a line that are kept
	maxReport  = 64 << 10 // bytes of a line of JSON
)

// reporter writes reports. When the reader is gone they are dropped.
type reporter struct {
	mu  sync.Mutex
	out io.Writer
	bad bool
}

func (r *reporter) send(what report) {
	data, err := json.Marshal(what)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bad {
		return
	}
	_, err = r.out.Write(append(data, '\n'))
	r.bad = err != nil
}

// copyLog sends every line of in until it ends. Long lines are cut.
func (r *reporter) copyLog(in io.Reader) {
	eachLine(in, maxLogLine, func(line []byte) { r.send(report{Log: string(line)}) })
}

// readReports calls f for every report of in until it ends.
func readReports(in io.Reader, f func(report)) {
	eachLine(in, maxReport, func(line []byte) {
		var r report
		if err := json.Unmarshal(line, &r); err != nil {
			r = report{Log: fmt.Sprintf("chartgate: no report: %q", line)}
		}
		f(r)
	})
}

// eachLine calls f with the lines of in, each cut to limit bytes, until in ends.
func eachLine(in io.Reader, limit int, f func([]byte)) {
	r := bufio.NewReaderSize(in, limit)
	for {
		line, more, err := r.ReadLine()
		if err != nil {
			return
		}
		f(line)
		for more && err == nil {
			_, more, err = r.ReadLine()
		}
	}
}
