package doctor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestProbes(t *testing.T) {
	for _, c := range []struct {
		name, probe string
		change      func(*rig)
		state       State
		want        []string // parts of what is said
	}{
		{"as it should be", "user", nil, OK, []string{`"ci" (1000)`}},
		{"root, with a user to switch to", "user", func(r *rig) { r.uid = 0 }, OK, []string{"runs as root", `"ci" (1000)`}},
		{"root alone", "user", func(r *rig) { r.uid = 0; r.files["/etc/subgid"] = "" }, Problem,
			[]string{"no ordinary user", "useradd --create-home builder", "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 builder"}},
		{"root alone in a pod", "user", func(r *rig) { r.uid = 0; r.files["/etc/subuid"] = ""; r.inPod() }, Problem,
			[]string{"[runners.kubernetes.pod_security_context]", "run_as_user = 1000", "runAsUser: 1000"}},
		{"root, and the option names root", "user", func(r *rig) { r.uid = 0; r.users = append(r.users, User{"root", 0, 0}); r.options["user"] = "root" }, Problem,
			[]string{"not rootless"}},
		{"nobody has that name", "user", func(r *rig) { r.uid = 0; r.options["user"] = "who" }, Problem, []string{`"who"`, "--driver-opt user=NAME"}},
		{"another user, and not root", "user", func(r *rig) { r.options["user"] = "builder" }, Problem, []string{"only root", "without --driver-opt user=builder"}},
		{"a user without a name", "user", func(r *rig) { r.uid = 1234 }, Warning, []string{"user 1234", "useradd --uid 1234"}},

		{"as it should be", "programs", nil, OK, []string{"rootlesskit 2.3.5, buildkitd 0.33.0, runc 1.3.0"}},
		{"one is missing", "programs", func(r *rig) { delete(r.programs, "rootlesskit") }, Problem,
			[]string{"rootlesskit is not on the PATH", "apt-get install rootlesskit", "FROM moby/buildkit:"}},
		{"buildkit's own runc will do", "programs", func(r *rig) { delete(r.programs, "runc"); r.programs["buildkit-runc"] = File{} }, OK, nil},
		{"one does not run", "programs", func(r *rig) { r.breaks["buildkitd"] = true }, Problem, []string{"/usr/bin/buildkitd does not run: exit status 127"}},
		{"the network wants one more", "programs", func(r *rig) { r.options["net"] = "pasta" }, Problem, []string{"pasta is not on the PATH", "apt-get install passt"}},

		{"as it should be", "user-namespaces", nil, OK, nil},
		{"none are allowed", "user-namespaces", func(r *rig) {
			r.trial = Trial{Namespace: failed("fork/exec: no space left on device")}
			r.files["/proc/sys/user/max_user_namespaces"] = "0\n"
		}, Problem, []string{"echo user.max_user_namespaces=28633 > /etc/sysctl.d/90-rootless.conf", "on this machine"}},
		{"as many as allowed", "user-namespaces", func(r *rig) {
			r.trial = Trial{Namespace: failed("fork/exec: no space left on device")}
			r.files["/proc/sys/user/max_user_namespaces"] = "100\n"
		}, Problem, []string{"(100) allows"}},
		{"Debian's switch", "user-namespaces", func(r *rig) {
			r.trial = Trial{Namespace: failed("operation not permitted")}
			r.files["/proc/sys/kernel/unprivileged_userns_clone"] = "0\n"
			r.inPod()
		}, Problem, []string{"kernel.unprivileged_userns_clone=1", "each node of the runner"}},
		{"Ubuntu's restriction", "user-namespaces", func(r *rig) {
			r.trial.Rights = failed("root in the namespace has no capabilities")
			r.files["/proc/sys/kernel/apparmor_restrict_unprivileged_userns"] = "1\n"
		}, Problem, []string{"root in it has no rights", "profile rootlesskit /usr/bin/rootlesskit flags=(unconfined)", "kernel.apparmor_restrict_unprivileged_userns=0"}},
		{"seccomp in a pod", "user-namespaces", func(r *rig) {
			r.trial = Trial{Namespace: failed("operation not permitted")}
			r.files["/sys/module/apparmor/parameters/enabled"], r.files["/proc/self/attr/current"] = "Y\n", "cri-containerd.apparmor.d (enforce)\n"
			r.files["/proc/self/status"] = "Seccomp:\t2\n"
			r.inPod()
		}, Problem, []string{"seccompProfile: {type: Unconfined}", `"container.apparmor.security.beta.kubernetes.io/build" = "unconfined"`,
			"FF_USE_ADVANCED_POD_SPEC_CONFIGURATION=true", "appArmorProfile: {type: Unconfined}"}},
		{"seccomp in a container", "user-namespaces", func(r *rig) {
			r.trial = Trial{Namespace: failed("operation not permitted")}
			r.files["/proc/self/status"] = "Seccomp:\t2\n"
			r.inContainer()
		}, Problem, []string{`security_opt = ["seccomp=unconfined"]`, "--security-opt seccomp=unconfined"}},
		{"systemd's filter", "user-namespaces", func(r *rig) {
			r.trial = Trial{Namespace: failed("operation not permitted")}
			r.files["/proc/self/status"] = "Seccomp:\t2\n"
		}, Problem, []string{"RestrictNamespaces=no"}},
		{"for no known reason", "user-namespaces", func(r *rig) { r.trial = Trial{Namespace: failed("operation not permitted")} }, Problem, []string{"CONFIG_USER_NS"}},
		{"the attempt broke off", "user-namespaces", func(r *rig) { r.failed = errors.New("signal: killed") }, Problem, []string{"it could not be tried: signal: killed"}},
		{"nobody to try it as", "user-namespaces", func(r *rig) { r.uid = 0; r.files["/etc/subuid"] = "" }, Skipped, []string{"no user"}},

		{"as it should be", "newuidmap", nil, OK, []string{"newuidmap is setuid root, newgidmap is setuid root"}},
		{"by capabilities", "newuidmap", func(r *rig) {
			r.programs["newuidmap"] = File{Capability: attribute(revision2|1, 1<<capSetUID, 0, 0, 0)}
			r.programs["newgidmap"] = File{Capability: attribute(revision2|1, 1<<capSetGID, 0, 0, 0)}
		}, OK, []string{"newuidmap has cap_setuid, newgidmap has cap_setgid"}},
		{"the wrong capability", "newuidmap", func(r *rig) {
			r.programs["newgidmap"] = File{Capability: attribute(revision2|1, 1<<capSetUID, 0, 0, 0)}
		}, Problem, []string{"its file capabilities lack cap_setgid+ep", "setcap cap_setgid+ep /usr/bin/newgidmap"}},
		{"neither has any", "newuidmap", func(r *rig) { r.programs["newuidmap"], r.programs["newgidmap"] = File{}, File{} }, Problem,
			[]string{"setcap cap_setuid+ep /usr/bin/newuidmap", "setcap cap_setgid+ep /usr/bin/newgidmap", "chmod u+s /usr/bin/newgidmap"}},
		{"in another namespace", "newuidmap", func(r *rig) {
			r.programs["newuidmap"] = File{Capability: attribute(revision3|1, 1<<capSetUID, 0, 0, 0, 1000)}
		}, Problem, []string{"user 1000 alone"}},
		{"no privilege", "newuidmap", func(r *rig) { r.programs["newuidmap"] = File{} }, Problem,
			[]string{"neither setuid root nor has it cap_setuid", "chown root /usr/bin/newuidmap && chmod u+s /usr/bin/newuidmap"}},
		{"setuid of somebody", "newuidmap", func(r *rig) { r.programs["newuidmap"] = File{Setuid: true, UID: 5} }, Problem, []string{"belongs to user 5"}},
		{"missing", "newuidmap", func(r *rig) { delete(r.programs, "newgidmap") }, Problem, []string{"newgidmap is not on the PATH", "apt-get install uidmap"}},
		{"on a file system without setuid", "newuidmap", func(r *rig) {
			r.files["/proc/self/mountinfo"] += "30 28 254:0 / /usr rw,nosuid - ext4 /dev/vda rw\n"
		}, Problem, []string{"lies on /usr, which is mounted nosuid", "mount -o remount,suid /usr"}},

		{"as it should be", "no-new-privileges", nil, OK, nil},
		{"set in a pod", "no-new-privileges", func(r *rig) { r.files["/proc/self/status"] = "NoNewPrivs:\t1\n"; r.inPod() }, Problem,
			[]string{"allow_privilege_escalation = true", "allowPrivilegeEscalation: true"}},
		{"set in a container", "no-new-privileges", func(r *rig) { r.files["/proc/self/status"] = "NoNewPrivs:\t1\n"; r.inContainer() }, Problem,
			[]string{`security_opt = ["no-new-privileges=false"]`}},
		{"set by systemd", "no-new-privileges", func(r *rig) { r.files["/proc/self/status"] = "NoNewPrivs:\t1\n" }, Problem, []string{"NoNewPrivileges=no"}},

		{"as it should be", "id-mapping", nil, OK, nil},
		{"a setuid newuidmap in a container", "id-mapping", func(r *rig) {
			r.trial.UIDs, r.trial.GIDs = failed("exit status 1: newuidmap: write to uid_map failed: Operation not permitted"), Attempt{}
			r.files["/proc/self/status"] = "CapBnd:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t0\n"
			r.inPod()
		}, Problem, []string{"needs CAP_SYS_ADMIN", "setcap cap_setuid+ep /usr/bin/newuidmap", "setcap cap_setgid+ep /usr/bin/newgidmap"}},
		{"the capability was dropped", "id-mapping", func(r *rig) {
			r.trial.GIDs = failed("exit status 1")
			r.programs["newgidmap"] = File{Capability: attribute(revision2|1, 1<<capSetGID, 0, 0, 0)}
			r.files["/proc/self/status"] = "CapBnd:\t0000000000000000\n"
			r.inPod()
		}, Problem, []string{"newgidmap fails", "cannot have CAP_SETGID", `add = ["SETUID", "SETGID"]`}},
		{"nothing to map", "id-mapping", func(r *rig) { r.trial.UIDs = Attempt{} }, Skipped, []string{"newuidmap and subordinate ids"}},

		{"as it should be", "seccomp", nil, OK, []string{"no filter"}},
		{"a filter that lets it work", "seccomp", func(r *rig) { r.files["/proc/self/status"] = "Seccomp:\t2\n" }, OK, []string{"lets a daemon work"}},
		{"a filter that may be at fault", "seccomp", func(r *rig) {
			r.files["/proc/self/status"] = "Seccomp:\t2\n"
			r.trial = Trial{Namespace: failed("operation not permitted")}
		}, Warning, []string{"may be what forbids"}},
		{"a filter against mounting", "seccomp", func(r *rig) {
			r.files["/proc/self/status"] = "Seccomp:\t2\n"
			r.trial.Propagate = failed("mount: operation not permitted")
			r.inPod()
		}, Problem, []string{"forbids to mount", "type: Unconfined"}},

		{"not in use", "apparmor", nil, OK, []string{"not in use"}},
		{"a profile that forbids to mount", "apparmor", func(r *rig) {
			r.files["/sys/module/apparmor/parameters/enabled"] = "Y\n"
			r.files["/proc/self/attr/current"] = "docker-default (enforce)\n"
			r.trial.Propagate = failed("mount: permission denied")
			r.inContainer()
		}, Problem, []string{`"docker-default (enforce)"`, `security_opt = ["apparmor=unconfined"]`}},
		{"no profile", "apparmor", func(r *rig) {
			r.files["/sys/module/apparmor/parameters/enabled"] = "Y\n"
			r.files["/proc/self/attr/apparmor/current"] = "unconfined\n"
		}, OK, []string{"no profile is in force"}},
		{"a profile that does not matter", "apparmor", func(r *rig) {
			r.files["/sys/module/apparmor/parameters/enabled"] = "Y\n"
			r.files["/proc/self/attr/apparmor/current"] = "rootlesskit (unconfined)\n"
		}, OK, []string{"lets a daemon work"}},
		{"a type that may not mount", "selinux", func(r *rig) {
			r.files["/sys/fs/selinux/enforce"] = "1"
			r.files["/proc/self/attr/current"] = "system_u:system_r:container_t:s0:c1,c2\x00"
			r.trial.Propagate = failed("mount: permission denied")
			r.inPod()
		}, Problem, []string{"container_t", `selinux_type = "spc_t"`}},
		{"permissive", "selinux", func(r *rig) { r.files["/sys/fs/selinux/enforce"] = "0" }, OK, nil},

		{"as it should be", "snapshotter", nil, OK, []string{"overlayfs works"}},
		{"native is left", "snapshotter", func(r *rig) {
			r.trial.Overlay = failed("mount: operation not permitted")
			r.files["/dev/fuse"] = ""
		}, Warning, []string{"native", "overlayfs: mount: operation not permitted", "apt-get install fuse-overlayfs"}},
		{"on overlayfs itself", "snapshotter", func(r *rig) {
			r.trial.Overlay = failed("mount: invalid argument")
			r.files["/proc/self/mountinfo"] = "28 1 254:0 / / rw,relatime - overlay overlay rw\n"
			r.inPod()
		}, Warning, []string{"[[runners.kubernetes.volumes.empty_dir]]", "--driver-opt root=/builder/NAME"}},
		{"by fuse", "snapshotter", func(r *rig) { r.trial.Overlay, r.trial.Fuse = failed("mount: x"), Attempt{Made: true} }, OK, []string{"fuse-overlayfs works"}},
		{"what is asked for does not work", "snapshotter", func(r *rig) {
			r.trial.Overlay, r.options["snapshotter"] = failed("mount: x"), "overlayfs"
		}, Problem, []string{"overlayfs does not work: mount: x"}},
		{"native is asked for", "snapshotter", func(r *rig) { r.options["snapshotter"] = "native" }, OK, nil},
		{"no namespace", "snapshotter", func(r *rig) { r.trial = Trial{Namespace: failed("x")} }, Skipped, []string{"user namespace"}},

		{"as it should be", "process-sandbox", nil, OK, nil},
		{"proc is masked", "process-sandbox", func(r *rig) { r.trial.Proc = failed("mount: operation not permitted"); r.inPod() }, Warning,
			[]string{"can end them", "procMount: Unmasked", "hostUsers: false"}},
		{"proc is masked by Docker", "process-sandbox", func(r *rig) { r.trial.Proc = failed("mount: operation not permitted"); r.inContainer() }, Warning,
			[]string{"systempaths=unconfined"}},
		{"it is asked for", "process-sandbox", func(r *rig) {
			r.trial.Proc, r.options["process-sandbox"] = failed("mount: operation not permitted"), "true"
		}, Problem, nil},

		{"version 2", "cgroups", nil, OK, []string{"version 2"}},
		{"as it should be", "runtime-folder", nil, OK, []string{"/run/user/1000"}},
		{"none can be written", "runtime-folder", func(r *rig) { r.trial.Socket = failed("permission denied") }, Problem, []string{"TMPDIR"}},
		{"as it should be", "state-folder", nil, OK, []string{"/tmp has 100.0 GiB free of 200.0 GiB"}},
		{"nearly full", "state-folder", func(r *rig) { r.space.Free = 2 << 30 }, Warning, []string{"2.0 GiB free", "--driver-opt root="}},
		{"full", "state-folder", func(r *rig) { r.space.Free = 100 << 20 }, Problem, []string{"100.0 MiB free"}},
		{"out of inodes", "state-folder", func(r *rig) { r.space.FreeFiles = 10 }, Warning, []string{"10 more files"}},
		{"not to be written", "state-folder", func(r *rig) { r.trial.Folder = failed("permission denied") }, Problem, []string{"permission denied"}},
	} {
		t.Run(c.probe+"/"+c.name, func(t *testing.T) {
			r := fine()
			if c.change != nil {
				c.change(&r)
			}
			got := probe(t, r.machine(), c.probe)
			said := text(got)
			if got.State != c.state {
				t.Errorf("%s, want %s", said, c.state)
			}
			for _, part := range c.want {
				if !strings.Contains(said, part) {
					t.Errorf("%q is not in\n%s", part, said)
				}
			}
			if got.State == Problem && len(got.Fixes) == 0 && got.Detail == "" && c.name != "the attempt broke off" {
				t.Errorf("nothing is said about what mends it:\n%s", said)
			}
		})
	}
}

