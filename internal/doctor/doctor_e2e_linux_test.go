//go:build e2e

package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// e2eUser is whom tools/rootless-user.sh makes.
const e2eUser = "chartgate-e2e"

// ward is a view of this machine that can be broken: its /etc and /usr/bin are copies on
// write, which last from one command to the next.
type ward struct {
	dir, chartgate string
	user           *user.User
	before         string   // shell commands of root that break more, for one command
	as             []string // further arguments of setpriv
	confine        bool     // in a user namespace of its own, with the same ids
}

func admit(t *testing.T) *ward {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can break a machine for its tests")
	}
	u, err := user.Lookup(e2eUser)
	if err != nil {
		t.Skipf("no user %q (tools/rootless-user.sh makes it)", e2eUser)
	}
	built := os.Getenv("CHARTGATE")
	if built == "" {
		t.Skip("CHARTGATE names no binary")
	}
	dir, err := os.MkdirTemp("", "doctor-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	data, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{dir: dir, chartgate: filepath.Join(dir, "chartgate"), user: u}
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(w.chartgate, data, 0o755)); err != nil {
		t.Fatal(err)
	}
	return w
}

// run runs shell commands as root in the view, and returns what they printed.
func (w *ward) run(t *testing.T, script string) ([]byte, error) {
	t.Helper()
	view := "mount --make-rprivate /\n"
	for _, folder := range []string{"/etc", "/usr/bin"} {
		own := filepath.Join(w.dir, strings.ReplaceAll(folder, "/", "-"))
		view += fmt.Sprintf("mkdir -p %[1]s/upper %[1]s/work\nmount -t overlay overlay -o lowerdir=%[2]s,upperdir=%[1]s/upper,workdir=%[1]s/work %[2]s\n", own, folder)
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-euc", view+script)
	cmd.Dir = w.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.user.HomeDir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if w.confine {
		all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1 << 30}}
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true}
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said.String())
	}
	return out.Bytes(), err
}

// examine has the doctor look at the view, as the ordinary user.
func (w *ward) examine(t *testing.T, flags ...string) Report {
	t.Helper()
	command := []string{"exec", "setpriv", "--reuid", w.user.Uid, "--regid", w.user.Gid, "--clear-groups"}
	command = append(append(command, w.as...), w.chartgate, "doctor", "--driver", "local", "--format", "json")
	out, err := w.run(t, w.before+strings.Join(append(command, flags...), " "))
	var report Report
	if e := json.Unmarshal(out, &report); e != nil {
		t.Fatalf("%v, %v\n%s", err, e, out)
	}
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if want := map[bool]int{true: 0, false: 1}[report.Works()]; code != want {
		t.Errorf("exit code %d, want %d: %v", code, want, err)
	}
	return report
}

func (r Report) of(t *testing.T, probe string) Result {
	t.Helper()
	i := slices.IndexFunc(r.Results, func(r Result) bool { return r.Probe == probe })
	if i < 0 {
		t.Fatalf("%s was not looked at", probe)
	}
	return r.Results[i]
}

// well expects that everything but programs, which may not be installed here, is in order.
func (r Report) well(t *testing.T) {
	t.Helper()
	for _, result := range r.Results {
		if result.State == Problem && result.Probe != "programs" {
			t.Errorf("%s: %s", result.Probe, text(result))
		}
	}
}

// TestFollowingWhatIsPrinted breaks the machine, expects the fault to be found, does what is
// printed, and expects it to be gone.
func TestFollowingWhatIsPrinted(t *testing.T) {
	for _, c := range []struct {
		name, breaks, probe string
		want                string
		then                string // what fails along with it
	}{
		{"no subordinate users", "sed -i /" + e2eUser + "/d /etc/subuid", "subordinate-ids", "has no line", ""},
		{"no subordinate groups", "sed -i /" + e2eUser + "/d /etc/subgid", "subordinate-ids", "/etc/subgid has no line", ""},
		{"a line without a count", "sed -i 's/^" + e2eUser + ":.*/" + e2eUser + ":100000/' /etc/subuid", "subordinate-ids", "OWNER:START:COUNT", ""},
		{"the same range twice", "grep " + e2eUser + " /etc/subuid | sed p >/tmp/sub.$$; cat /tmp/sub.$$ >/etc/subuid; rm /tmp/sub.$$", "subordinate-ids", "twice", "id-mapping"},
		{"newuidmap without privilege", "chmod u-s /usr/bin/newuidmap", "newuidmap", "neither setuid root", "id-mapping"},
		{"newgidmap without privilege", "chmod u-s /usr/bin/newgidmap", "newuidmap", "neither setuid root", "id-mapping"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := admit(t)
			w.examine(t).well(t)
			if _, err := w.run(t, c.breaks); err != nil {
				t.Fatal(err)
			}
			broken := w.examine(t)
			found := broken.of(t, c.probe)
			if found.State != Problem || !strings.Contains(text(found), c.want) || broken.Works() {
				t.Fatalf("%s", text(found))
			}
			if c.then != "" && broken.of(t, c.then).State != Problem {
				t.Errorf("%s", text(broken.of(t, c.then)))
			}
			fix := found.Fixes[len(found.Fixes)-1] // of several, the one that wants nothing installed
			if _, err := w.run(t, strings.Join(fix.Lines, "\n")); err != nil {
				t.Fatalf("following %q: %v", fix.Lines, err)
			}
			w.examine(t).well(t)
			w.mapsIDs(t)
		})
	}
}

