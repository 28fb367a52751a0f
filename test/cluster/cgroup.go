//go:build e2e_kubernetes && linux

package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroup is where the kubelet keeps its pods: a group of its own in every hierarchy, since a kubelet ends
// whatever it finds in its groups and does not know, such as the pods of another.
type cgroup struct{ dirs []string }

// newCgroup makes the group in each hierarchy: the one of version 2, or all of version 1.
func newCgroup(name string) (cgroup, error) {
	if b, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers")); err == nil {
		controllers := "+" + strings.Join(strings.Fields(string(b)), " +")
		dir := filepath.Join(cgroupRoot, name)
		if err := os.WriteFile(filepath.Join(cgroupRoot, "cgroup.subtree_control"), []byte(controllers), 0o644); err != nil {
			return cgroup{}, fmt.Errorf("handing on the controllers of the root cgroup: %w", err)
		}
		return cgroup{[]string{dir}}, os.Mkdir(dir, 0o755)
	}
	entries, err := os.ReadDir(cgroupRoot)
	if err != nil {
		return cgroup{}, err
	}
	var g cgroup
	for _, e := range entries {
		hierarchy := filepath.Join(cgroupRoot, e.Name())
		if _, err := os.Stat(filepath.Join(hierarchy, "cgroup.procs")); err != nil || e.Type()&fs.ModeSymlink != 0 {
			continue
		}
		dir := filepath.Join(hierarchy, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return g, errors.Join(err, g.remove())
		}
		g.dirs = append(g.dirs, dir)
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} { // which a new group has none of
			if b, err := os.ReadFile(filepath.Join(hierarchy, file)); err == nil {
				if err := os.WriteFile(filepath.Join(dir, file), b, 0o644); err != nil {
					return g, errors.Join(err, g.remove())
				}
			}
		}
	}
	return g, nil
}

// remove removes the groups and those below them, whose processes have ended.
func (g cgroup) remove() error {
	var failed error
	for _, dir := range g.dirs {
		var below []string
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				below = append(below, path)
			}
			return nil
		})
		for i := len(below) - 1; i >= 0; i-- {
			err := os.Remove(below[i])
			for tries := 0; err != nil && !os.IsNotExist(err) && tries < 50; tries++ {
				time.Sleep(20 * time.Millisecond) // a process that was killed leaves its group a moment later
				err = os.Remove(below[i])
			}
			if err != nil && !os.IsNotExist(err) {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}
