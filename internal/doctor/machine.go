package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// User is somebody whom a daemon may run as.
type User struct {
	Name string // may be empty: in a container, a user often has no name
	UID  int
	GID  int
}

func (u User) String() string {
	if u.Name == "" {
		return fmt.Sprint(u.UID)
	}
	return u.Name
}

// File is what matters of an executable.
type File struct {
	Setuid     bool
	UID        int    // its owner
	Capability []byte // the extended attribute security.capability; nil if there is none
}

// Space is what a file system has left, in bytes and files.
type Space struct{ Free, Total, FreeFiles, TotalFiles uint64 }

// Machine is what probes look at. Its functions are those of the machine at hand (Here),
// or stand-ins for them.
type Machine struct {
	OS     string // as runtime.GOOS
	Root   fs.FS  // the file system from "/" on, to read settings from
	Env    func(string) string
	UID    int
	GID    int
	Lookup func(nameOrID string) (User, error)
	// Program is the path of a program that a daemon would find; "" if there is none.
	Program func(name string) string
	// Output runs a program and returns what it printed, both streams.
	Output func(ctx context.Context, name string, args ...string) (string, error)
	Stat   func(path string) (File, error)
	Space  func(dir string) (Space, error)
	// Try makes the attempts of a plan as the user given, and says what came of them.
	Try func(context.Context, User, Plan) (Trial, error)

	// Options are those of --driver-opt, by driver.
	Options map[string]map[string]string

	Services // beyond this machine

	onceTrial, onceCluster sync.Once
	tried                  trialResult
	cluster                *cluster
}

type trialResult struct {
	trial Trial
	err   error
}

// maxSetting bounds files of settings that are read, in bytes.
const maxSetting = 4 << 20

// read is a file of settings, bounded; name is absolute.
func (m *Machine) read(name string) ([]byte, error) {
	f, err := m.Root.Open(strings.TrimPrefix(path.Clean(name), "/"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSetting+1))
	if err == nil && len(data) > maxSetting {
		err = fmt.Errorf("reading %q: more than %d bytes", name, maxSetting)
	}
	return data, err
}

// setting is a file of one value, "" when it cannot be read: not every kernel has each.
func (m *Machine) setting(name string) string {
	data, err := m.read(name)
	if err != nil {
		return ""
	}
	return strings.TrimRight(strings.TrimSpace(string(data)), "\x00\n")
}

func (m *Machine) exists(name string) bool {
	_, err := fs.Stat(m.Root, strings.TrimPrefix(path.Clean(name), "/"))
	return err == nil
}

func (m *Machine) status() (Status, error) {
	data, err := m.read("/proc/self/status")
	if err != nil {
		return Status{}, err
	}
	return ParseStatus(data)
}

func (m *Machine) option(driver, name string) string { return m.Options[driver][name] }

// builder is the user that the local driver would run the daemon as: whoever calls, and
// for root the ordinary user that the option names or that has subordinate ids.
func (m *Machine) builder() (User, error) {
	if m.UID != 0 {
		u, err := m.Lookup(fmt.Sprint(m.UID))
		if err != nil {
			u = User{UID: m.UID, GID: m.GID} // it has no name, which is no fault
		}
		return u, nil
	}
	if name := m.option(Local, "user"); name != "" {
		u, err := m.Lookup(name)
		if err == nil && u.UID == 0 {
			err = errors.New("a daemon that runs as root is not rootless")
		}
		return u, err
	}
	groups, _ := m.ranges("/etc/subgid")
	users, _ := m.ranges("/etc/subuid")
	for _, r := range users {
		if !slices.ContainsFunc(groups, func(g Range) bool { return g.Owner == r.Owner }) {
			continue
		}
		if u, err := m.Lookup(r.Owner); err == nil && u.UID != 0 {
			return u, nil
		}
	}
	return User{}, errors.New("/etc/subuid and /etc/subgid name no ordinary user")
}

func (m *Machine) ranges(name string) ([]Range, []Fault) {
	data, err := m.read(name)
	if err != nil {
		return nil, nil
	}
	return ParseRanges(data)
}

// temporary is where the local driver makes folders that it is not told.
func (m *Machine) temporary() string {
	if dir := m.Env("TMPDIR"); filepath.IsAbs(dir) {
		return dir
	}
	return "/tmp"
}

// stateFolder is where the daemon's state would lie: the nearest folder that exists of the
// option root, or the temporary one.
func (m *Machine) stateFolder() string {
	dir := m.option(Local, "root")
	if !filepath.IsAbs(dir) {
		return m.temporary()
	}
	for dir != "/" && !m.exists(dir) {
		dir = filepath.Dir(dir)
	}
	return dir
}
