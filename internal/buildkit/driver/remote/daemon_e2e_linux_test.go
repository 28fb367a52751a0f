//go:build e2e

package remote

import (
	"context"
	"crypto/x509"
	"debug/elf"
	"fmt"
	"io"
	"net"
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

// realDaemon runs a rootless buildkitd that listens on a Unix socket and, with mutual TLS, on
// loopback. It is ended with the test.
type realDaemon struct {
	socket, addr string
	cmd          *exec.Cmd
	log          bounded
}

func startReal(t *testing.T, a *authority) *realDaemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "remote-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cred := ordinary(t)
	for _, name := range []string{"buildkitd", "rootlesskit"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Skip(err)
		}
		copyFile(t, file, filepath.Join(dir, name), 0o755)
	}
	cert, key := a.issue("server", x509.ExtKeyUsageServerAuth, nil)
	for name, file := range map[string]string{"ca.pem": a.File, "cert.pem": cert, "key.pem": key} {
		copyFile(t, file, filepath.Join(dir, name), 0o644) // keys of this test's only
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	if cred != nil {
		if err := os.Chown(run, int(cred.Uid), int(cred.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	d := &realDaemon{socket: filepath.Join(run, "s"), addr: "127.0.0.1:" + freePort(t)}
	kit := filepath.Join(dir, "rootlesskit")
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(kit, append([]string{"--net=host", "--pidns"}, args...)...)
		cmd.Dir = run
		cmd.Env = append(os.Environ(), "USER="+e2eUser, "HOME="+run, "TMPDIR="+run, "XDG_RUNTIME_DIR="+run, "PATH="+dir+":"+os.Getenv("PATH")+":/usr/sbin")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Pdeathsig: syscall.SIGKILL}
		return cmd
	}
	d.cmd = command("buildkitd", "--rootless", "--root="+filepath.Join(run, "root"), "--addr=unix://"+d.socket, "--addr=tcp://"+d.addr,
		"--tlscacert="+dir+"/ca.pem", "--tlscert="+dir+"/cert.pem", "--tlskey="+dir+"/key.pem")
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.kill()
		if out, err := command("rm", "-rf", filepath.Join(run, "root")).CombinedOutput(); err != nil {
			t.Errorf("removing the daemon's state: %v\n%s", err, out)
		}
	})
	return d
}

func (d *realDaemon) kill() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}

// ordinary is whom a daemon runs as: nil where this is no root.
func ordinary(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup(e2eUser)
	if err != nil {
		t.Skipf("%v (tools/rootless-user.sh makes it)", err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, mode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// image is the context of an image FROM scratch with one step.
func image(t *testing.T, step string) string {
	t.Helper()
	dir := t.TempDir()
	box, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip(err)
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
	copyFile(t, box, filepath.Join(dir, "busybox"), 0o755)
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", "+step+"]\n", 0o644)
	return dir
}

func build(ctx context.Context, b *driver.Builder, dir string) error {
	c, err := client.New(ctx, "", client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return b.Dial(ctx) }))
	if err != nil {
		return err
	}
	defer c.Close()
	fs, err := fsutil.NewFS(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	status := make(chan *client.SolveStatus)
	go func() {
		for range status { // it must be read until it is closed
		}
	}()
	_, err = c.Solve(ctx, nil, client.SolveOpt{Frontend: "dockerfile.v0", FrontendAttrs: map[string]string{},
		LocalMounts: map[string]fsutil.FS{"context": fs, "dockerfile": fs}}, status)
	return err
}

// TestRealDaemon builds over every transport, and has the daemon killed in mid-build.
func TestRealDaemon(t *testing.T) {
	a := newAuthority(t, "ours")
	cert, key := a.issue("client", x509.ExtKeyUsageClientAuth, nil)
	stranger, strangerKey := newAuthority(t, "others").issue("stranger", x509.ExtKeyUsageClientAuth, nil)
	d := startReal(t, a)
	host := sshHost(t, true)

	given := func(endpoint string, more ...string) map[string]string {
		out := map[string]string{"endpoint": endpoint}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	dir := image(t, `"id"`)
	var last *driver.Builder
	for _, options := range []map[string]string{
		given("unix://" + d.socket),
		given("tcp://"+d.addr, "cacert", a.File, "cert", cert, "key", key),
		given("ssh://" + host + d.socket),
	} {
		remote, err := New(options, driver.Host{Env: func(string) string { return "" }, Log: func(line string) { t.Log(line) }})
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Start(t.Context()); err != nil {
			t.Fatalf("%v\nhint: %s\n%s", err, driver.HintOf(err), d.log.String())
		}
		if last, err = remote.Builder(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if err := build(t.Context(), last, dir); err != nil {
			t.Errorf("%s: %v", last.Name, err)
		}
		if err := remote.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wantError(t, start(t, given("tcp://"+d.addr, "cacert", a.File)), "agreeing on TLS on tcp://", "remote error: tls: ", "cert=FILE and key=FILE")
	wantError(t, start(t, given("tcp://"+d.addr, "cacert", a.File, "cert", stranger, "key", strangerKey)), "agreeing on TLS on tcp://", "remote error: tls: ", "does not accept")
	wantError(t, start(t, given("tcp://"+d.addr)), "asking for BuildKit on tcp://", "", "name cacert, cert and key")

	mark := fmt.Sprint(500000 + os.Getpid())
	ended := make(chan error, 1)
	slow := image(t, `"sleep", "`+mark+`"`)
	go func() { ended <- build(context.Background(), last, slow) }()
	for deadline := time.Now().Add(20 * time.Second); !running(mark); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the RUN step does not run")
		}
	}
	if lost := last.Lost(t.Context()); lost != nil {
		t.Errorf("a daemon that is well is lost: %v", lost)
	}
	d.kill()
	if err := <-ended; err == nil {
		t.Error("the build ended well")
	} else {
		t.Log(err)
	}
	if lost := last.Lost(t.Context()); lost == nil || !strings.Contains(lost.Error(), "it does not answer any more: ") {
		t.Errorf("%v", lost)
	} else {
		t.Log(lost)
	}
}

// running says whether a process has a word as its last argument.
func running(word string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		if strings.HasSuffix(string(data), "sleep\x00"+word+"\x00") {
			return true
		}
	}
	return false
}
