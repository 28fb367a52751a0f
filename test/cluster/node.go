//go:build e2e_kubernetes && linux

package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func (c *Cluster) socket() string { return filepath.Join(c.Dir, "containerd.sock") }

// startContainerd starts the container runtime, with a bridge of its own for pods.
func (c *Cluster) startContainerd(ctx context.Context) error {
	bridge, err := exec.LookPath("bridge")
	if err != nil {
		return err
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	plugins := filepath.Join(c.Dir, "cni")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return err
	}
	network := `{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods0", "isGateway": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}`
	if err := os.WriteFile(filepath.Join(plugins, "pods.conflist"), []byte(network), 0o644); err != nil {
		return err
	}
	config := fmt.Sprintf(`version = 3
root = %q
state = "/run/containerd"

[grpc]
address = %q

# Without CAP_SYS_RESOURCE nobody may protect a process from the OOM killer.
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = [%q]
conf_dir = %q

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
options = { BinaryName = %q }

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = %q
`, filepath.Join(c.Dir, "containerd"), c.socket(), filepath.Dir(bridge), plugins, runc, pauseImage)
	file := filepath.Join(c.Dir, "containerd.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	containerd, err := c.run("containerd", "containerd", "--config", file)
	if err != nil {
		return err
	}
	return containerd.await(ctx, func(ctx context.Context) error {
		out, err := c.ctr(ctx, "version")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

func (c *Cluster) ctr(ctx context.Context, args ...string) ([]byte, error) {
	return exec.CommandContext(ctx, "ctr", append([]string{"--address", c.socket(), "--namespace", "k8s.io"}, args...)...).CombinedOutput()
}

// kubeletConfig keeps the kubelet to the cgroup and the folder of this cluster, and lets it run on machines
// that are full, swap, or have cgroups of version 1.
func (c *Cluster) kubeletConfig() string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
authentication:
  anonymous: {enabled: false}
  x509: {clientCAFile: %q}
authorization: {mode: AlwaysAllow}
tlsCertFile: %q
tlsPrivateKeyFile: %q
containerRuntimeEndpoint: %q
cgroupDriver: cgroupfs
cgroupRoot: %q
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
podPidsLimit: 4096
evictionHard: {memory.available: 50Mi, nodefs.available: "1%%", imagefs.available: "1%%"}
`, c.pki.path("ca.crt"), c.pki.path("kubelet.crt"), c.pki.path("kubelet.key"), "unix://"+c.socket(), "/"+filepath.Base(c.Dir))
}
