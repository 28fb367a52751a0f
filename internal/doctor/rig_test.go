package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// rig describes a machine of which nothing is real.
type rig struct {
	files    map[string]string
	env      map[string]string
	uid      int
	users    []User
	programs map[string]File   // by name; they lie in /usr/bin
	says     map[string]string // what programs print, by name
	breaks   map[string]bool   // programs that fail
	space    Space
	trial    Trial
	failed   error // of the trial
	options  map[string]string
	services Services
}

// fine is a machine on which the local driver works.
func fine() rig {
	worked := Attempt{Made: true}
	return rig{
		files: map[string]string{
			"/etc/subuid": "ci:100000:65536\n", "/etc/subgid": "ci:100000:65536\n",
			"/proc/self/status":                 "CapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\n",
			"/proc/self/uid_map":                "0 0 4294967295\n",
			"/proc/self/gid_map":                "0 0 4294967295\n",
			"/proc/self/mountinfo":              "28 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n",
			"/proc/sys/kernel/osrelease":        "6.12.0\n",
			"/sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
		},
		env: map[string]string{}, uid: 1000, users: []User{{"ci", 1000, 1000}},
		programs: map[string]File{"newuidmap": {Setuid: true}, "newgidmap": {Setuid: true}, "rootlesskit": {}, "buildkitd": {}, "runc": {}},
		says: map[string]string{"rootlesskit": "rootlesskit version 2.3.5\n", "buildkitd": "buildkitd github.com/moby/buildkit v0.33.0 abc\n",
			"runc": "runc version 1.3.0\nspec: 1.2.0\n"},
		breaks: map[string]bool{},
		space:  Space{Free: 100 << 30, Total: 200 << 30, FreeFiles: 1e6, TotalFiles: 2e6},
		trial: Trial{Folder: worked, Socket: worked, SocketFolder: "/run/user/1000", Namespace: worked, UIDs: worked, GIDs: worked,
			Rights: worked, Propagate: worked, Overlay: worked, Proc: worked},
		options: map[string]string{},
	}
}

func (r *rig) machine() *Machine {
	files := fstest.MapFS{}
	for name, text := range r.files {
		files[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(text)}
	}
	return &Machine{OS: "linux", Root: files, Env: func(k string) string { return r.env[k] }, UID: r.uid, GID: r.uid,
		Lookup: func(name string) (User, error) {
			for _, u := range r.users {
				if u.Name == name || fmt.Sprint(u.UID) == name {
					return u, nil
				}
			}
			return User{}, fmt.Errorf("unknown user %s", name)
		},
		Program: func(name string) string {
			if _, there := r.programs[name]; there {
				return "/usr/bin/" + name
			}
			return ""
		},
		Output: func(_ context.Context, path string, args ...string) (string, error) {
			name := strings.TrimPrefix(path, "/usr/bin/")
			if r.breaks[name] {
				return "", errors.New("exit status 127")
			}
			return r.says[strings.Join(append([]string{name}, args...), " ")] + r.says[name], nil
		},
		Stat:    func(path string) (File, error) { return r.programs[strings.TrimPrefix(path, "/usr/bin/")], nil },
		Space:   func(string) (Space, error) { return r.space, nil },
		Try:     func(context.Context, User, Plan) (Trial, error) { return r.trial, r.failed },
		Options: map[string]map[string]string{Local: r.options}, Services: r.services,
	}
}

func failed(why string) Attempt { return Attempt{Made: true, Error: why} }

func (r *rig) inPod()       { r.env["KUBERNETES_SERVICE_HOST"] = "10.0.0.1" }
func (r *rig) inContainer() { r.files["/.dockerenv"] = "" }

// probe runs one of the list by its name.
func probe(t *testing.T, m *Machine, name string) Result {
	t.Helper()
	for _, p := range Probes() {
		if p.Name == name {
			return p.Run(t.Context(), m)
		}
	}
	t.Fatalf("there is no probe %q", name)
	return Result{}
}

// text is all that a result says, for looking parts of it up.
func text(r Result) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.State)
	fmt.Fprintln(&b, r.Finding)
	fmt.Fprintln(&b, r.Detail)
	for _, f := range r.Fixes {
		fmt.Fprintln(&b, f.Where)
		fmt.Fprintln(&b, strings.Join(f.Lines, "\n"))
	}
	return b.String()
}
