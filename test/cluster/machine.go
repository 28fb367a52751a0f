//go:build e2e_kubernetes && linux

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// machinePrograms are those that tools/ does not build.
var machinePrograms = []string{"ip", "runc", "newuidmap", "newgidmap", "busybox", "ldd"}

// nodeAddress is the node's: the kubelet takes none of loopback.
const nodeAddress = "10.99.0.1"

// settle makes the namespaces that this process is the first of into a machine of the cluster's own.
func settle() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping mounts to ourselves: %w", err)
	}
	// Shared again, but among the processes of this cluster only: containers want it.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("sharing mounts: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	// Where container runtimes and network plugins keep what should not outlive us.
	for _, dir := range []string{"/run", "/var/lib", "/var/log"} {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("mounting a tmpfs on %s: %w", dir, err)
		}
	}
	for _, line := range []string{
		"link set lo up",
		"link add node0 type bridge",
		"addr add " + nodeAddress + "/24 dev node0",
		"link set node0 up",
		"route add default dev node0",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}
