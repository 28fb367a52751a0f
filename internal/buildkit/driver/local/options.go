// Package local is the driver that starts a rootless BuildKit daemon for the run
// and ends it with the run, whatever becomes of that.
//
// The daemon is not a child of this process. A supervisor is: this program again, in
// a session of its own, which starts rootlesskit and buildkitd and holds the reading
// end of a pipe whose other end only this process has. When that end closes, because
// the run is over, was cancelled or was killed, the supervisor ends every process below
// it and removes the daemon's folders.
package local

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

const driverName = "local"

// options are those of --driver-opt.
type options struct {
	Root            string        `opt:"root" doc:"Folder that keeps the daemon's state, and so its cache, between runs. One run at a time uses it. Without it the state is temporary and removed at the end."`
	RootWait        time.Duration `opt:"root-wait" doc:"How long to wait for another run that uses the same root; 0s fails at once. Default 10m."`
	Snapshotter     string        `opt:"snapshotter" doc:"auto, overlayfs, native or fuse-overlayfs. auto takes the first that works inside the user namespace of overlayfs, fuse-overlayfs and native."`
	ProcessSandbox  string        `opt:"process-sandbox" doc:"auto, true or false: whether RUN steps have a process namespace of their own. auto turns it off where proc cannot be mounted, as in most containers; a RUN step can then signal the daemon's processes."`
	Net             string        `opt:"net" doc:"host, slirp4netns or pasta: the network of the daemon and of RUN steps, as rootlesskit sets it up. Steps reach what listens on the loopback of this machine with host and pasta, and not with slirp4netns. Default host."`
	Config          string        `opt:"buildkitd-config" doc:"The daemon's configuration, a buildkitd.toml."`
	Flags           string        `opt:"buildkitd-flags" doc:"Further flags of buildkitd, separated by blanks."`
	RootlesskitFlag string        `opt:"rootlesskit-flags" doc:"Further flags of rootlesskit, separated by blanks."`
	KeepStorage     string        `opt:"keep-storage" doc:"The most that a kept root holds, such as 20GB: the daemon removes older cache beyond it. Default: buildkitd's own policy."`
	Timeout         time.Duration `opt:"timeout" doc:"How long the daemon may take to answer. Default 60s."`
	User            string        `opt:"user" doc:"When run as root: the ordinary user that the daemon runs as. Default: the first user of /etc/subuid that exists."`

	keepMB int64 // KeepStorage
}

// Options lists the options of this driver.
func Options() []driver.Option { return driver.OptionsOf(options{}) }

func decode(given map[string]string) (*options, error) {
	o := &options{RootWait: 10 * time.Minute, Snapshotter: "auto", ProcessSandbox: "auto", Net: "host", Timeout: time.Minute}
	if err := driver.Decode(driverName, given, o); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		option, value string
		allowed       []string
	}{
		{"snapshotter", o.Snapshotter, []string{"auto", "overlayfs", "native", "fuse-overlayfs"}},
		{"process-sandbox", o.ProcessSandbox, []string{"auto", "true", "false"}},
		{"net", o.Net, []string{"host", "slirp4netns", "pasta"}},
	} {
		if !slices.Contains(c.allowed, c.value) {
			return nil, wrong(c.option, fmt.Sprintf("%q is none of %s", c.value, strings.Join(c.allowed, ", ")), "")
		}
	}
	if o.Timeout == 0 {
		return nil, wrong("timeout", "a daemon needs more than no time to answer", "")
	}
	for _, path := range []*string{&o.Root, &o.Config} {
		if *path == "" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return nil, fmt.Errorf("resolving %q: %w", *path, err)
		}
		*path = abs
	}
	if o.Root == "/" {
		return nil, wrong("root", "the state cannot be kept in \"/\"", "name a folder of its own, such as /var/cache/chartgate/buildkit")
	}
	if o.KeepStorage != "" {
		var err error
		if o.keepMB, err = megabytes(o.KeepStorage); err != nil {
			return nil, wrong("keep-storage", err.Error(), "write it as 20GB, 500MB or 1TB")
		}
	}
	return o, o.checkFlags()
}

// checkFlags refuses flags that would take away what the driver relies on.
func (o *options) checkFlags() error {
	for _, c := range []struct {
		option, flags string
		ours          []string
	}{
		{"buildkitd-flags", o.Flags, []string{"addr", "root", "rootless", "tlscert", "tlskey", "tlscacert"}},
		{"rootlesskit-flags", o.RootlesskitFlag, []string{"state-dir", "pidns", "net", "print-semver", "help", "version"}},
	} {
		for _, flag := range strings.Fields(c.flags) {
			name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
			if strings.HasPrefix(flag, "-") && slices.Contains(c.ours, name) {
				return wrong(c.option, fmt.Sprintf("--%s is set by the driver", name), "")
			}
		}
		if c.option == "rootlesskit-flags" {
			// What does not begin with a dash would be taken for the program to start.
			for _, flag := range strings.Fields(c.flags) {
				if !strings.HasPrefix(flag, "--") || flag == "--" {
					return wrong(c.option, fmt.Sprintf("%q is no flag", flag), "write a flag with its value as --flag=value")
				}
			}
		}
	}
	return nil
}

func wrong(option, message, hint string) error {
	return &driver.OptionError{Driver: driverName, Option: option, Message: message, Hint: hint}
}

// megabytes reads a size in decimal units, as buildkitd counts; it is at least 1 MB.
func megabytes(s string) (int64, error) {
	units := []struct {
		suffix string
		mb     int64
	}{{"TB", 1e6}, {"GB", 1e3}, {"MB", 1}}
	for _, u := range units {
		digits, found := strings.CutSuffix(strings.ToUpper(s), u.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n <= 0 || n > 1e9 {
			break
		}
		return n * u.mb, nil
	}
	return 0, fmt.Errorf("%q is not a size", s)
}
