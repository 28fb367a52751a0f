package doctor

import (
	"fmt"
	"strings"
)

// Probes lists what is looked at, in this order.
func Probes() []Probe {
	return []Probe{
		{"kernel", "The kernel, and where the job runs.", nil, kernel},
		{"user", "Who the daemon would run as: an ordinary user.", []string{Local}, account},
		{"programs", "rootlesskit, buildkitd and runc are installed.", []string{Local}, programs},
		{"user-namespaces", "The user may make user namespaces.", []string{Local}, userNamespaces},
		{"subordinate-ids", "/etc/subuid and /etc/subgid give the user ids for the users in images.", []string{Local}, subordinateIDs},
		{"newuidmap", "newuidmap and newgidmap are installed with the privilege to map ids.", []string{Local}, newuidmap},
		{"no-new-privileges", "The job may gain that privilege.", []string{Local}, noNewPrivileges},
		{"id-mapping", "Ids are mapped into a user namespace, for real.", []string{Local}, idMapping},
		{"seccomp", "The filter of system calls lets a daemon work.", []string{Local}, seccomp},
		{"apparmor", "AppArmor's profile lets a daemon mount.", []string{Local}, appArmor},
		{"selinux", "SELinux lets a daemon mount.", []string{Local}, seLinux},
		{"snapshotter", "How layers are put over one another in a user namespace.", []string{Local}, snapshotter},
		{"process-sandbox", "RUN steps can have a process namespace of their own.", []string{Local}, processSandbox},
		{"cgroups", "The version of control groups.", []string{Local}, cgroups},
		{"runtime-folder", "A folder for the daemon's socket.", []string{Local}, runtimeFolder},
		{"state-folder", "A folder for the daemon's state, with room in it.", []string{Local}, stateFolder},
		{"remote-builder", "The daemon that is named answers.", []string{Remote}, remoteBuilder},
		{"api-server", "The Kubernetes cluster is found and answers.", []string{Kubernetes}, apiServer},
		{"kubernetes-rights", "The account may do what the driver does.", []string{Kubernetes}, rights},
		{"registries", "The registries that images go to can be reached with this login.", nil, registries},
		{"clone", "The clone reaches back to what changes are compared with.", nil, clone},
	}
}

// Markdown is the list as a table for the documentation.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| Probe | For | |\n|---|---|---|\n")
	for _, p := range Probes() {
		who := "every driver"
		if len(p.Drivers) > 0 {
			who = strings.Join(p.Drivers, ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Name, who, p.Doc)
	}
	return b.String()
}
