//go:build e2e

package build

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chartgate/chartgate/test/fixture"
)

// images are three: one with a build argument and a secret, one that needs another.
func images() map[string]string {
	return map[string]string{
		"images/base/busybox":    "busybox",
		"images/base/Dockerfile": "FROM scratch\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n",
		"images/web/Dockerfile":  "FROM base\nARG GREETING\nRUN echo \"$GREETING\" > /greeting\n",
		"images/api/Dockerfile":  "FROM base\nARG MIRROR\nRUN --mount=type=secret,id=token,required=true test \"$(/bin/busybox wc -c < /run/secrets/token)\" = 5 && echo \"$MIRROR\" > /mirror\n",
		"chartgate.yaml": `images:
  web: {depends-on: [base], args: {GREETING: "hello from ${BRANCH}"}}
  api: {depends-on: [base], args: {MIRROR: https://mirror.example.com}, secrets: ['id=token,env=TOKEN']}
`,
	}
}

func pipeline(addr string) []string {
	return []string{"CI=true", "GITLAB_CI=true", "CI_REGISTRY=" + addr, "CI_REGISTRY_IMAGE=" + addr + "/group/project", "CI_COMMIT_BRANCH=main", "CI_DEFAULT_BRANCH=main",
		"CI_REGISTRY_USER=" + account, "CI_REGISTRY_PASSWORD=" + password, "CI_PROJECT_PATH=group/project", "TOKEN=12345"}
}

var digest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// TestPipeline is what a GitLab job does: build everything, push, and the same again in another clone.
func TestPipeline(t *testing.T) {
	addr := registry(t)
	first := newRepo(t, images(), pipeline(addr)...)
	res := first.run(0, "build", "--push", "--metadata-file", "images.json", "--dotenv-file", "images.env")
	res.want(t, "3 built", "pushed "+addr+"/group/project/web:latest")
	data, err := os.ReadFile(filepath.Join(first.dir, "images.json"))
	if err != nil {
		t.Fatal(err)
	}
	var metadata map[string]map[string]any
	if err := json.Unmarshal(data, &metadata); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"base", "web", "api"} {
		got, _ := manifest(t, addr, "group/project/"+name, "latest")
		if got == "" || got != metadata[name]["containerimage.digest"] {
			t.Errorf("%s: %s in the registry, %s in the metadata", name, got, metadata[name]["containerimage.digest"])
		}
	}
	env, _ := os.ReadFile(filepath.Join(first.dir, "images.env"))
	if want := "IMAGE_WEB=" + addr + "/group/project/web@sha256:"; !strings.Contains(string(env), want) {
		t.Errorf("%s lacks %s", env, want)
	}
	if strings.Contains(res.output+res.errors+string(data), "12345") || strings.Contains(res.output+res.errors, password) {
		t.Error("a secret is printed")
	}
	if d, _ := manifest(t, addr, "group/project/web", "cache-main"); d == "" {
		t.Error("no cache was kept beside the image")
	}

	second := newRepo(t, images(), pipeline(addr)...)
	again := second.run(0, "build", "--push")
	if a, b := digest.FindAllString(res.output, -1), digest.FindAllString(again.output, -1); len(a) != 3 || strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("one commit, other digests:\n%s\n%s", res.output, again.output)
	}
	again.want(t, "base  "+digest.FindString(again.output), "1 of 1 steps cached")
}

// TestAttestations pushes them in the form that GitLab's registry takes.
func TestAttestations(t *testing.T) {
	addr := registry(t)
	r := newRepo(t, map[string]string{"images/web/busybox": "busybox", "images/web/Dockerfile": "FROM scratch\nCOPY busybox /\n"}, login(addr, password))
	r.run(0, "build", "--push", "-t", addr+"/web:1", "--provenance", "mode=max")
	_, index := manifest(t, addr, "web", "1")
	list, _ := index["manifests"].([]any)
	if len(list) != 2 {
		t.Fatalf("%v", index)
	}
	_, attestation := manifest(t, addr, "web", list[1].(map[string]any)["digest"].(string))
	if attestation["artifactType"] != nil || attestation["subject"] != nil || attestation["layers"] == nil {
		t.Errorf("it is an OCI artifact: %v", attestation)
	}
	r.run(0, "build", "--push", "-t", addr+"/web:2")
	if _, plain := manifest(t, addr, "web", "2"); plain["layers"] == nil {
		t.Errorf("it has attestations: %v", plain)
	}
}

func TestRefusedPush(t *testing.T) {
	addr := registry(t)
	files := map[string]string{"images/web/busybox": "busybox", "images/web/Dockerfile": "FROM scratch\nCOPY busybox /\n"}
	newRepo(t, files, login(addr, "wrong")).run(3, "build", "--push", "-t", addr+"/web:1").
		want(t, "failed     web", addr+"/web:1", "hint: the registry wants other credentials")
	newRepo(t, files).run(3, "build", "--push", "-t", "127.0.0.1:9/web:1").want(t, "127.0.0.1:9")
	if d, _ := manifest(t, addr, "web", "1"); d != "" {
		t.Error("it was pushed")
	}
}

