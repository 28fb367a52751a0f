//go:build linux

package local

import (
	"fmt"
	"path/filepath"
	"strings"
)

// socketName is the daemon's socket in the folder of a run.
const socketName = "buildkitd.sock"

// commands are the two halves of the command line, as the options have it. programs
// are found paths by name.
func (o *options) commands(programs map[string]string, run, state string) (rootlesskit, buildkitd []string) {
	rootlesskit = []string{programs["rootlesskit"], "--state-dir=" + filepath.Join(run, "rk"), "--net=" + o.Net}
	if o.Net != "host" {
		// Without a copy of /etc, rootlesskit's resolv.conf is lost when the host's is
		// rewritten; the other closes the gateway's way to the host's loopback.
		rootlesskit = append(rootlesskit, "--copy-up=/etc", "--disable-host-loopback")
	}
	rootlesskit = append(rootlesskit, strings.Fields(o.RootlesskitFlag)...)

	buildkitd = []string{programs["buildkitd"], "--rootless", "--addr=unix://" + filepath.Join(run, socketName), "--root=" + state,
		"--oci-worker-snapshotter=" + o.Snapshotter}
	if o.Config != "" {
		buildkitd = append(buildkitd, "--config="+o.Config)
	}
	if o.keepMB > 0 {
		// Reserved, free, maximum: nothing is safe from collection but what is in use.
		buildkitd = append(buildkitd, fmt.Sprintf("--oci-worker-gc-keepstorage=0,0,%d", o.keepMB))
	}
	return rootlesskit, append(buildkitd, strings.Fields(o.Flags)...)
}

// passed are the variables that the daemon gets of the job's: RUN steps without a
// process sandbox can read its environment, and a job's holds credentials.
var passed = []string{"LANG", "TZ", "XDG_CONFIG_HOME",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "SOURCE_DATE_EPOCH"}

// environment is that of the supervisor and of all below it.
func environment(env func(string) string, who account, run string) []string {
	name := who.Name
	if name == "" || name == "root" {
		name = "chartgate" // with "root", buildkitd takes the paths of a daemon with rights
	}
	out := []string{"PATH=" + searchPath(env), "HOME=" + who.Home, "USER=" + name, "LOGNAME=" + name, "XDG_RUNTIME_DIR=" + run}
	for _, key := range passed {
		if who.Switch && key == "XDG_CONFIG_HOME" { // a folder of the other user's
			continue
		}
		if value := env(key); value != "" {
			out = append(out, key+"="+value)
		}
	}
	return out
}
