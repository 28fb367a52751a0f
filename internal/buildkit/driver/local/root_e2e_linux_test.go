//go:build e2e

package local

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

// TestAsRoot has root start a daemon, which is another user's.
func TestAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is not root")
	}
	dir := t.TempDir()
	open, err := os.MkdirTemp("", "local-root-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(open) })
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"self": self, "buildkitd": "", "rootlesskit": ""} {
		if file == "" {
			if file, err = exec.LookPath(name); err != nil {
				t.Skip(err)
			}
		}
		if err := copyFile(file, filepath.Join(open, name)); err != nil {
			t.Fatal(err)
		}
	}
	env := func(key string) string {
		return map[string]string{"PATH": open, "TMPDIR": dir, "XDG_RUNTIME_DIR": dir}[key]
	}
	start := func(given map[string]string, self string) (*Driver, error) {
		d, err := New(given, driver.Host{Env: env, Self: []string{self, "supervise"}, Log: func(line string) { t.Log(line) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close(context.Background()) })
		return d, d.Start(t.Context())
	}
	d, err := start(map[string]string{"user": e2eUser}, filepath.Join(open, "self"))
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, driver.HintOf(err))
	}
	pids := append(below(t, d.cmd.Process.Pid), d.cmd.Process.Pid)
	for _, pid := range pids {
		if uids := strings.Fields(field(pid, "Uid")); len(uids) != 4 || uids[0] == "0" || uids[1] == "0" || uids[2] == "0" || uids[3] == "0" {
			t.Errorf("process %d, %s, runs as %v", pid, command(pid), uids)
		}
		if groups := field(pid, "Groups"); strings.TrimSpace(groups) != "" {
			t.Errorf("process %d, %s, has the groups %s", pid, command(pid), groups)
		}
	}
	if _, err := build(t.Context(), builderOf(t, d), contextDir(t, "RUN echo hello\n")); err != nil {
		t.Error(err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	nothingLeft(t, d.at, pids)

	_, err = start(map[string]string{"root": filepath.Join(dir, "root"), "user": e2eUser}, filepath.Join(open, "self"))
	wantError(t, err, "may not go into", "whom the daemon runs as", "--driver-opt root=FOLDER")
	closed := filepath.Join(dir, "self")
	if err := copyFile(self, closed); err != nil {
		t.Fatal(err)
	}
	_, err = start(map[string]string{"user": e2eUser}, closed)
	wantError(t, err, "starting the supervisor", "permission denied", "install it where everybody may")
	_, err = start(map[string]string{"user": "root"}, closed)
	wantError(t, err, `"root" is root`, "would not be rootless", "an ordinary user")
	_, err = start(map[string]string{"user": "nobody-of-that-name"}, closed)
	wantError(t, err, "there is no user", "nobody-of-that-name", "")
}

// TestAsRootMaskedProc runs TestBuild where a part of proc is hidden, as in most containers: the
// kernel then lets nobody mount another, which would show it.
func TestAsRootMaskedProc(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is not root")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const mask = `mount -t tmpfs -o ro none /proc/acpi || exit 77; exec "$0" -test.v -test.run '^TestBuild$'`
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", mask, self)
	cmd.Env = append(os.Environ(), maskedProc+"=1")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 77 {
		t.Skipf("proc cannot be masked here: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP: TestBuild") {
		t.Skipf("%s", out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestBuild") {
		t.Errorf("%v\n%s", err, out)
	}
}
