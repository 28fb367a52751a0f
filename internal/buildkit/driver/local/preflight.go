//go:build linux

package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

// ordinaryIDs is how many subordinate ids an image may need: all that 16 bits hold.
const ordinaryIDs = 65536

// searchPath is where programs are looked for: the PATH, and the folders that the PATH of
// an ordinary user often lacks, where distributions put runc.
func searchPath(env func(string) string) string {
	folders := filepath.SplitList(env("PATH"))
	for _, folder := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		if !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	return strings.Join(folders, string(filepath.ListSeparator))
}

// find looks a program up as a shell does. It is "" when there is none.
func find(name, path string) string {
	for _, folder := range filepath.SplitList(path) {
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

// need is a program, the other names that it may have, and the package that brings it.
type need struct {
	names []string
	pkg   string
}

func (o *options) needs() []need {
	out := []need{
		{[]string{"rootlesskit"}, "rootlesskit"}, {[]string{"buildkitd"}, "buildkit"}, {[]string{"buildkit-runc", "runc"}, "runc"},
		{[]string{"newuidmap"}, "uidmap"}, {[]string{"newgidmap"}, "uidmap"},
	}
	if o.Net != "host" {
		out = append(out, need{[]string{map[string]string{"pasta": "pasta", "slirp4netns": "slirp4netns"}[o.Net]}, map[string]string{"pasta": "passt", "slirp4netns": "slirp4netns"}[o.Net]},
			need{[]string{"ip"}, "iproute2"})
	}
	if o.Snapshotter == "fuse-overlayfs" {
		out = append(out, need{[]string{"fuse-overlayfs"}, "fuse-overlayfs"})
	}
	return out
}

// programs finds what the daemon needs, by its first name. The error names each that is missing.
func (o *options) programs(path string) (map[string]string, error) {
	found := map[string]string{}
	var missing, packages []string
	for _, n := range o.needs() {
		for _, name := range n.names {
			if found[n.names[0]] == "" {
				found[n.names[0]] = find(name, path)
			}
		}
		if found[n.names[0]] == "" {
			missing = append(missing, n.names[len(n.names)-1])
			if !slices.Contains(packages, n.pkg) {
				packages = append(packages, n.pkg)
			}
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	return nil, &driver.Error{Op: "starting buildkitd", Err: fmt.Errorf("not on the PATH: %s", strings.Join(missing, ", ")),
		Hint: fmt.Sprintf("install %s (moby/buildkit:rootless has all of it), or take --driver kubernetes or remote", strings.Join(packages, ", "))}
}

// checkIDs says whether the account has subordinate ids. They may come from elsewhere than
// the files: then getsubids, which rootlesskit asks first, is installed.
func checkIDs(who account, etc, path string, log func(string)) error {
	var missing []string
	low := ordinaryIDs
	for _, name := range []string{"subuid", "subgid"} {
		n := who.idsOf(filepath.Join(etc, name))
		if n == 0 {
			missing = append(missing, filepath.Join(etc, name))
		}
		low = min(low, n)
	}
	name := who.Name
	if name == "" {
		name = fmt.Sprint(who.UID)
	}
	if len(missing) > 0 {
		if find("getsubids", path) != "" {
			return nil
		}
		return &driver.Error{Op: "starting buildkitd", Err: fmt.Errorf("user %q has no line in %s", name, strings.Join(missing, " and ")),
			Hint: fmt.Sprintf("as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", name)}
	}
	if low < ordinaryIDs {
		log(fmt.Sprintf("user %q has %d subordinate ids: images with files of other users may need 65536", name, low))
	}
	return nil
}

// hints are what to do about what rootlesskit and buildkitd say, by a part of it.
var hints = []struct{ part, hint string }{
	{"another instance running?", "another daemon, not of chartgate's, uses this root: give the job one of its own with --driver-opt root=FOLDER"},
	{"subuid ranges found", "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER"},
	{"newuidmap", "newuidmap must be setuid root or have the capability cap_setuid (newgidmap: cap_setgid), and the job must be allowed to gain privileges by it (allowPrivilegeEscalation, no-new-privileges; on Ubuntu the sysctl kernel.apparmor_restrict_unprivileged_userns)"},
	{"newgidmap", "newgidmap must be setuid root or have the capability cap_setgid, and the job must be allowed to gain privileges by it (allowPrivilegeEscalation, no-new-privileges)"},
	{"fork/exec /proc/self/exe: no space left on device", "no user namespace can be made: raise the sysctl user.max_user_namespaces"},
	{"failed to start the child", "the job may not make user namespaces: allow it in the seccomp and AppArmor profiles of its container, and in the sysctls user.max_user_namespaces, kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns"},
	{"no capabilities was gained", "AppArmor takes the rights in user namespaces away: allow rootlesskit in a profile, or set the sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
	{"no space left on device", "the disk of the daemon's state is full: make room, or name another folder with --driver-opt root=FOLDER"},
	{wrongFlag, "what buildkitd-flags and rootlesskit-flags hold must be known to the programs that are installed"},
	{"no worker found", "buildkitd needs runc on the PATH"},
}

// hintOf is what to do about a daemon that ended with these last words.
func hintOf(lines []string, oom bool) string {
	if oom {
		return "give the job more memory, or build fewer images at a time"
	}
	for _, h := range hints {
		for _, line := range lines {
			if strings.Contains(line, h.part) {
				return h.hint
			}
		}
	}
	return ""
}

// errTimeout is a daemon that runs and does not answer.
var errTimeout = errors.New("it does not answer")
