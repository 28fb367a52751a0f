package doctor

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// Here is the machine at hand. self is how the program is started again to make attempts:
// the name of a stage follows as the last argument.
func Here(env func(string) string, self []string, options map[string]map[string]string, services Services) *Machine {
	m := &Machine{
		OS: runtime.GOOS, Root: os.DirFS("/"), Env: env, UID: os.Geteuid(), GID: os.Getegid(), Lookup: lookup,
		Output: output, Stat: stat, Space: space, Try: try(self), Options: options, Services: services,
	}
	m.Program = func(name string) string { return find(name, env("PATH")) }
	return m
}

func lookup(nameOrID string) (User, error) {
	find := user.Lookup
	if _, err := strconv.Atoi(nameOrID); err == nil {
		find = user.LookupId
	}
	u, err := find(nameOrID)
	if err != nil {
		return User{}, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return User{}, err
	}
	gid, err := strconv.Atoi(u.Gid)
	return User{Name: u.Username, UID: uid, GID: gid}, err
}

// find looks where the local driver does: on the PATH, and in the folders that the PATH of an
// ordinary user often lacks.
func find(name, path string) string {
	folders := filepath.SplitList(path)
	for _, folder := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		if !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	for _, folder := range folders {
		if !filepath.IsAbs(folder) {
			continue // a program must not come out of the tree that is built
		}
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}

// programTime bounds a program that is asked for its version or for a list.
const programTime = 10 * time.Second

func output(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.WaitDelay = filepath.Dir(name), time.Second
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	out, err := cmd.CombinedOutput()
	return string(out), err
}
