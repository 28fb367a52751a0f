package doctor

import (
	"context"
	"strings"
)

func seccomp(ctx context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return skipped("%s", r.Finding)
	}
	s, err := m.status()
	switch {
	case err != nil:
		return skipped("/proc/self/status cannot be read: %v", err)
	case s.Seccomp == 0:
		return ok("no filter is in place")
	}
	t, r, made := m.attempted(ctx)
	switch {
	case !made:
		r.State = Skipped
		return r
	case t.Namespace.Failed():
		return warning("a filter is in place, and may be what forbids user namespaces")
	case t.Propagate.Failed() && strings.Contains(t.Propagate.Error, "not permitted"):
		return problem("a filter is in place that forbids to mount: %s", t.Propagate.Error).mend(m.allow(allowance{seccomp: true})...)
	}
	return ok("a filter is in place and lets a daemon work")
}

// profile is the AppArmor profile of this process; "" where there is no AppArmor.
func (m *Machine) profile() string {
	if m.setting("/sys/module/apparmor/parameters/enabled") != "Y" {
		return ""
	}
	for _, name := range []string{"/proc/self/attr/apparmor/current", "/proc/self/attr/current"} {
		if p := m.setting(name); p != "" {
			return p
		}
	}
	return ""
}

func appArmor(ctx context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return skipped("%s", r.Finding)
	}
	profile := m.profile()
	switch profile {
	case "":
		return ok("it is not in use")
	case "unconfined":
		return ok("no profile is in force")
	}
	t, r, made := m.namespaced(ctx)
	switch {
	case !made:
		r.State = Skipped
		return r
	case t.Propagate.Failed():
		return problem("the profile %q forbids to mount: %s", profile, t.Propagate.Error).mend(m.allow(allowance{apparmor: true})...)
	}
	return ok("the profile %q lets a daemon work", profile)
}

func seLinux(ctx context.Context, m *Machine) Result {
	if r, linux := m.linux(); !linux {
		return skipped("%s", r.Finding)
	}
	switch m.setting("/sys/fs/selinux/enforce") {
	case "":
		return ok("it is not in use")
	case "0":
		return ok("it enforces nothing")
	}
	label := m.setting("/proc/self/attr/current")
	t, r, made := m.namespaced(ctx)
	switch {
	case !made:
		r.State = Skipped
		return r
	case t.Propagate.Failed():
		return problem("it forbids the type of this process, %q, to mount: %s", label, t.Propagate.Error).mend(m.seLinuxType()...)
	}
	return ok("it lets a daemon of the type %q work", label)
}

func (m *Machine) seLinuxType() []Fix {
	switch m.Place() {
	case Pod:
		return []Fix{{"the config.toml of the GitLab Runner with the Kubernetes executor", []string{"[runners.kubernetes.pod_security_context]", `  selinux_type = "spc_t"`}}}
	case Container:
		return []Fix{{"the config.toml of the GitLab Runner with the Docker executor", []string{"[runners.docker]", `  security_opt = ["label=disable"]`}}}
	}
	return []Fix{{"as root, on this machine", []string{"ausearch -m avc -ts recent | audit2allow -M rootless-buildkit", "semodule -i rootless-buildkit.pp"}}}
}
