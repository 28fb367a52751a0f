//go:build e2e

// Package build runs chartgate build beside the real BuildKit and the distribution
// registry, as an ordinary user. tools/e2e.sh brings them.
package build

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// ordinary is the user that tools/rootless-user.sh makes.
const ordinary = "chartgate-e2e"

// TestMain runs the tests again as an ordinary user, where root runs them: with copies of
// the programs in a folder that the user can reach.
func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		os.Exit(m.Run())
	}
	u, err := user.Lookup(ordinary)
	if err != nil {
		fmt.Fprintf(os.Stderr, "SKIPPED chartgate build: there is no user %q (tools/rootless-user.sh makes it)\n", ordinary)
		os.Exit(0)
	}
	code, err := runAs(context.Background(), u)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAs(ctx context.Context, u *user.User) (int, error) {
	dir, err := os.MkdirTemp("", "cgbuild-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	bin, tmp := filepath.Join(dir, "bin"), filepath.Join(dir, "tmp")
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(bin, 0o755), os.Mkdir(tmp, 0o700), os.Chown(tmp, uid, gid)} {
		if err != nil {
			return 1, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	for name, from := range map[string]string{"test": self, "chartgate": cmp.Or(os.Getenv("CHARTGATE"), "chartgate"), "registry": cmp.Or(os.Getenv("REGISTRY"), "registry"),
		"buildkitd": "buildkitd", "buildctl": "buildctl", "rootlesskit": "rootlesskit"} {
		if path, err := exec.LookPath(from); err == nil { // the tests say what they miss
			if err := copyFile(path, filepath.Join(bin, name)); err != nil {
				return 1, err
			}
		}
	}
	for _, name := range sources {
		if err := copyFile(filepath.Join("..", "..", name), filepath.Join(dir, name)); err != nil {
			return 1, err
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "test"), os.Args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = tmp, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "HOME="+tmp, "USER="+u.Username, "TMPDIR="+tmp, "XDG_RUNTIME_DIR=", "REGISTRY=", "CHARTGATE=", "SOURCES="+dir, "PATH="+bin+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := cmd.Run(); cmd.ProcessState == nil {
		return 1, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// sources are files of the repository that tests read; source finds them.
var sources = []string{".gitlab-ci.yml", "chartgate.yaml"}

func source(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(cmp.Or(os.Getenv("SOURCES"), filepath.Join("..", "..")), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

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
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}