func TestSubordinateIDs(t *testing.T) {
	for _, c := range []struct {
		name, subuid string
		change       func(*rig)
		state        State
		want         []string
	}{
		{"as it should be", "ci:100000:65536\n", nil, OK, []string{"65536 ids in subuid, 65536 ids in subgid"}},
		{"by number", "1000:100000:65536\n", nil, OK, nil},
		{"in two parts", "ci:100000:30000\nci:200000:35536\n", nil, OK, []string{"65536 ids in subuid"}},
		{"none", "other:100000:65536\n", nil, Problem, []string{`/etc/subuid has no line for "ci"`, "echo ci:165536:65536 >> /etc/subuid"}},
		{"no file", "", func(r *rig) { delete(r.files, "/etc/subuid") }, Problem, []string{"echo ci:100000:65536 >> /etc/subuid"}},
		{"both are missing", "", func(r *rig) { r.files["/etc/subgid"] = "" }, Problem, []string{"/etc/subuid has no line", "/etc/subgid has no line", ">> /etc/subgid"}},
		{"a broken line", "ci:100000\n", nil, Problem, []string{`/etc/subuid:1: "ci:100000" is not OWNER:START:COUNT`}},
		{"somebody's broken line", "x\nci:100000:65536\n", nil, Warning, []string{"/etc/subuid:1:"}},
		{"few", "ci:100000:1000\n", nil, Warning, []string{`gives "ci" 1000 ids`, "sed -i '/^ci:/d;/^1000:/d' /etc/subuid", "echo ci:100000:65536 >> /etc/subuid"}},
		{"shared with another", "other:150000:65536\nci:100000:65536\n", nil, Warning, []string{"ci:100000:65536 (line 2) and other:150000:65536 (line 1)", "echo ci:215536:65536"}},
		{"twice the same", "ci:100000:65536\nci:100000:65536\n", nil, Problem, []string{"ci:100000:65536 (line 1) and ci:100000:65536 (line 2)"}},
		{"the user's own id", "ci:1:65535\n", nil, Problem, []string{"its own id 1000"}},
		{"from elsewhere than the files", "", func(r *rig) {
			r.programs["getsubids"] = File{}
			r.says["getsubids ci"], r.says["getsubids -g ci"] = "0: ci 500000 65536\n", "0: ci 500000 65536\n"
			r.files["/etc/subgid"] = ""
		}, OK, []string{"65536 ids in subuid"}},
		{"ids that a pod does not have", "ci:100000:65536\n", func(r *rig) {
			r.files["/proc/self/uid_map"], r.files["/proc/self/gid_map"] = "0 1310720000 65536\n", "0 1310720000 65536\n"
			r.inPod()
		}, Problem, []string{"that do not exist here", "0 to 65535", "echo ci:1:999 >> /etc/subuid", "echo ci:1001:64535 >> /etc/subuid"}},
		{"as they fit a pod", "ci:1:999\nci:1001:64535\n", func(r *rig) {
			r.files["/proc/self/uid_map"], r.files["/proc/self/gid_map"] = "0 1310720000 65536\n", "0 1310720000 65536\n"
			r.files["/etc/subgid"] = "ci:1:999\nci:1001:64535\n"
		}, OK, []string{"65534 ids in subuid"}},
		{"root, who has no builder", "", func(r *rig) { r.uid = 0 }, Skipped, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fine()
			r.files["/etc/subuid"] = c.subuid
			if c.change != nil {
				c.change(&r)
			}
			got := probe(t, r.machine(), "subordinate-ids")
			said := text(got)
			if got.State != c.state {
				t.Errorf("%s, want %s", said, c.state)
			}
			for _, part := range c.want {
				if !strings.Contains(said, part) {
					t.Errorf("%q is not in\n%s", part, said)
				}
			}
			if len(got.Fixes) == 0 {
				return
			}
			follow(t, &r, got.Fixes)
			if after := probe(t, r.machine(), "subordinate-ids"); after.State != OK {
				t.Errorf("what was printed mends nothing:\n%s\nthen:\n%s", said, text(after))
			}
		})
	}
}

// follow does to the files what the printed commands would.
func follow(t *testing.T, r *rig, fixes []Fix) {
	t.Helper()
	for _, fix := range fixes {
		for _, line := range fix.Lines {
			f := strings.Fields(line)
			file := f[len(f)-1]
			switch f[0] {
			case "echo":
				if text := r.files[file]; text != "" && !strings.HasSuffix(text, "\n") {
					t.Fatalf("a line would be added behind %q", text)
				}
				r.files[file] += f[1] + "\n"
			case "sed":
				kept, n := "", 0
				for line := range strings.Lines(r.files[file]) {
					n++
					if strings.HasPrefix(f[2], fmt.Sprintf("'%ds/", n)) {
						line = "# " + line
					}
					if strings.HasPrefix(f[2], "'/^ci:") && f[2] != "'/^ci:/d;/^1000:/d'" {
						t.Fatalf("%q deletes something else", line)
					}
					if !strings.HasPrefix(f[2], "'/^ci:/d") || !strings.HasPrefix(line, "ci:") && !strings.HasPrefix(line, "1000:") {
						kept += line
					}
				}
				r.files[file] = kept
			default:
				t.Fatalf("%q is no command that is known here", line)
			}
		}
	}
}