// TestExitCodes is what a job sees of each fault.
func TestExitCodes(t *testing.T) {
	r := newRepo(t, map[string]string{
		"images/syntax/Dockerfile": "FROM scratch\nCOPI a b\n",
		"images/run/busybox":       "busybox",
		"images/run/Dockerfile":    "FROM scratch\nCOPY busybox /\nRUN [\"/busybox\", \"false\"]\n",
		"images/secret/busybox":    "busybox",
		"images/secret/Dockerfile": "FROM scratch\nCOPY busybox /\nRUN --mount=type=secret,id=token,required=true [\"/busybox\", \"true\"]\n",
		"images/top/Dockerfile":    "FROM run\n",
		"images/ok/Dockerfile":     "FROM scratch\nCOPY x /x\n",
		"images/ok/x":              "x",
		"other/README.md":          "",
		"chartgate.yaml":           "images: {top: {depends-on: [run]}, none: {context: other}}\n",
	})
	for name, c := range map[string]struct {
		code int
		args string
		want []string
	}{
		"syntax":        {1, "syntax", []string{"unknown instruction: COPI", "images/syntax/Dockerfile:2", ">>> COPI a b"}},
		"run":           {1, "run", []string{"exit code: 1", "images/run/Dockerfile:3"}},
		"secret":        {1, "secret", []string{"secret token: not found", "hint: give it: --secret id=token"}},
		"secret unset":  {2, "secret --secret id=token,env=NO_SUCH", []string{"the variable NO_SUCH is not set"}},
		"held back":     {1, "top ok", []string{"held back  top: it needs run, which was not built", "built      ok", "1 built, 1 failed, 1 held back"}},
		"no Dockerfile": {2, "none", []string{`chartgate.yaml:1: image "none": there is no Dockerfile at "other/Dockerfile"`}},
		"no image":      {2, "okk", []string{`there is no image "okk"`, `did you mean "ok"?`}},
		"driver":        {2, "ok --driver podman", []string{`there is no driver "podman"`}},
		"driver option": {2, "ok --driver-opt snapshoter=native", []string{`option "snapshoter": there is no such option`, `did you mean "snapshotter"?`}},
		"remote away":   {3, "ok --driver remote --builder tcp://127.0.0.1:9", []string{"127.0.0.1:9", "refused"}},
		"cluster away":  {3, "ok --driver kubernetes --driver-opt org=acme --driver-opt kubeconfig=" + kubeconfig(t), []string{"127.0.0.1:9"}},
		"fine":          {0, "ok -q", []string{"1 built"}},
	} {
		t.Run(name, func(t *testing.T) {
			each := *r
			each.t = t
			each.run(c.code, append([]string{"build"}, strings.Fields(c.args)...)...).want(t, c.want...)
		})
	}
}

// kubeconfig names an API server that is not there.
func kubeconfig(t *testing.T) string {
	name := filepath.Join(t.TempDir(), "config")
	fixture.Write(t, name, "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:9'}}]\nusers: [{name: u, user: {token: t}}]\n"+
		"contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n")
	return name
}

// TestEnded ends chartgate in mid-build, kindly and not.
func TestEnded(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"cancelled": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t, map[string]string{"images/slow/busybox": "busybox", "images/slow/Dockerfile": "FROM scratch\nCOPY busybox /\nRUN [\"/busybox\", \"sleep\", \"3111\"]\n"})
			cmd := r.command("build", "slow", "--progress", "plain")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(60 * time.Second); len(sleeping()) == 0; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the step does not run")
				}
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); signal == syscall.SIGTERM && code != 3 {
				t.Errorf("exit code %d", code)
			}
			r.nothingLeft()
			if left := sleeping(); len(left) > 0 {
				t.Errorf("the step still runs: %v", left)
			}
		})
	}
}

func sleeping() []string {
	var out []string
	list, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range list {
		if args, _ := os.ReadFile(name); strings.Contains(string(args), "sleep\x003111") {
			out = append(out, name)
		}
	}
	return out
}

func TestChangedSince(t *testing.T) {
	r := newRepo(t, images(), "TOKEN=12345")
	r.run(0, "build", "--changed-since", "HEAD").want(t, "nothing to build")
	if err := os.WriteFile(filepath.Join(r.dir, "images/web/new"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r.run(0, "build", "--changed-since", "HEAD", "--dry-run").want(t, "to build   base", "to build   web", "2 to build")
	r.run(2, "build", "--changed-since", "no-such-branch").want(t, "--changed-since", "no-such-branch", "hint: ")
}

func TestOutputs(t *testing.T) {
	r := newRepo(t, images(), "TOKEN=12345")
	r.run(0, "build", "web", "-o", "type=oci,dest=web.tar", "-o", "type=local,dest=out", "--iidfile", "id").want(t, "wrote oci", "2 built")
	greeting, err := os.ReadFile(filepath.Join(r.dir, "out/greeting"))
	if err != nil || string(greeting) != "hello from main\n" {
		t.Errorf("%v %q", err, greeting)
	}
	if id, _ := os.ReadFile(filepath.Join(r.dir, "id")); !digest.Match(id) {
		t.Errorf("%q", id)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "images/web/Dockerfile"), []byte("FROM base\nRUN false\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(r.dir, "web.tar"))
	r.run(1, "build", "web", "-o", "type=oci,dest=web.tar")
	if after, _ := os.ReadFile(filepath.Join(r.dir, "web.tar")); string(after) != string(before) || len(after) == 0 {
		t.Error("a build that failed changed its output")
	}
}
