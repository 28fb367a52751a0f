package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// mapper is one of the two programs that map ids.
type mapper struct {
	name       string
	capability uint
	capName    string
}

var mappers = []mapper{{"newuidmap", capSetUID, "cap_setuid"}, {"newgidmap", capSetGID, "cap_setgid"}}

func newuidmap(_ context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return r
	}
	var how, bad []string
	var lacking []mapper
	for _, p := range mappers {
		path := m.Program(p.name)
		if path == "" {
			return problem("%s is not on the PATH", p.name).mend(m.asRoot("apt-get install uidmap   # Debian, Ubuntu; apk add shadow-uidmap, dnf install shadow-utils"))
		}
		f, err := m.Stat(path)
		if err != nil {
			return problem("%s cannot be looked at: %v", path, err)
		}
		if at, bare := m.nosuid(path); bare {
			return problem("%s lies on %s, which is mounted nosuid: it gains no privilege", path, at).
				mend(Fix{"as root, on this machine", []string{"mount -o remount,suid " + at}})
		}
		by, why := p.privilege(f)
		if by == "" {
			bad, lacking = append(bad, fmt.Sprintf("%s has no privilege: %s", path, why)), append(lacking, p)
			continue
		}
		how = append(how, fmt.Sprintf("%s %s", p.name, by))
	}
	if len(bad) > 0 {
		setuid := m.asRoot(m.each(lacking, func(_ mapper, path string) string { return fmt.Sprintf("chown root %[1]s && chmod u+s %[1]s", path) })...)
		setuid.Where = "or " + setuid.Where
		return problem("%s", strings.Join(bad, "; ")).mend(m.setcap(lacking...), setuid)
	}
	return ok("%s", strings.Join(how, ", "))
}

// each makes a line for each program.
func (m *Machine) each(programs []mapper, line func(mapper, string) string) []string {
	var out []string
	for _, p := range programs {
		out = append(out, line(p, m.Program(p.name)))
	}
	return out
}

// setcap gives programs the capability in place of the setuid bit.
func (m *Machine) setcap(programs ...mapper) Fix {
	return m.asRoot(m.each(programs, func(p mapper, path string) string {
		return fmt.Sprintf("chmod u-s %[1]s && setcap %[2]s+ep %[1]s   # libcap2-bin, libcap", path, p.capName)
	})...)
}

// privilege is how the program comes by the right to map ids, or why it does not.
func (p mapper) privilege(f File) (by, why string) {
	if len(f.Capability) > 0 {
		c, err := ParseCapability(f.Capability)
		switch {
		case err != nil:
			why = err.Error()
		case !has(c.Permitted, p.capability) || !c.Effective:
			why = "its file capabilities lack " + p.capName + "+ep"
		case c.RootID != 0:
			why = fmt.Sprintf("its file capability holds in a user namespace of user %d alone", c.RootID)
		default:
			return "has " + p.capName, ""
		}
	}
	switch {
	case f.Setuid && f.UID == 0:
		return "is setuid root", ""
	case f.Setuid:
		return "", fmt.Sprintf("it is setuid, but belongs to user %d", f.UID)
	case why == "":
		why = "it is neither setuid root nor has it " + p.capName
	}
	return "", why
}

func (m *Machine) nosuid(path string) (string, bool) {
	data, err := m.read("/proc/self/mountinfo")
	if err != nil {
		return "", false
	}
	mounts, err := ParseMounts(data)
	if err != nil {
		return "", false
	}
	at, found := mountOf(mounts, path)
	return at.Point, found && slices.Contains(at.Options, "nosuid")
}

func noNewPrivileges(_ context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return r
	}
	s, err := m.status()
	switch {
	case err != nil:
		return skipped("/proc/self/status cannot be read: %v", err)
	case !s.NoNewPrivs:
		return ok("privileges can be gained")
	}
	r := problem("this job may gain no privileges (no_new_privs), and newuidmap needs to")
	if m.Place() == Host {
		return r.mend(Fix{"systemctl edit gitlab-runner", []string{"[Service]", "NoNewPrivileges=no"}})
	}
	return r.because("allowPrivilegeEscalation: false sets it, and so does a Pod Security level of restricted").
		mend(m.allow(allowance{privileges: true})...)
}

func idMapping(ctx context.Context, m *Machine) Result {
	t, r, made := m.attempted(ctx)
	switch {
	case !made:
		return r
	case t.Namespace.Failed():
		return skipped("it needs a user namespace")
	case !t.UIDs.Made || t.UIDs.Worked() && !t.GIDs.Made:
		return skipped("it needs newuidmap and subordinate ids")
	case t.UIDs.Worked() && t.GIDs.Worked():
		return ok("newuidmap and newgidmap map ids")
	}
	failed, p := t.UIDs, mappers[0]
	if t.UIDs.Worked() {
		failed, p = t.GIDs, mappers[1]
	}
	r = problem("%s fails: %s", p.name, failed.Error)
	path := m.Program(p.name)
	f, err := m.Stat(path)
	if err != nil {
		return r
	}
	status, err := m.status()
	switch {
	case err != nil:
	case status.NoNewPrivs:
		return r.because("privileges cannot be gained: see no-new-privileges")
	case f.Setuid && len(f.Capability) == 0 && !has(status.Bounding, capSysAdmin):
		return r.because("as a setuid program %s needs CAP_SYS_ADMIN, which this container's processes cannot have; with a file capability it does not", p.name).
			mend(m.setcap(mappers...))
	case !has(status.Bounding, p.capability):
		return r.because("this container's processes cannot have %s: it was dropped", strings.ToUpper(p.capName)).mend(m.keep()...)
	}
	return r
}

// keep lets a container's processes have the capabilities that newuidmap and newgidmap ask for.
func (m *Machine) keep() []Fix {
	switch m.Place() {
	case Pod:
		return []Fix{{"the config.toml of the GitLab Runner with the Kubernetes executor", []string{"[runners.kubernetes.build_container_security_context.capabilities]", `  add = ["SETUID", "SETGID"]`}}}
	case Container:
		return []Fix{{"the config.toml of the GitLab Runner with the Docker executor", []string{"[runners.docker]", `  cap_add = ["SETUID", "SETGID"]`}}}
	}
	return []Fix{{"systemctl edit gitlab-runner", []string{"[Service]", "CapabilityBoundingSet=~"}}}
}
