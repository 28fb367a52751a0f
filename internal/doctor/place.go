package doctor

import "fmt"

// Place is the kind of machine that the job runs on, which decides where a fix goes.
type Place string

const (
	Host      Place = "host"      // a machine or virtual machine: a shell runner, a developer's
	Container Place = "container" // of Docker or Podman
	Pod       Place = "pod"       // of Kubernetes
)

// Place tells where the job runs.
func (m *Machine) Place() Place {
	switch {
	case m.Env("KUBERNETES_SERVICE_HOST") != "" || m.exists("/var/run/secrets/kubernetes.io"):
		return Pod
	case m.exists("/.dockerenv") || m.exists("/run/.containerenv") || m.Env("container") != "":
		return Container
	}
	return Host
}

// allowance is what a container's configuration has to allow.
type allowance struct {
	seccomp, apparmor bool // to run without a profile
	privileges        bool // to gain privileges by newuidmap
	user              bool // to run as an ordinary user
	proc              bool // to mount proc
}

// allow prints the configuration of the runner or pod for what is to be allowed; on a host
// there is none.
func (m *Machine) allow(a allowance) []Fix {
	switch m.Place() {
	case Pod:
		return []Fix{
			{"the config.toml of the GitLab Runner with the Kubernetes executor", runnerForPods(a)},
			{"or a pod's own manifest", podManifest(a)},
		}
	case Container:
		return []Fix{
			{"the config.toml of the GitLab Runner with the Docker executor", runnerForDocker(a)},
			{"or the command line of docker or podman", []string{"docker run" + dockerFlags(a) + " …"}},
		}
	}
	return nil
}

func runnerForPods(a allowance) []string {
	lines := []string{"[[runners]]"}
	patch := podPatch(a)
	if len(patch) > 0 {
		lines = append(lines, `  environment = ["FF_USE_ADVANCED_POD_SPEC_CONFIGURATION=true"]`)
	}
	lines = append(lines, "  [runners.kubernetes]")
	if a.privileges {
		lines = append(lines, "    allow_privilege_escalation = true")
	}
	if a.user {
		lines = append(lines, "    [runners.kubernetes.pod_security_context]",
			"      run_as_user = 1000", "      run_as_group = 1000", "      fs_group = 1000")
	}
	if a.apparmor {
		lines = append(lines, "    [runners.kubernetes.pod_annotations]",
			`      "container.apparmor.security.beta.kubernetes.io/build" = "unconfined"`)
	}
	if len(patch) > 0 {
		lines = append(lines, "    [[runners.kubernetes.pod_spec]]", `      name = "rootless-buildkit"`, `      patch_type = "strategic"`, "      patch = '''")
		lines = append(lines, patch...)
		lines = append(lines, "      '''")
	}
	return lines
}

// podPatch is what the runner's configuration has no keys for in every version.
func podPatch(a allowance) []string {
	if !a.seccomp && !a.proc {
		return nil
	}
	var lines []string
	if a.proc {
		lines = append(lines, "        hostUsers: false")
	}
	lines = append(lines, "        containers:", "        - name: build", "          securityContext:")
	if a.seccomp {
		lines = append(lines, "            seccompProfile: {type: Unconfined}")
	}
	if a.proc {
		lines = append(lines, "            procMount: Unmasked")
	}
	return lines
}

func podManifest(a allowance) []string {
	lines := []string{"spec:"}
	if a.proc {
		lines = append(lines, "  hostUsers: false")
	}
	lines = append(lines, "  containers:", "  - name: build", "    securityContext:")
	for _, c := range []struct {
		wanted bool
		line   string
	}{
		{a.user, "runAsUser: 1000"},
		{a.user, "runAsGroup: 1000"},
		{a.privileges, "allowPrivilegeEscalation: true"},
		{a.seccomp, "seccompProfile: {type: Unconfined}"},
		{a.apparmor, "appArmorProfile: {type: Unconfined}"},
		{a.proc, "procMount: Unmasked"},
	} {
		if c.wanted {
			lines = append(lines, "      "+c.line)
		}
	}
	return lines
}

// securityOptions are Docker's.
func (a allowance) securityOptions() []string {
	var out []string
	for _, c := range []struct {
		wanted bool
		option string
	}{
		{a.seccomp, "seccomp=unconfined"}, {a.apparmor, "apparmor=unconfined"},
		{a.privileges, "no-new-privileges=false"}, {a.proc, "systempaths=unconfined"},
	} {
		if c.wanted {
			out = append(out, c.option)
		}
	}
	return out
}

func runnerForDocker(a allowance) []string {
	lines := []string{"[[runners]]", "  [runners.docker]", "    privileged = false"}
	if a.user {
		lines = append(lines, `    user = "1000:1000"`)
	}
	list := ""
	for i, o := range a.securityOptions() {
		if i > 0 {
			list += ", "
		}
		list += fmt.Sprintf("%q", o)
	}
	if list != "" {
		lines = append(lines, "    security_opt = ["+list+"]")
	}
	return lines
}

func dockerFlags(a allowance) string {
	flags := ""
	if a.user {
		flags += " --user 1000:1000"
	}
	for _, o := range a.securityOptions() {
		flags += " --security-opt " + o
	}
	return flags
}

// asRoot are commands for whoever may.
func (m *Machine) asRoot(lines ...string) Fix {
	switch m.Place() {
	case Pod, Container:
		return Fix{"as root, in the Dockerfile of the job's image", lines}
	}
	return Fix{"as root, on this machine", lines}
}

// sysctl sets a setting of the kernel, which containers share with their host.
func (m *Machine) sysctl(setting string) Fix {
	where := "as root, on this machine"
	if m.Place() != Host {
		where = "as root, on the machine that the container runs on (each node of the runner)"
	}
	return Fix{where, []string{"echo " + setting + " > /etc/sysctl.d/90-rootless.conf", "sysctl --system"}}
}
