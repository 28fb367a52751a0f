//go:build e2e

package local

import (
	"context"
	"debug/elf"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"
)

// e2eUser is whom tools/rootless-user.sh makes.
const e2eUser = "chartgate-e2e"

// testMain runs the tests as an ordinary user: as root, this binary again as the user made for
// that, with what it needs in a folder that the user can reach.
func testMain(m *testing.M) int {
	if len(os.Args) > 1 && os.Args[1] == "drive" {
		return drive()
	}
	if os.Geteuid() != 0 {
		return m.Run()
	}
	u, err := user.Lookup(e2eUser)
	if err != nil {
		fmt.Fprintf(os.Stderr, "SKIPPED the tests of the local driver: no user %q (tools/rootless-user.sh makes it)\n", e2eUser)
		return 0
	}
	code, err := runAs(u)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// What is left is for root itself.
	only := flag.Lookup("test.run")
	flag.Parse()
	if pattern := only.Value.String(); pattern == "" || strings.Contains(pattern, "AsRoot") {
		_ = only.Value.Set("^TestAsRoot")
		code = max(code, m.Run())
	}
	return code
}

const (
	// smallDisk names the variable for the folder where a file system of a few megabytes is.
	smallDisk = "CHARTGATE_SMALL_DISK"
	// maskedProc names the variable that is set where proc cannot be mounted.
	maskedProc = "CHARTGATE_MASKED_PROC"
)

func runAs(u *user.User) (int, error) {
	dir, err := os.MkdirTemp("", "local-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	for name, file := range map[string]string{"local.test": self, "buildkitd": "", "rootlesskit": ""} {
		if file == "" {
			if file, err = exec.LookPath(name); err != nil {
				continue // the tests say so
			}
		}
		if err := copyFile(file, filepath.Join(dir, name)); err != nil {
			return 0, err
		}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return 0, err
	}
	if err := os.Chown(tmp, uid, gid); err != nil {
		return 0, err
	}
	small := filepath.Join(dir, "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		return 0, err
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, fmt.Sprintf("size=8m,uid=%d,gid=%d,mode=700", uid, gid)); err == nil {
		defer syscall.Unmount(small, syscall.MNT_DETACH)
	} else {
		small = ""
	}
	cmd := exec.Command(filepath.Join(dir, "local.test"), os.Args[1:]...)
	cmd.Dir = tmp
	cmd.Env = append(os.Environ(), "HOME="+u.HomeDir, "USER="+u.Username, "TMPDIR="+tmp, "XDG_RUNTIME_DIR=", smallDisk+"="+small, "PATH="+dir+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// copyFile makes a file available under another name.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// needDaemon skips where there is no rootless BuildKit.
func needDaemon(t *testing.T) {
	t.Helper()
	for _, name := range []string{"buildkitd", "rootlesskit", "newuidmap"} {
		if find(name, searchPath(os.Getenv)) == "" {
			t.Skipf("%s is not installed", name)
		}
	}
	if current().idsOf("/etc/subuid") == 0 {
		t.Skip("this user has no line in /etc/subuid")
	}
}

// started returns a driver with a daemon that answers. It is closed with the test.
func started(t *testing.T, given map[string]string) *Driver {
	t.Helper()
	d := unstarted(t, given, os.Getenv)
	if err := d.Start(t.Context()); err != nil {
		t.Fatalf("%v\nhint: %s\n%s", err, driver.HintOf(err), strings.Join(d.log.all(), "\n"))
	}
	return d
}

func unstarted(t *testing.T, given map[string]string, env func(string) string) *Driver {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(given, driver.Host{Env: env, Self: []string{self, "supervise"}, Log: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d
}

// contextDir is an image FROM scratch whose RUN steps have a shell.
func contextDir(t *testing.T, steps string) string {
	t.Helper()
	dir := t.TempDir()
	box, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("busybox is not installed")
	}
	f, err := elf.Open(box)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Skip("busybox is not static")
		}
	}
	if err := copyFile(box, filepath.Join(dir, "busybox")); err != nil {
		t.Fatal(err)
	}
	text := "FROM scratch\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n" + steps
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// build builds a folder, and returns how many steps came out of the cache.
func build(ctx context.Context, b *driver.Builder, dir string) (cached int, err error) {
	c, err := client.New(ctx, "", client.WithContextDialer(contextDialer(b)))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	fs, err := fsutil.NewFS(dir)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ch := make(chan *client.SolveStatus)
	steps := make(chan int)
	go func() {
		seen := map[string]bool{}
		for status := range ch {
			for _, v := range status.Vertexes {
				if v.Cached {
					seen[v.Digest.String()] = true
				}
			}
		}
		steps <- len(seen)
	}()
	_, err = c.Solve(ctx, nil, client.SolveOpt{Frontend: "dockerfile.v0", FrontendAttrs: map[string]string{},
		LocalMounts: map[string]fsutil.FS{"context": fs, "dockerfile": fs}}, ch)
	return <-steps, err
}
