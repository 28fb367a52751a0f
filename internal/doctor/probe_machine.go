package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
)

// linux is false on other systems, for which the result then speaks.
func (m *Machine) linux() (Result, bool) {
	if m.OS == "linux" {
		return Result{}, true
	}
	return problem("rootless BuildKit runs on Linux, and this is %s", m.OS).
		mend(Fix{"the command line", []string{"chartgate build --driver remote …", "chartgate build --driver kubernetes …"}}), false
}

func kernel(_ context.Context, m *Machine) Result {
	if m.OS != "linux" {
		return ok("%s", m.OS)
	}
	release := m.setting("/proc/sys/kernel/osrelease")
	if release == "" {
		release = "of an unknown version"
	}
	return ok("Linux %s, %s", release, map[Place]string{Host: "not in a container", Container: "in a container", Pod: "in a pod of Kubernetes"}[m.Place()])
}

func account(_ context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return r
	}
	who, err := m.builder()
	switch {
	case m.UID != 0 && m.option(Local, "user") != "":
		return problem("only root can run the daemon as another user, and this job runs as %q", who).
			mend(Fix{"the command line", []string{"chartgate build --driver local   # without --driver-opt user=" + m.option(Local, "user")}})
	case err != nil && m.option(Local, "user") != "":
		return problem("the daemon cannot run as %q: %v", m.option(Local, "user"), err).
			mend(Fix{"the command line", []string{"chartgate build --driver-opt user=NAME"}})
	case err != nil:
		return problem("this job runs as root, and there is no ordinary user to run the daemon as").
			because("%v; a daemon that root starts is not rootless", err).
			mend(m.asRoot("useradd --create-home builder", "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 builder")).
			mend(m.allow(allowance{user: true})...)
	case m.UID == 0:
		return ok("this job runs as root, and the daemon would run as %q (%d)", who, who.UID)
	case who.Name == "":
		return warning("the daemon would run as user %d, who has no name", who.UID).
			because("the lines of /etc/subuid and /etc/subgid have to give the number").
			mend(m.asRoot(fmt.Sprintf("useradd --uid %d --create-home builder", who.UID)))
	}
	return ok("the daemon would run as %q (%d)", who, who.UID)
}

// needed are programs by their names, with what brings them.
var needed = []struct {
	names []string
	how   string
}{
	{[]string{"rootlesskit"}, "apt-get install rootlesskit"},
	{[]string{"buildkitd"}, "tar -C /usr/local -xzf buildkit-VERSION.linux-ARCH.tar.gz   # of https://github.com/moby/buildkit/releases"},
	{[]string{"buildkit-runc", "runc"}, "apt-get install runc"},
	{[]string{"pasta"}, "apt-get install passt"},
	{[]string{"slirp4netns"}, "apt-get install slirp4netns"},
}

func programs(ctx context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return r
	}
	var found, missing, how []string
	for _, n := range needed {
		name := n.names[len(n.names)-1]
		if (name == "pasta" || name == "slirp4netns") && name != m.option(Local, "net") {
			continue
		}
		path := ""
		for _, name := range n.names {
			if path == "" {
				path = m.Program(name)
			}
		}
		if path == "" {
			missing, how = append(missing, name+" is not on the PATH"), append(how, n.how)
			continue
		}
		said, err := m.Output(ctx, path, "--version")
		if err != nil {
			missing, how = append(missing, fmt.Sprintf("%s does not run: %v", path, err)), append(how, n.how)
			continue
		}
		found = append(found, path+": "+firstLine(said))
	}
	detail := strings.Join(found, "\n")
	if len(missing) > 0 {
		return problem("%s", strings.Join(missing, ", ")).because("%s", detail).mend(m.asRoot(how...),
			Fix{"or the Dockerfile of the job's image, beginning with one that has all of it", []string{"FROM " + kubernetes.DefaultImage}})
	}
	return ok("%s", strings.Join(versions(found), ", ")).because("%s", detail)
}

// versions shortens "/usr/bin/runc: runc version 1.1.5" to "runc 1.1.5".
func versions(found []string) []string {
	var out []string
	for _, line := range found {
		path, said, _ := strings.Cut(line, ": ")
		name := path[strings.LastIndex(path, "/")+1:]
		version := ""
		for _, word := range strings.Fields(said) {
			if trimmed := strings.TrimPrefix(word, "v"); version == "" && trimmed != "" && trimmed[0] >= '0' && trimmed[0] <= '9' && strings.Contains(trimmed, ".") {
				version = " " + strings.TrimRight(trimmed, ",;")
			}
		}
		out = append(out, name+version)
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, line)
}

func cgroups(_ context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return r
	}
	switch {
	case m.exists("/sys/fs/cgroup/cgroup.controllers"):
		return ok("version 2")
	case m.exists("/sys/fs/cgroup"):
		return ok("version 1: a daemon that is not root cannot set limits, and no build needs it to")
	}
	return ok("none: a daemon that is not root does without")
}