// mapsIDs makes sure apart from the doctor: unshare maps ids by the same programs.
func (w *ward) mapsIDs(t *testing.T) {
	t.Helper()
	out, err := w.run(t, "exec setpriv --reuid "+w.user.Uid+" --regid "+w.user.Gid+" --clear-groups unshare --map-root-user --map-auto cat /proc/self/uid_map")
	if err != nil {
		t.Errorf("unshare: %v", err)
	}
	if fields := strings.Fields(string(out)); len(fields) != 6 || fields[1] != w.user.Uid || fields[5] != "65536" && fields[5] != "65535" {
		t.Errorf("the ids are %q", out)
	}
}

// TestConfined runs as a job does whose container forbids things.
func TestConfined(t *testing.T) {
	t.Run("privileges cannot be gained", func(t *testing.T) {
		w := admit(t)
		w.as = []string{"--no-new-privs"}
		r := w.examine(t)
		if a, b := r.of(t, "no-new-privileges"), r.of(t, "id-mapping"); a.State != Problem || b.State != Problem || r.of(t, "user-namespaces").State != OK {
			t.Errorf("%s%s", text(a), text(b))
		}
	})
	t.Run("no user namespaces", func(t *testing.T) {
		w := admit(t)
		w.confine, w.before = true, "echo 0 >/proc/sys/user/max_user_namespaces\n"
		r := w.examine(t)
		got := r.of(t, "user-namespaces")
		if got.State != Problem || !strings.Contains(text(got), "user.max_user_namespaces=28633") {
			t.Fatalf("%s", text(got))
		}
		for _, p := range []string{"snapshotter", "process-sandbox", "id-mapping"} {
			if r.of(t, p).State != Skipped {
				t.Errorf("%s", text(r.of(t, p)))
			}
		}
		setting, value, _ := strings.Cut(strings.Fields(got.Fixes[0].Lines[0])[1], "=")
		w.before = "echo " + value + " >/proc/sys/" + strings.ReplaceAll(setting, ".", "/") + "\n"
		w.examine(t).well(t)
	})
	t.Run("a masked proc", func(t *testing.T) {
		w := admit(t)
		w.before = "mount --bind /dev/null /proc/cpuinfo\n"
		r := w.examine(t)
		if got := r.of(t, "process-sandbox"); got.State != Warning {
			t.Errorf("%s", text(got))
		}
		r.well(t)
		strict := w.examine(t, "--driver-opt", "process-sandbox=true")
		if got := strict.of(t, "process-sandbox"); got.State != Problem {
			t.Errorf("%s", text(got))
		}
	})
	t.Run("a small disk", func(t *testing.T) {
		w := admit(t)
		w.before = fmt.Sprintf("mkdir -p %[1]s/small\nmount -t tmpfs -o size=64m,uid=%[2]s tmpfs %[1]s/small\n", w.dir, w.user.Uid)
		r := w.examine(t, "--driver-opt", "root="+w.dir+"/small/state")
		if got := r.of(t, "state-folder"); got.State != Problem || !strings.Contains(got.Finding, "64.0 MiB") {
			t.Errorf("%s", text(got))
		}
	})
	t.Run("newuidmap on a file system without setuid", func(t *testing.T) {
		w := admit(t)
		w.before = "mount -o remount,bind,nosuid /usr/bin\n"
		r := w.examine(t)
		if got := r.of(t, "newuidmap"); got.State != Problem || !strings.Contains(got.Finding, "nosuid") || r.of(t, "id-mapping").State != Problem {
			t.Errorf("%s%s", text(got), text(r.of(t, "id-mapping")))
		}
	})
	t.Run("a container's bounding set", func(t *testing.T) {
		w := admit(t)
		w.as = []string{"--bounding-set", "-sys_admin"}
		r := w.examine(t)
		if got := r.of(t, "id-mapping"); got.State != Problem || !strings.Contains(text(got), "setcap cap_setuid+ep /usr/bin/newuidmap") {
			t.Errorf("%s", text(got))
		}
	})
}

// TestNothingIsLeft: attempts leave neither files nor processes behind.
func TestNothingIsLeft(t *testing.T) {
	w := admit(t)
	left := func() []string {
		names, err := filepath.Glob(filepath.Join(os.TempDir(), "chartgate-doctor-*"))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	before := left()
	w.examine(t).well(t)
	if after := left(); !slices.Equal(before, after) {
		t.Errorf("%v are left", after)
	}
	procs, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range procs {
		if exe, err := os.Readlink(p); err == nil && strings.HasPrefix(exe, w.dir) {
			t.Errorf("process %s is left", p)
		}
	}
}

// TestByRootlesskit: where this program may make no namespace, rootlesskit may.
func TestByRootlesskit(t *testing.T) {
	w := admit(t)
	rootlesskit, err := exec.LookPath("rootlesskit")
	if err != nil {
		t.Skip("no rootlesskit on the PATH")
	}
	uid, _ := strconv.Atoi(w.user.Uid)
	gid, _ := strconv.Atoi(w.user.Gid)
	// rootlesskit runs what Executable names: the user has to reach it.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(w.dir, "doctor.test")
	state := filepath.Join(w.dir, "state")
	if err := errors.Join(os.WriteFile(binary, data, 0o755), os.Mkdir(state, 0o755), os.Chown(state, uid, gid)); err != nil {
		t.Fatal(err)
	}
	plan, err := json.Marshal(Plan{Folder: state, Rootlesskit: rootlesskit})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "rootlesskit")
	cmd.Stdin = bytes.NewReader(plan)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	out, err := cmd.Output()
	var got Trial
	if err := errors.Join(err, json.Unmarshal(out, &got)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !got.Rights.Worked() || !got.Propagate.Worked() || !got.Overlay.Worked() || !got.UIDs.Worked() {
		t.Errorf("%+v", got)
	}
}
