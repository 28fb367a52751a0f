package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// hostUsers decides, once a run, whether pods get a user namespace of their own. An API server that
// does not know the field drops it, which a dry run shows: the pod's subordinate ids would be
// the node's own then, so this must be known before there is a pod.
func (d *Driver) hostUsers(ctx context.Context) (*bool, error) {
	d.mu.Lock()
	users, decided := d.users, d.decided
	d.mu.Unlock()
	if decided || d.o.HostUsers == hostUsersTrue {
		return users, nil
	}
	if _, refused := d.client.events(ctx, d.o.Builder, nil); refused != "" && d.o.HostUsers == hostUsersAuto {
		return d.decide(nil), nil // a node that cannot would not be noticed
	}
	no := false
	probe := d.o
	probe.Builder += "-try" // a name that is free
	want, err := probe.workload(&no, d.clock())
	if err != nil {
		return nil, err
	}
	tried, err := d.client.create(ctx, want, true)
	kept := err == nil && keepsUsers(tried)
	switch {
	case kept:
		return d.decide(&no), nil
	case d.o.HostUsers == hostUsersAuto && err == nil:
		d.host.Log(fmt.Sprintf("builder %s: this cluster has no user namespaces for pods: doing without", d.o.Builder))
		return d.decide(nil), nil
	case d.o.HostUsers == hostUsersAuto && !passing(err):
		if !gone(err) && !apierrors.IsForbidden(err) { // what the creation itself will say
			d.host.Log(fmt.Sprintf("builder %s: pods with user namespaces are not admitted (%s): doing without", d.o.Builder, foreign(err.Error())))
		}
		return d.decide(nil), nil
	case err != nil:
		return nil, d.fail(ctx, "trying user namespaces for", "create", err)
	}
	return nil, d.failed("creating", errors.New("this cluster has no user namespaces for pods, and host-users=false asks for them"),
		"leave out the option host-users; Kubernetes has them since 1.33")
}

func (d *Driver) isDecided() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.decided
}

func keepsUsers(w *workload) bool {
	return w.template.Spec.HostUsers != nil && !*w.template.Spec.HostUsers
}

func (d *Driver) decide(users *bool) *bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users, d.decided = users, true
	return users
}

// signs are words of kubelets, runtimes and newuidmap for a user namespace that cannot be had.
var signs = []string{"user namespace", "hostUsers", "userns", "idmap", "newuidmap", "newgidmap", "uid_map", "gid_map"}

// doesWithoutUsers gives up the user namespaces that auto tried, if text shows that they are why pods do
// not start: a node's kernel or runtime may lack what the API server promises.
func (d *Driver) doesWithoutUsers(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.o.HostUsers != hostUsersAuto || d.users == nil || d.o.UseExisting {
		return false
	}
	for _, sign := range signs {
		if strings.Contains(text, sign) {
			d.users = nil
			return true
		}
	}
	return false
}

// usersTrouble collects what the events and logs of pods that do not start say; "" where they may
// not be read.
func (d *Driver) usersTrouble(ctx context.Context, pods []corev1.Pod) string {
	d.mu.Lock()
	trying := d.o.HostUsers == hostUsersAuto && d.users != nil
	d.mu.Unlock()
	if !trying {
		return ""
	}
	lines, _ := d.client.events(ctx, d.o.Builder, pods)
	for i := range pods {
		if s := stateOf(&pods[i]); s.restarts > 0 {
			log, _ := d.client.log(ctx, &pods[i], s)
			lines = append(lines, log...)
		}
	}
	return strings.Join(lines, "\n")
}
