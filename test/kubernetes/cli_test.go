//go:build e2e_kubernetes && linux

package kubernetes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/chartgate/chartgate/test/cluster"
	"github.com/chartgate/chartgate/test/fixture"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// binary is the chartgate binary: what CHARTGATE names, else one that is built.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("CHARTGATE"); path != "" {
		return path, nil
	}
	path := filepath.Join(it.Dir, "chartgate")
	out, err := exec.Command("go", "build", "-o", path, "github.com/chartgate/chartgate/cmd/chartgate").CombinedOutput()
	os.Stderr.Write(out)
	return path, err
})

// cli is chartgate in a repository with one image, on behalf of a team.
type cli struct {
	m       *team
	dir     string
	options string
}

func newCLI(t *testing.T, m *team, command string) *cli {
	t.Helper()
	c := &cli{m: m, dir: t.TempDir()}
	context := filepath.Join(c.dir, "images", "web")
	must(t, os.MkdirAll(context, 0o755))
	must(t, os.CopyFS(context, os.DirFS(sources(t, command))))
	fixture.Commit(t, c.dir, "feat: an image")
	c.options = "org=" + m.org + ",image=" + cluster.Image + ",image-pull-policy=Never,host-users=true"
	return c
}

func (c *cli) command(t *testing.T, kubeconfig string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	path, err := binary()
	must(t, err)
	cmd := exec.Command(path, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, fixture.Env(t, "KUBECONFIG="+kubeconfig), &out, &out
	return cmd, &out
}

// run runs chartgate, which has to exit with this code, and returns what it printed.
func (c *cli) run(t *testing.T, code int, kubeconfig string, args ...string) string {
	t.Helper()
	cmd, out := c.command(t, kubeconfig, args...)
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("chartgate %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return out.String()
}

// TestCommandLine goes the way of a team, from the Role to the removal of the builder.
func TestCommandLine(t *testing.T) {
	m := newTeam(t, kube.FormUse)
	c := newCLI(t, m, "echo done > /made")
	if out := c.run(t, 0, it.Kubeconfig, "builder", "rbac", "--org", m.org, "--namespace", m.ns, "--service-account", account, "--apply"); strings.Count(out, "applied") != 3 {
		t.Error(out)
	}
	m.await("the Role to be known", 20*time.Second, func() error { return m.reviewed(kube.Rights(kube.FormAdmin)) })
	archive := filepath.Join(t.TempDir(), "web.tar")
	out := c.run(t, 0, m.kubeconfig, "build", "--driver", "kubernetes", "--driver-opt", c.options, "--output", "type=oci,dest="+archive)
	if info, err := os.Stat(archive); err != nil || info.Size() == 0 {
		t.Errorf("the archive: %v, %v\n%s", info, err, out)
	}
	var listed struct {
		Builders []struct {
			Name, Org     string
			Ready, Wanted int
		}
	}
	must(t, json.Unmarshal([]byte(c.run(t, 0, m.kubeconfig, "builder", "ls", "--format", "json")), &listed))
	if len(listed.Builders) != 1 || listed.Builders[0].Name != "buildkit-acme" || listed.Builders[0].Ready != 1 {
		t.Errorf("builder ls: %+v", listed)
	}
	if out := c.run(t, 0, m.kubeconfig, "builder", "ls"); !strings.Contains(out, "buildkit-acme") || !strings.Contains(out, "Running") {
		t.Errorf("builder ls:\n%s", out)
	}
	if out := c.run(t, 0, m.kubeconfig, "builder", "prune"); !strings.Contains(out, "0 removed") {
		t.Errorf("builder prune:\n%s", out)
	}
	c.run(t, 0, m.kubeconfig, "builder", "rm", "buildkit-acme")
	if out := c.run(t, 3, m.kubeconfig, "builder", "rm", "buildkit-acme"); !strings.Contains(out, "there is no such builder") {
		t.Errorf("builder rm, again:\n%s", out)
	}
}

// TestCommandLineFaults: what is wrong ends with its exit code and is named.
func TestCommandLineFaults(t *testing.T) {
	m := newTeam(t, kube.FormUse)
	c := newCLI(t, m, "echo done > /made")
	for _, f := range []struct {
		name, option string
		code         int
		want         string
	}{
		{"a right", "", 3, "may not create deployments.apps"},
		{"an option", ",replica=2", 2, `did you mean "replicas"?`},
		{"a builder", ",use-existing=true", 3, `there is no Deployment of this name`},
	} {
		t.Run(f.name, func(t *testing.T) {
			out := c.run(t, f.code, m.kubeconfig, "build", "--driver", "kubernetes", "--driver-opt", c.options+f.option)
			if !strings.Contains(out, f.want) {
				t.Errorf("no %q in\n%s", f.want, out)
			}
		})
	}
}

// TestJobCancelled: a job that GitLab cancels, with SIGTERM, leaves neither an exec nor, with keep=false, a builder.
func TestJobCancelled(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	for _, keep := range []bool{true, false} {
		c := newCLI(t, m, "echo has-$((1))-begun && exec sleep 120")
		options := c.options
		if !keep {
			options += ",keep=false"
		}
		cmd, out := c.command(t, m.kubeconfig, "build", "--driver", "kubernetes", "--driver-opt", options, "--progress", "plain")
		log := &said{t: t, over: true}
		cmd.Stdout, cmd.Stderr = log, log
		must(t, cmd.Start())
		m.await("the build to begin", 60*time.Second, func() error {
			if !strings.Contains(log.String(), begun) {
				return fmt.Errorf("so far: %s", log)
			}
			return nil
		})
		pods := m.pods()
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			_ = cmd.Process.Kill()
			t.Fatalf("it does not end:\n%s", log)
		}
		if code := cmd.ProcessState.ExitCode(); code != 3 {
			t.Errorf("exit code %d\n%s%s", code, log, out)
		}
		for i := range pods {
			m.idle(&pods[i], 20*time.Second)
		}
		deployments, err := it.Admin.AppsV1().Deployments(m.ns).List(t.Context(), metav1.ListOptions{})
		must(t, err)
		if n := len(deployments.Items); n != 1 {
			t.Errorf("keep=%v: %d builders are left, where the one of before should be", keep, n)
		}
	}
}
