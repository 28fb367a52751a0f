//go:build e2e_kubernetes && linux

package kubernetes

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/buildkit/driver"
	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	rbacv1 "k8s.io/api/rbac/v1"
)

type rbacRule = rbacv1.PolicyRule

// sources is a folder with busybox and a Dockerfile whose RUN steps are these shell commands.
func sources(t *testing.T, commands ...string) string {
	t.Helper()
	dir := t.TempDir()
	path, err := exec.LookPath("busybox")
	must(t, err)
	busybox, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "busybox"), busybox, 0o755))
	text := "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n"
	for _, command := range commands {
		text += "RUN " + command + "\n"
	}
	must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644))
	return dir
}

func image(name, dir string) *buildkit.Image {
	return &buildkit.Image{Name: name, Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
}

// job is one run of builds, whose progress can be waited for.
type job struct {
	t       *testing.T
	out     *said
	cancel  context.CancelFunc
	results chan []buildkit.Result
}

// build begins to build images on a driver.
func build(t *testing.T, d driver.Driver, images ...*buildkit.Image) *job {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	j := &job{t: t, out: &said{t: t, over: true}, cancel: cancel, results: make(chan []buildkit.Result, 1)}
	progress, err := buildkit.NewProgress(j.out, "plain", len(images) > 1)
	must(t, err)
	run := &buildkit.Run{Driver: d, Key: "group/" + t.Name(), Progress: progress}
	go func() {
		results, err := run.Build(ctx, images)
		if err != nil {
			results = []buildkit.Result{{State: buildkit.Failed, Err: err}}
		}
		_ = progress.Close()
		j.results <- results
	}()
	return j
}

// until waits for a text in the progress.
func (j *job) until(text string) {
	j.t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(j.out.String(), text) {
			return
		}
	}
	j.t.Fatalf("no %q in\n%s", text, j.out)
}

// wait returns what became of the images.
func (j *job) wait() []buildkit.Result {
	j.t.Helper()
	select {
	case r := <-j.results:
		return r
	case <-time.After(3 * time.Minute):
		j.t.Fatalf("the build does not end:\n%s", j.out)
		return nil
	}
}

// built waits, and every image has to be built.
func (j *job) built() []buildkit.Result {
	j.t.Helper()
	results := j.wait()
	for _, r := range results {
		if r.State != buildkit.Built {
			j.t.Fatalf("%s: %s\n%s", r.State, told(r.Err), j.out)
		}
	}
	return results
}

// TestBuild: under the printed Role, over each transport, a builder comes about and a RUN step runs in it.
func TestBuild(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	for _, transport := range []string{"auto", "websocket", "spdy"} {
		t.Run(transport, func(t *testing.T) {
			d := m.started(t, "transport="+transport)
			// Its content is another for each transport, so that nothing is cached.
			j := build(t, d, image("web", sources(t, "/bin/busybox id -u > /made-"+transport, "/bin/busybox dd if=/dev/zero bs=1M count=64 of=/large")))
			r := j.built()[0]
			if r.Steps != 4 || !strings.HasPrefix(r.Builder, "pod "+m.ns+"/buildkit-acme-") {
				t.Errorf("%d steps on %s", r.Steps, r.Builder)
			}
			// What is built is brought back through the same connection.
			out := filepath.Join(t.TempDir(), "out")
			i := image("web", sources(t, "/bin/busybox id -u > /made-"+transport, "/bin/busybox dd if=/dev/zero bs=1M count=64 of=/large"))
			i.Outputs = []buildkit.Output{{Type: "local", Dest: out}}
			build(t, d, i).built()
			uid, err := os.ReadFile(filepath.Join(out, "made-"+transport))
			if err != nil || string(uid) != "0\n" {
				t.Errorf("the file that RUN made: %q, %v", uid, err)
			}
			if info, err := os.Stat(filepath.Join(out, "large")); err != nil || info.Size() != 64<<20 {
				t.Errorf("64 MiB came back as %v, %v", info, err)
			}
		})
	}
	if n := len(m.pods()); n != 1 {
		t.Errorf("%d pods for one builder", n)
	}
}

// TestUseOnly: the other form of the Role builds on what somebody else made, and creates nothing.
func TestUseOnly(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	m.started(t)
	use := newTeamIn(t, m, kube.FormUse)
	for _, transport := range []string{"websocket", "spdy"} {
		d := use.started(t, "use-existing=true", "transport="+transport)
		build(t, d, image("web", sources(t, "echo "+transport+" > /made"))).built()
	}
	d := use.driver("builder=other", "use-existing=true")
	if err := d.Start(t.Context()); err == nil || !strings.Contains(told(err), "there is no Deployment of this name") {
		t.Errorf("a builder that is not there: %v", told(err))
	}
	for verb, builder := range map[string]string{"create": "other", "patch": "buildkit-acme"} {
		right := kube.Right{Group: "apps", Resource: "deployments", Verb: verb}
		if err := use.driver("builder=" + builder).Start(t.Context()); !isForbidden(err, right) {
			t.Errorf("%s under the use-only form: %v", verb, told(err))
		}
	}
}

// newTeamIn binds an account of its own to another form in the namespace of a team.
func newTeamIn(t *testing.T, of *team, form kube.Form) *team {
	t.Helper()
	m := *of
	m.t, m.log = t, &said{t: t}
	t.Cleanup(m.log.stop)
	must(t, it.Admin.RbacV1().RoleBindings(m.ns).Delete(t.Context(), kube.RoleName(kube.FormAdmin), deleteNow))
	m.bind(form)
	return &m
}
