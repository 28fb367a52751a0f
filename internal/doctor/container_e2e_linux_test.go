//go:build e2e

package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// cell is a container as Docker would make one: its capabilities, its masked proc, and
// this machine's files to be written at will.
type cell struct {
	*ward
	runc, files string
	spec        map[string]any
}

// dockerCaps are what processes in a container of Docker's can have.
var dockerCaps = []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"}

func confine(t *testing.T) *cell {
	t.Helper()
	w := admit(t)
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Skip("no runc here")
	}
	c := &cell{ward: w, runc: runc, files: filepath.Join(w.dir, "files")}
	for _, name := range []string{"files", "upper", "work"} {
		if err := os.Mkdir(filepath.Join(w.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c.sh(t, fmt.Sprintf("mount -t overlay overlay -o lowerdir=/,upperdir=%[1]s/upper,workdir=%[1]s/work %[1]s/files; cd %[1]s; %[2]s spec", w.dir, runc))
	t.Cleanup(func() { c.sh(t, "umount "+c.files) })
	data, err := os.ReadFile(filepath.Join(w.dir, "config.json"))
	if err := errors.Join(err, json.Unmarshal(data, &c.spec)); err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(w.user.Uid)
	gid, _ := strconv.Atoi(w.user.Gid)
	process, linux := c.spec["process"].(map[string]any), c.spec["linux"].(map[string]any)
	process["terminal"], process["noNewPrivileges"] = false, false
	process["user"] = map[string]int{"uid": uid, "gid": gid}
	process["args"] = []string{"/tmp/chartgate", "doctor", "--driver", "local", "--root", "/tmp", "--format", "json"}
	process["env"] = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "container=test"}
	process["capabilities"] = map[string][]string{"bounding": dockerCaps}
	c.spec["root"] = map[string]any{"path": c.files}
	linux["resources"] = map[string]any{}
	var mounts []any
	for _, m := range c.spec["mounts"].([]any) {
		if m.(map[string]any)["type"] != "cgroup" {
			mounts = append(mounts, m)
		}
	}
	c.spec["mounts"] = append(mounts,
		map[string]any{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": []string{"mode=1777"}},
		map[string]any{"destination": "/tmp/chartgate", "type": "bind", "source": w.chartgate, "options": []string{"bind", "ro"}})
	return c
}

func (c *cell) sh(t *testing.T, script string) {
	t.Helper()
	if out, err := exec.Command("/bin/sh", "-euc", script).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

// examine has the doctor look at the container from within.
func (c *cell) examine(t *testing.T) Report {
	t.Helper()
	data, err := json.Marshal(c.spec)
	if err := errors.Join(err, os.WriteFile(filepath.Join(c.dir, "config.json"), data, 0o600)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), c.runc, "run", "--bundle", c.dir, filepath.Base(c.dir)).Output()
	var report Report
	if e := json.Unmarshal(out, &report); e != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Logf("%s", exit.Stderr)
		}
		t.Skipf("runc makes no container here: %v, %v", err, e)
	}
	return report
}

// TestInContainer: newuidmap of Debian fails in a container, and the doctor knows why.
func TestInContainer(t *testing.T) {
	if _, err := exec.LookPath("setcap"); err != nil {
		t.Skip("no setcap here")
	}
	c := confine(t)
	r := c.examine(t)
	found := r.of(t, "id-mapping")
	if r.Place != Container || found.State != Problem || !strings.Contains(text(found), "needs CAP_SYS_ADMIN") || len(found.Fixes) != 1 {
		t.Fatalf("%s: %s", r.Place, text(found))
	}
	if got := r.of(t, "process-sandbox"); got.State != Warning || !strings.Contains(text(got), "systempaths=unconfined") {
		t.Errorf("%s", text(got))
	}
	// As the Dockerfile of the job's image would.
	c.sh(t, "chroot "+c.files+" /bin/sh -euc '"+strings.Join(found.Fixes[0].Lines, "\n")+"'")
	mended := c.examine(t)
	mended.well(t)
	if got := mended.of(t, "id-mapping"); got.State != OK {
		t.Errorf("%s", text(got))
	}
	// What docker run --security-opt systempaths=unconfined leaves out.
	linux := c.spec["linux"].(map[string]any)
	delete(linux, "maskedPaths")
	delete(linux, "readonlyPaths")
	if got := c.examine(t).of(t, "process-sandbox"); got.State != OK {
		t.Errorf("%s", text(got))
	}
}

// TestFiltered: a filter as Docker's forbids namespaces, and is named.
func TestFiltered(t *testing.T) {
	c := confine(t)
	linux := c.spec["linux"].(map[string]any)
	newUser := map[string]any{"index": 0, "value": 0x10000000, "valueTwo": 0x10000000, "op": "SCMP_CMP_MASKED_EQ"}
	linux["seccomp"] = map[string]any{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []any{
		map[string]any{"names": []string{"clone"}, "action": "SCMP_ACT_ERRNO", "args": []any{newUser}},
		map[string]any{"names": []string{"unshare", "mount"}, "action": "SCMP_ACT_ERRNO"},
		map[string]any{"names": []string{"clone3"}, "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
	}}
	r := c.examine(t)
	if got := r.of(t, "user-namespaces"); got.State != Problem || !strings.Contains(text(got), `security_opt = ["seccomp=unconfined"`) {
		t.Errorf("%s", text(got))
	}
	if got := r.of(t, "seccomp"); got.State != Warning {
		t.Errorf("%s", text(got))
	}
	delete(linux, "seccomp") // seccomp=unconfined
	if got := c.examine(t).of(t, "user-namespaces"); got.State != OK {
		t.Errorf("%s", text(got))
	}
}
