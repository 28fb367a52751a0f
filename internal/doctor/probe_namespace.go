package doctor

import (
	"context"
	"fmt"
	"strings"
)

// attempted gives the trial, or the result that stands in for a probe that needs it.
func (m *Machine) attempted(ctx context.Context) (Trial, Result, bool) {
	if r, linux := m.linux(); !linux {
		return Trial{}, skipped("%s", r.Finding), false
	}
	if _, err := m.builder(); err != nil {
		return Trial{}, skipped("there is no user to try it as"), false
	}
	t, err := m.trial(ctx)
	if err != nil {
		return Trial{}, problem("it could not be tried: %v", err), false
	}
	return t, Result{}, true
}

// namespaced is attempted for probes of what happens in the namespace.
func (m *Machine) namespaced(ctx context.Context) (Trial, Result, bool) {
	t, r, made := m.attempted(ctx)
	if made && (!t.Namespace.Worked() || !t.Rights.Worked() && t.Rights.Made) {
		return t, skipped("it needs a user namespace"), false
	}
	return t, r, made
}

func userNamespaces(ctx context.Context, m *Machine) Result {
	t, r, made := m.attempted(ctx)
	switch {
	case !made:
		return r
	case t.Namespace.Worked() && !t.Rights.Failed():
		return ok("one can be made")
	}
	r = problem("none can be made: %s", t.Namespace.Error)
	if t.Namespace.Worked() {
		r = problem("one can be made, but root in it has no rights")
	}
	status, _ := m.status()
	switch {
	case m.setting("/proc/sys/user/max_user_namespaces") == "0":
		return r.because("the sysctl user.max_user_namespaces is 0").mend(m.sysctl("user.max_user_namespaces=28633"))
	case m.setting("/proc/sys/kernel/unprivileged_userns_clone") == "0":
		return r.because("the sysctl kernel.unprivileged_userns_clone is 0").mend(m.sysctl("kernel.unprivileged_userns_clone=1"))
	case m.setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" && (m.Place() == Host || m.profile() == "unconfined"):
		return r.because("the sysctl kernel.apparmor_restrict_unprivileged_userns is 1: only programs with a profile may").
			mend(m.rootlesskitProfile(), m.sysctl("kernel.apparmor_restrict_unprivileged_userns=0"))
	case strings.Contains(t.Namespace.Error, "no space left"):
		return r.because("there are as many as the sysctl user.max_user_namespaces (%s) allows", m.setting("/proc/sys/user/max_user_namespaces")).
			mend(m.sysctl("user.max_user_namespaces=28633"))
	case status.Seccomp != 0 && m.Place() != Host:
		profile := m.profile()
		confined := profile != "" && profile != "unconfined"
		why := "the seccomp profile of the container forbids it"
		if confined {
			why += fmt.Sprintf("; AppArmor's, %q, may as well", profile)
		}
		return r.because("%s", why).mend(m.allow(allowance{seccomp: true, apparmor: confined})...)
	case status.Seccomp != 0:
		return r.because("a seccomp filter is in place, such as systemd's RestrictNamespaces= for the runner's service").
			mend(Fix{"systemctl edit gitlab-runner", []string{"[Service]", "RestrictNamespaces=no"}})
	}
	return r.because("the kernel may lack CONFIG_USER_NS, or the job runs in a chroot, where none can be made")
}

// rootlesskitProfile lets one program make namespaces, which is less than letting all.
func (m *Machine) rootlesskitProfile() Fix {
	path := m.Program("rootlesskit")
	if path == "" {
		path = "/usr/bin/rootlesskit"
	}
	where := "as root, on this machine"
	if m.Place() != Host {
		where = "as root, on the machine that the container runs on (each node of the runner)"
	}
	return Fix{where + ", for rootlesskit alone", []string{
		"cat > /etc/apparmor.d/rootlesskit <<END",
		"abi <abi/4.0>,", "include <tunables/global>",
		fmt.Sprintf("profile rootlesskit %s flags=(unconfined) {", path),
		"  userns,", "}", "END", "apparmor_parser --replace /etc/apparmor.d/rootlesskit"}}
}

func snapshotter(ctx context.Context, m *Machine) Result {
	t, r, made := m.namespaced(ctx)
	if !made {
		return r
	}
	wanted := m.option(Local, "snapshotter")
	works := map[string]bool{"overlayfs": t.Overlay.Worked(), "fuse-overlayfs": t.Fuse.Worked(), "native": true}
	if wanted != "" && wanted != "auto" && !works[wanted] {
		return problem("%s does not work: %s", wanted, m.whyNot(t, wanted)).mend(m.overlayFixes(t)...).
			mend(Fix{"or the command line", []string{"chartgate build --driver local --driver-opt snapshotter=auto"}})
	}
	switch {
	case !t.Folder.Worked():
		return skipped("there is no folder to try it in")
	case works["overlayfs"]:
		return ok("overlayfs works in a user namespace")
	case works["fuse-overlayfs"]:
		return ok("fuse-overlayfs works; overlayfs does not: %s", t.Overlay.Error)
	}
	return warning("native: each layer is a full copy, which takes time and room").
		because("overlayfs: %s\nfuse-overlayfs: %s", m.whyNot(t, "overlayfs"), m.whyNot(t, "fuse-overlayfs")).
		mend(m.overlayFixes(t)...)
}

func (m *Machine) whyNot(t Trial, snapshotter string) string {
	switch {
	case snapshotter == "overlayfs":
		return t.Overlay.Error
	case t.Fuse.Failed():
		return t.Fuse.Error
	case m.Program("fuse-overlayfs") == "":
		return "it is not on the PATH"
	}
	return "it was not tried"
}

// overlayFixes are for the reasons that overlayfs usually fails for.
func (m *Machine) overlayFixes(t Trial) []Fix {
	var fixes []Fix
	data, err := m.read("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	if mounts, err := ParseMounts(data); err == nil {
		if at, found := mountOf(mounts, m.stateFolder()); found && at.Type == "overlay" {
			fixes = append(fixes, map[Place]Fix{
				Host:      {"the command line: a folder that does not lie on overlayfs itself", []string{"chartgate build --driver local --driver-opt root=/var/cache/chartgate"}},
				Container: {"the config.toml of the GitLab Runner, and --driver-opt root=/builder/NAME: a volume, since the container's own files lie on overlayfs", []string{"[runners.docker]", `  volumes = ["/cache", "/builder"]`}},
				Pod:       {"the config.toml of the GitLab Runner, and --driver-opt root=/builder/NAME: a volume, since the container's own files lie on overlayfs", []string{"[[runners.kubernetes.volumes.empty_dir]]", `  name = "builder"`, `  mount_path = "/builder"`}},
			}[m.Place()])
		}
	}
	if m.Program("fuse-overlayfs") == "" && m.exists("/dev/fuse") {
		fixes = append(fixes, m.asRoot("apt-get install fuse-overlayfs"))
	}
	return fixes
}

func processSandbox(ctx context.Context, m *Machine) Result {
	t, r, made := m.namespaced(ctx)
	switch {
	case !made:
		return r
	case t.Proc.Worked():
		return ok("RUN steps have a process namespace of their own")
	}
	r = warning("off: RUN steps see the daemon's processes and can end them")
	if m.option(Local, "process-sandbox") == "true" {
		r = problem("RUN steps cannot have a process namespace of their own")
	}
	fixes := m.allow(allowance{proc: true})
	return r.because("proc cannot be mounted in a user namespace here: %s", t.Proc.Error).mend(fixes...)
}
