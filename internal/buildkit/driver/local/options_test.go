//go:build linux

package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/google/go-cmp/cmp"
)

func TestCommands(t *testing.T) {
	programs := map[string]string{"rootlesskit": "/bin/rootlesskit", "buildkitd": "/bin/buildkitd"}
	for _, c := range []struct {
		name        string
		given       map[string]string
		own         bool // proc can be mounted
		want        string
		wantSandbox bool
	}{
		{"defaults", nil, true,
			"/bin/rootlesskit --state-dir=/run/x/rk --net=host --pidns /bin/buildkitd --rootless --addr=unix:///run/x/buildkitd.sock --root=/tmp/s --oci-worker-snapshotter=auto", true},
		{"in a container", nil, false,
			"/bin/rootlesskit --state-dir=/run/x/rk --net=host /bin/buildkitd --rootless --addr=unix:///run/x/buildkitd.sock --root=/tmp/s --oci-worker-snapshotter=auto --oci-worker-no-process-sandbox", false},
		{"no sandbox", map[string]string{"process-sandbox": "false", "snapshotter": "native"}, true,
			"/bin/rootlesskit --state-dir=/run/x/rk --net=host --pidns /bin/buildkitd --rootless --addr=unix:///run/x/buildkitd.sock --root=/tmp/s --oci-worker-snapshotter=native --oci-worker-no-process-sandbox", false},
		{"all", map[string]string{"net": "pasta", "keep-storage": "20GB", "buildkitd-config": "/etc/b.toml", "buildkitd-flags": "--debug  --oci-max-parallelism=2", "rootlesskit-flags": "--mtu=1400"}, true,
			"/bin/rootlesskit --state-dir=/run/x/rk --net=pasta --copy-up=/etc --disable-host-loopback --mtu=1400 --pidns /bin/buildkitd --rootless --addr=unix:///run/x/buildkitd.sock --root=/tmp/s --oci-worker-snapshotter=auto --config=/etc/b.toml --oci-worker-gc-keepstorage=0,0,20000 --debug --oci-max-parallelism=2", true},
	} {
		o, err := decode(c.given)
		if err != nil {
			t.Fatal(c.name, err)
		}
		p := plan{Sandbox: o.ProcessSandbox}
		p.Rootlesskit, p.Buildkitd = o.commands(programs, "/run/x", "/tmp/s")
		argv, sandbox := p.argv(c.own)
		if d := cmp.Diff(strings.Fields(c.want), argv); d != "" || sandbox != c.wantSandbox {
			t.Errorf("%s: sandbox %t\n%s", c.name, sandbox, d)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	for _, c := range []struct{ option, value, want, hint string }{
		{"rot", "/x", "there is no such option", `did you mean "root"?`},
		{"root", "/", `the state cannot be kept in "/"`, "a folder of its own"},
		{"snapshotter", "overlay", `"overlay" is none of auto, overlayfs, native, fuse-overlayfs`, ""},
		{"process-sandbox", "no", `"no" is none of auto, true, false`, ""},
		{"net", "bridge", `"bridge" is none of host, slirp4netns, pasta`, ""},
		{"timeout", "0s", "more than no time", ""},
		{"timeout", "soon", "is not a duration", ""},
		{"keep-storage", "20", `"20" is not a size`, "20GB"},
		{"keep-storage", "-1GB", `"-1GB" is not a size`, "20GB"},
		{"keep-storage", "99999999999TB", "is not a size", "20GB"},
		{"buildkitd-flags", "--debug --addr=tcp://0.0.0.0:1", "--addr is set by the driver", ""},
		{"buildkitd-flags", "-root /x", "--root is set by the driver", ""},
		{"rootlesskit-flags", "--pidns", "--pidns is set by the driver", ""},
		{"rootlesskit-flags", "--mtu 1400", `"1400" is no flag`, "--flag=value"},
		{"rootlesskit-flags", "-- sh", `"--" is no flag`, "--flag=value"},
	} {
		_, err := New(map[string]string{c.option: c.value}, driver.Host{})
		var wrong *driver.OptionError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) || !strings.Contains(driver.HintOf(err), c.hint) {
			t.Errorf("%s=%s: %v, hint %q", c.option, c.value, err, driver.HintOf(err))
		}
	}
	if options := Options(); len(options) != 11 || options[0].Name != "root" || options[0].Doc == "" {
		t.Error(Options())
	}
}

func FuzzMegabytes(f *testing.F) {
	for _, s := range []string{"1GB", "20 tb", "0MB", "9223372036854775807TB", "GB", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := megabytes(s); (err == nil) != (n > 0) {
			t.Errorf("%q: %d, %v", s, n, err)
		}
	})
}

