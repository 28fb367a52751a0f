//go:build e2e_kubernetes && linux

// Package cluster brings up a real Kubernetes of one node for tests: etcd, API server, controllers,
// scheduler, containerd and kubelet, without a network.
//
// The tests that use it run as process 1 of namespaces of their own (processes, mounts, network). So
// however they end, the kernel ends every process of the cluster and undoes every mount with
// them, and nothing of the cluster can be reached from, or reaches, the machine around it.
package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// inside tells the process within the namespaces where the cluster's folder is.
const inside = "CHARTGATE_E2E_CLUSTER"

// Run runs the tests within a cluster that is given to use before, and returns the code to exit
// with. Where there can be no cluster it says why, and no test runs.
func Run(m *testing.M, use func(*Cluster)) int {
	if dir := os.Getenv(inside); dir != "" {
		return runInside(m, dir, use)
	}
	if err := possible(); err != nil {
		fmt.Fprintln(os.Stderr, "SKIPPED every test that wants a Kubernetes cluster:", err)
		return 0
	}
	code, err := runOutside()
	if err != nil {
		fmt.Fprintln(os.Stderr, "running in a cluster:", err)
		return 1
	}
	return code
}

// possible says what a cluster lacks here.
func possible() error {
	if os.Geteuid() != 0 {
		return errors.New("only root may bring one up")
	}
	for _, name := range append(programs(), machinePrograms...) {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("there is no %s on the PATH (tools/cluster.sh brings what is pinned, Debian's runc, uidmap, busybox-static and iproute2 the rest)", name)
		}
	}
	return nil
}

// runOutside runs this very program again within the namespaces, and leaves nothing behind.
func runOutside() (code int, err error) {
	dir, err := os.MkdirTemp("", "chartgate-cluster-")
	if err != nil {
		return 0, err
	}
	if os.Getenv("KEEP") == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else {
		fmt.Fprintln(os.Stderr, "keeping", dir)
	}
	group, err := newCgroup(filepath.Base(dir))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, group.remove()) }()

	// The kernel sends Pdeathsig when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("making namespaces: %w", err)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(ended)
	go func() {
		for range ended {
			_ = cmd.Process.Kill()
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

func runInside(m *testing.M, dir string, use func(*Cluster)) int {
	c, err := start(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bringing up the cluster:", err)
		return 1
	}
	use(c)
	return m.Run()
}
