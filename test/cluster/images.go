//go:build e2e_kubernetes && linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// loadImages makes the two images that a node without a network needs, out of programs of this machine,
// and gives them to the container runtime.
func (c *Cluster) loadImages(ctx context.Context) error {
	for name, write := range map[string]func(string) error{"pause": writePause, "buildkit": writeBuildkit} {
		file := filepath.Join(c.Dir, name+".tar")
		if err := write(file); err != nil {
			return fmt.Errorf("making the image %s: %w", name, err)
		}
		if out, err := c.ctr(ctx, "images", "import", file); err != nil {
			return fmt.Errorf("importing the image %s: %w: %s", name, err, out)
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// writePause makes the image whose process holds the namespaces of a pod.
func writePause(file string) error {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	l := newLayer()
	l.program("bin/busybox", busybox)
	return l.image(file, pauseImage, v1.ImageConfig{Entrypoint: []string{"/bin/busybox", "sleep", "2147483647"}})
}

const (
	capSetgid = 6
	capSetuid = 7
)

// writeBuildkit makes an image like moby/buildkit's rootless one. newuidmap and newgidmap bear a file
// capability each and are not setuid: Debian's, when setuid, wants CAP_SYS_ADMIN in the bounding set, which no
// rootless pod has.
func writeBuildkit(file string) error {
	l := newLayer()
	libraries := map[string]bool{}
	add := func(name string, put func(name, from string)) error {
		from, err := exec.LookPath(name)
		if err != nil {
			return err
		}
		put("usr/bin/"+name, from)
		return librariesOf(from, libraries)
	}
	for _, name := range []string{"busybox", "runc", "rootlesskit", "buildkitd", "buildctl"} {
		if err := add(name, l.program); err != nil {
			return err
		}
	}
	err := errors.Join(
		add("newuidmap", func(name, from string) { l.capable(name, from, capSetuid) }),
		add("newgidmap", func(name, from string) { l.capable(name, from, capSetgid) }))
	if err != nil {
		return err
	}
	for from := range libraries {
		l.program(strings.TrimPrefix(from, "/"), from)
	}
	for _, applet := range []string{"sh", "ls", "cat", "mkdir", "chmod", "sleep", "echo", "id", "env", "ps", "kill"} {
		l.link("bin/"+applet, "/usr/bin/busybox")
	}
	l.file("etc/passwd", 0o644, []byte("root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n"))
	l.file("etc/group", 0o644, []byte("root:x:0:\nuser:x:1000:\n"))
	for _, ids := range []string{"etc/subuid", "etc/subgid"} {
		l.file(ids, 0o644, []byte("user:100000:65536\n"))
	}
	l.dir("tmp", 0o1777, 0)
	for _, own := range []string{"home/user", "home/user/.local", "home/user/.local/tmp", "home/user/.local/share", "home/user/.local/share/buildkit", "run/user/1000"} {
		l.dir(own, 0o755, 1000)
	}
	return l.image(file, Image, v1.ImageConfig{User: "1000:1000", Entrypoint: []string{"rootlesskit", "buildkitd"},
		Env: []string{"PATH=/bin:/usr/bin", "HOME=/home/user", "USER=user", "XDG_RUNTIME_DIR=/run/user/1000",
			"TMPDIR=/home/user/.local/tmp", "BUILDKIT_HOST=unix:///run/user/1000/buildkit/buildkitd.sock"}})
}

var library = regexp.MustCompile(`(?m)(/\S+) \(0x`)

// librariesOf adds the shared libraries of a program, of which static ones have none.
func librariesOf(program string, to map[string]bool) error {
	out, err := exec.Command("ldd", program).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "not a dynamic executable") {
		return fmt.Errorf("ldd %s: %w: %s", program, err, out)
	}
	for _, m := range library.FindAllStringSubmatch(string(out), -1) {
		to[m[1]] = true
	}
	return nil
}
