//go:build linux

package local

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// endBound is how long the end of killed processes is waited for. Only a process that
// hangs in the kernel takes longer.
const endBound = 10 * time.Second

// endAll ends every process below this one and reaps it. We may signal those of
// other ids in the daemon's user namespace, since it belongs to us.
func endAll() {
	for deadline := time.Now().Add(endBound); time.Now().Before(deadline); {
		endDescendants()
		if !reapChildren() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func endDescendants() {
	for _, pid := range descendants() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// reapChildren reaps what ended and says whether any child is left.
func reapChildren() bool {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return false // no children
		case pid == 0:
			return true
		}
	}
}

// reapOthers reaps the children that ended, but for one that is waited for elsewhere: those
// that processes of the daemon left behind.
func reapOthers(but int) {
	self := os.Getpid()
	for pid, parent := range parents() {
		if parent == self && pid != but {
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
	}
}

// descendants lists the processes below this one.
func descendants() []int {
	all := parents()
	below := map[int]bool{os.Getpid(): true}
	var out []int
	for grown := true; grown; {
		grown = false
		for pid, parent := range all {
			if below[parent] && !below[pid] {
				below[pid], grown = true, true
				out = append(out, pid)
			}
		}
	}
	return out
}

// parents maps every process to its parent.
func parents() map[int]int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	out := map[int]int{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it ended
		}
		// pid (name) state ppid …: the name may hold anything, so what counts follows the last bracket.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 2 {
			continue
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			out[pid] = parent
		}
	}
	return out
}

// oomKills counts what the kernel killed in this process's cgroup since its memory ran
// out; 0 where that is not told.
func oomKills() int {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	n := 0
	for _, line := range strings.Split(string(groups), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) != 3 {
			continue
		}
		switch {
		case fields[0] == "0" && fields[1] == "":
			// Inside a container the own group is the root of what is mounted, or below it.
			n += max(counter("/sys/fs/cgroup"+fields[2]+"/memory.events"), counter("/sys/fs/cgroup/memory.events"))
		case fields[1] == "memory":
			n += max(counter("/sys/fs/cgroup/memory"+fields[2]+"/memory.oom_control"), counter("/sys/fs/cgroup/memory/memory.oom_control"))
		}
	}
	return n
}

// counter reads "oom_kill N" out of a file.
func counter(file string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(data), "\n") {
		if value, found := strings.CutPrefix(line, "oom_kill "); found {
			n, _ := strconv.Atoi(value)
			return n
		}
	}
	return 0
}
