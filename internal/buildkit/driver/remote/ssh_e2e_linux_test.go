//go:build e2e

package remote

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

// sshHost runs a real sshd on loopback, with keys of its own, and puts an ssh on the PATH
// that knows of it and of nothing of this user's. It returns host:port.
func sshHost(t *testing.T, authorized bool) string {
	t.Helper()
	tools := map[string]string{}
	for _, name := range []string{"sshd", "ssh", "ssh-keygen", "buildctl"} {
		for _, folder := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
			if file := filepath.Join(folder, name); tools[name] == "" {
				if info, err := os.Stat(file); err == nil && info.Mode()&0o111 != 0 {
					tools[name] = file
				}
			}
		}
		if tools[name] == "" {
			t.Skipf("%s is not installed", name)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd wants it when run as root
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"host", "client"} {
		if out, err := exec.Command(tools["ssh-keygen"], "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	port := freePort(t)
	hostKey, err := os.ReadFile(filepath.Join(dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := os.ReadFile(filepath.Join(dir, "client.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if !authorized {
		allowed = nil
	}
	bin := filepath.Join(dir, "bin")
	write(t, filepath.Join(dir, "authorized"), string(allowed), 0o600)
	write(t, filepath.Join(dir, "known"), fmt.Sprintf("[127.0.0.1]:%s %s", port, hostKey), 0o600)
	write(t, filepath.Join(dir, "sshd_config"), fmt.Sprintf("ListenAddress 127.0.0.1\nPort %s\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\nPidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nSetEnv PATH=%s:/usr/bin:/bin\n",
		port, dir, dir, filepath.Dir(tools["buildctl"])), 0o600)
	write(t, filepath.Join(dir, "ssh_config"), fmt.Sprintf("IdentityFile %s/client\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile %s/known\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\n", dir, dir), 0o600)
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(bin, "ssh"), fmt.Sprintf("#!/bin/sh\nexec %s -F %s/ssh_config \"$@\"\n", tools["ssh"], dir), 0o755)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))

	sshd := exec.Command(tools["sshd"], "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	sshd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := sshd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sshd.Process.Kill(); _ = sshd.Wait() })
	addr := net.JoinHostPort("127.0.0.1", port)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return me.Username + "@" + addr
}

func TestSSH(t *testing.T) {
	host := sshHost(t, true)
	socket := filepath.Join(t.TempDir(), "it's here.sock") // a shell on the way reads the path
	serve(t, listen(t, "unix", socket, nil), daemon{})
	before := children(t)
	if err := start(t, map[string]string{"endpoint": "ssh://" + host + strings.ReplaceAll(socket, " ", "%20")}); err != nil {
		t.Fatalf("%v\nhint: %s", err, driver.HintOf(err))
	}
	if after := children(t); after != before {
		t.Errorf("children before: %s, after: %s", before, after)
	}
	err := start(t, map[string]string{"endpoint": "ssh://" + host + socket + "x"})
	wantError(t, err, "asking for BuildKit on ssh://", "dial unix", "named by the path")
	err = start(t, map[string]string{"endpoint": "ssh://nobody-of-that-name@127.0.0.1:" + host[strings.LastIndex(host, ":")+1:]})
	wantError(t, err, "ssh ended: exit status 255", "Permission denied", "does not accept a key")
	err = start(t, map[string]string{"endpoint": "ssh://127.0.0.1:" + freePort(t)})
	wantError(t, err, "ssh ended: exit status 255", "Connection refused", "does sshd run")
	err = start(t, map[string]string{"endpoint": "ssh://localhost:" + host[strings.LastIndex(host, ":")+1:]})
	wantError(t, err, "ssh ended: exit status 255", "Host key verification failed", "known_hosts")
}

func TestSSHWithoutKey(t *testing.T) {
	host := sshHost(t, false)
	wantError(t, start(t, map[string]string{"endpoint": "ssh://" + host}), "ssh ended: exit status 255", "Permission denied (publickey", "does not accept a key")
	t.Setenv("PATH", t.TempDir())
	wantError(t, start(t, map[string]string{"endpoint": "ssh://" + host}), "connecting on ssh://", "executable file not found", "openssh-client")
}

func wantError(t *testing.T, err error, want, detail, hint string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), detail) || !strings.Contains(driver.HintOf(err), hint) {
		t.Errorf("%v\nhint: %s\nwant %q, %q, %q", err, driver.HintOf(err), want, detail, hint)
	}
}

// children are the processes that this one started.
func children(t *testing.T) string {
	t.Helper()
	out := ""
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range tasks {
		data, _ := os.ReadFile(file)
		out += string(data)
	}
	return out
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