// TestPrograms looks for programs in folders of the test's.
func TestPrograms(t *testing.T) {
	dir := t.TempDir()
	o := &options{Net: "slirp4netns", Snapshotter: "fuse-overlayfs"}
	_, err := o.programs(dir)
	if want := "not on the PATH: rootlesskit, buildkitd, runc, newuidmap, newgidmap, slirp4netns, ip, fuse-overlayfs"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, not %s", err, want)
	}
	if want := "install rootlesskit, buildkit, runc, uidmap, slirp4netns, iproute2, fuse-overlayfs"; !strings.Contains(driver.HintOf(err), want) {
		t.Errorf("%s, not %s", driver.HintOf(err), want)
	}
	for _, name := range []string{"rootlesskit", "buildkitd", "runc", "newuidmap", "newgidmap"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	found, err := (&options{Net: "host"}).programs(dir)
	if err != nil || found["buildkitd"] != filepath.Join(dir, "buildkitd") || found["buildkit-runc"] != filepath.Join(dir, "runc") {
		t.Error(found, err)
	}
	if err := os.Chmod(filepath.Join(dir, "newgidmap"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err = (&options{Net: "host"}).programs(dir); err == nil || !strings.Contains(err.Error(), "not on the PATH: newgidmap") {
		t.Error(err)
	}
	t.Chdir(dir)
	if file := find("buildkitd", ".:"); file != "" {
		t.Errorf("a program was taken out of the working directory: %s", file)
	}
}

func TestSubordinateIDs(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var logged []string
	log := func(line string) { logged = append(logged, line) }
	who := account{Name: "builder", UID: 4321}
	err := checkIDs(who, dir, dir, log)
	if err == nil || !strings.Contains(err.Error(), `user "builder" has no line in `+dir+`/subuid and `+dir+`/subgid`) || !strings.Contains(driver.HintOf(err), "usermod --add-subuids") {
		t.Error(err, driver.HintOf(err))
	}
	write("subuid", "# a comment\nother:1:2\nbroken\nbuilder:100000:65536\nbuilder:x:y\n")
	if err := checkIDs(who, dir, dir, log); err == nil || strings.Contains(err.Error(), "subuid and") {
		t.Error(err)
	}
	write("subgid", "4321:100000:1000\n")
	if err := checkIDs(who, dir, dir, log); err != nil || len(logged) != 1 || !strings.Contains(logged[0], "has 1000 subordinate ids") {
		t.Error(err, logged)
	}
	write("subgid", "4321:100000:65536\n")
	if err := checkIDs(who, dir, dir, log); err != nil || len(logged) != 1 {
		t.Error(err, logged)
	}
	write("subgid", "nobody-there:1:2\nbuilder:100000:65536\n")
	write("subuid", "nobody-there:1:2\nbuilder:100000:65536\nlonely:1:2\n")
	if d := cmp.Diff([]string{"nobody-there", "builder"}, subordinateUsers(dir)); d != "" {
		t.Error(d)
	}
}

// TestEnvironment shows that the daemon gets no credentials of the job's.
func TestEnvironment(t *testing.T) {
	job := map[string]string{"CI_JOB_TOKEN": "secret", "HTTPS_PROXY": "http://proxy:3128", "PATH": "/opt/bin:/usr/bin", "TMPDIR": "/scratch", "DOCKER_AUTH_CONFIG": "secret"}
	got := strings.Join(environment(func(key string) string { return job[key] }, account{Name: "root", Home: "/root"}, "/run/x"), "\n")
	want := "PATH=/opt/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin\nHOME=/root\nUSER=chartgate\nLOGNAME=chartgate\nXDG_RUNTIME_DIR=/run/x\nHTTPS_PROXY=http://proxy:3128"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestPlace makes folders in places that do not fit.
func TestPlace(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("l", 100))
	if err := os.Mkdir(long, 0o755); err != nil {
		t.Fatal(err)
	}
	env := func(key string) string {
		return map[string]string{"XDG_RUNTIME_DIR": long + "/none", "TMPDIR": long}[key]
	}
	at, err := makePlace(&options{}, env, account{UID: os.Geteuid()})
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(at.run)
	defer os.RemoveAll(at.state)
	if filepath.Dir(at.run) != "/tmp" || filepath.Dir(at.state) != long || !at.temporary {
		t.Errorf("%+v", at)
	}
	if info, err := os.Stat(at.run); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for root, want := range map[string]string{file: "is no folder", filepath.Join(file, "x"): "not a directory"} {
		_, err := makePlace(&options{Root: root}, env, account{UID: os.Geteuid()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", root, err)
		}
	}
	_, err = makePlace(&options{Root: t.TempDir()}, env, account{UID: os.Geteuid() + 1})
	if err == nil || !strings.Contains(err.Error(), "and the daemon runs as") {
		t.Error(err)
	}
}
