//go:build e2e

package build

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
	"sigs.k8s.io/yaml"
)

// scripts are the lines of the jobs in .gitlab-ci.yml that build images.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	var keys map[string]json.RawMessage
	if err := yaml.Unmarshal([]byte(source(t, ".gitlab-ci.yml")), &keys); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for name, raw := range keys {
		var job struct{ Script []string }
		if json.Unmarshal(raw, &job) == nil && strings.HasPrefix(name, "build-") && len(job.Script) == 1 {
			out[name] = job.Script[0]
		}
	}
	return out
}

// TestJobs runs the jobs of this repository's own pipeline, with its chartgate.yaml. The base images
// cannot be had here: the Dockerfiles are others, out of nothing, with the same stages, arguments and secrets.
func TestJobs(t *testing.T) {
	jobs, addr := scripts(t), registry(t)
	files := map[string]string{
		"chartgate.yaml":                           source(t, "chartgate.yaml"),
		"images/chartgate/Dockerfile":              "FROM scratch AS base\nARG VERSION\nLABEL version=$VERSION\nCOPY images/chartgate/busybox /busybox\nFROM base AS rootless\nFROM base AS chartgate\n",
		"images/chartgate/Dockerfile.dockerignore": "*\n!images/chartgate/busybox\n",
		"images/chartgate/busybox":                 "busybox",
		"images/tempo-auth-proxy/Dockerfile":       "FROM scratch\nCOPY nginx.conf /\n",
		"images/tempo-auth-proxy/nginx.conf":       "# none\n",
		"images/n8n-nodes/busybox":                 "busybox",
		"images/n8n-nodes/Dockerfile":              "FROM scratch\nCOPY busybox /busybox\nARG NPM_REGISTRY PACKAGES\nSHELL [\"/busybox\", \"sh\", \"-c\"]\nRUN --mount=type=secret,id=npm_token,required=true test -s /run/secrets/npm_token && echo $NPM_REGISTRY $PACKAGES > /packages\n",
	}
	env := append(pipeline(addr), "CI_JOB_TOKEN=token-of-the-job", "N8N_NODES=@acme/nodes@1.0.0", "NODES_PROJECT_ID=7", "CI_API_V4_URL=https://git.example.com/api/v4")
	var names []string
	for name, script := range jobs {
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			r := newRepo(t, files, env...)
			base, err := exec.Command("git", "-C", r.dir, "rev-parse", "HEAD").Output()
			if err != nil {
				t.Fatal(err)
			}
			r.env = append(r.env, "CI_MERGE_REQUEST_DIFF_BASE_SHA="+strings.TrimSpace(string(base)))
			fixture.Write(t, filepath.Join(r.dir, "images/tempo-auth-proxy/nginx.conf"), "# changed\n")
			cmd := exec.Command("sh", "-ec", script)
			cmd.Dir, cmd.Env = r.dir, r.env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", script, err, out)
			}
			if strings.Contains(string(out), "token-of-the-job") {
				t.Error("the job's token is printed")
			}
			want := map[string]string{"build-images": "3 built", "build-changed-images": "1 built", "build-n8n-nodes": "1 built"}[name]
			if want == "" || !strings.Contains(string(out), want) {
				t.Errorf("%q is not in\n%s", want, out)
			}
			r.nothingLeft()
		})
	}
	if slices.Sort(names); !slices.Equal(names, []string{"build-changed-images", "build-images", "build-n8n-nodes"}) {
		t.Errorf("jobs %q", names)
	}
	for _, image := range []string{"chartgate", "chartgate-rootless", "tempo-auth-proxy", "n8n-nodes"} {
		if d, _ := manifest(t, addr, "group/project/"+image, "latest"); d == "" {
			t.Errorf("%s was not pushed", image)
		}
	}
}
