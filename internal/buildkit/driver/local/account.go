//go:build linux

package local

import (
	"bufio"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

// account is the user that the daemon runs as.
type account struct {
	Name     string
	UID, GID int
	Home     string
	Switch   bool // whether it is another one than this process's
}

// accountOf decides whom the daemon runs as: this process's user, or an ordinary one
// when that is root. rootlesskit does start as root, but then root in the build is root
// outside of it: an owner of every file, without being rootless.
func accountOf(wanted, etc string) (account, error) {
	if os.Geteuid() != 0 {
		if wanted != "" {
			return account{}, wrong("user", "only root can run the daemon as another user", "leave the option out")
		}
		return current(), nil
	}
	if wanted == "" {
		for _, name := range subordinateUsers(etc) {
			if u, err := lookup(name); err == nil && u.Uid != "0" {
				return switchTo(u)
			}
		}
		return account{}, &driver.Error{Op: "starting buildkitd", Err: fmt.Errorf("root cannot run a rootless daemon, and %s names no ordinary user to run it as", filepath.Join(etc, "subuid")),
			Hint: "run the job as an ordinary user, or make one for the daemon (useradd --create-home --add-subids-for-system builder), or take --driver kubernetes or remote"}
	}
	u, err := lookup(wanted)
	if err != nil {
		return account{}, wrong("user", fmt.Sprintf("there is no user %q", wanted), "")
	}
	if u.Uid == "0" {
		return account{}, wrong("user", fmt.Sprintf("%q is root: the daemon would not be rootless", wanted), "name an ordinary user that /etc/subuid and /etc/subgid have lines for")
	}
	return switchTo(u)
}

func current() account {
	a := account{UID: os.Geteuid(), GID: os.Getegid(), Home: os.Getenv("HOME")}
	if u, err := user.LookupId(strconv.Itoa(a.UID)); err == nil {
		a.Name, a.Home = u.Username, u.HomeDir
	}
	return a
}

func lookup(name string) (*user.User, error) {
	if _, err := strconv.Atoi(name); err == nil {
		return user.LookupId(name)
	}
	return user.Lookup(name)
}

func switchTo(u *user.User) (account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return account{}, fmt.Errorf("reading the id of user %q: %w", u.Username, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return account{}, fmt.Errorf("reading the group of user %q: %w", u.Username, err)
	}
	return account{Name: u.Username, UID: uid, GID: gid, Home: u.HomeDir, Switch: true}, nil
}

// subordinateUsers are the names, or ids, that both /etc/subuid and /etc/subgid have
// lines for, in order.
func subordinateUsers(etc string) []string {
	groups := subordinate(filepath.Join(etc, "subgid"))
	var out []string
	for _, line := range subordinate(filepath.Join(etc, "subuid")) {
		for _, group := range groups {
			if group.owner == line.owner {
				out = append(out, line.owner)
				break
			}
		}
	}
	return out
}

type subIDs struct {
	owner string
	count int
}

// subordinate reads a file of lines NAME:START:COUNT. What it cannot read is not there.
func subordinate(file string) []subIDs {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	var out []subIDs
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(strings.TrimSpace(lines.Text()), ":")
		if len(fields) != 3 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if n, err := strconv.Atoi(fields[2]); err == nil && n > 0 {
			out = append(out, subIDs{fields[0], n})
		}
	}
	return out
}

// idsOf is how many subordinate ids of a file the account has.
func (a account) idsOf(file string) int {
	n := 0
	for _, line := range subordinate(file) {
		if line.owner == a.Name || line.owner == strconv.Itoa(a.UID) {
			n += line.count
		}
	}
	return n
}
