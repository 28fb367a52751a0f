//go:build e2e

package e2e

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
	"sigs.k8s.io/yaml"
)

// job is as much of a job in .gitlab-ci.yml as the tests look at.
type job struct {
	Script    []string
	Needs     []string
	Variables struct {
		Depth string `json:"GIT_DEPTH"`
	}
}

// fiveJobs are the jobs that GitLab runs in parallel.
var fiveJobs = []string{"chart-schema", "kubesec", "lint-and-test", "version-check", "yaml-lint"}

// TestPipeline runs the lines of .gitlab-ci.yml as GitLab does: in a clone of
// the depth that the job asks for, with GitLab's variables, one job after the other.
func TestPipeline(t *testing.T) {
	addr, jobs := startDistribution(t), pipeline(t)
	origin := newSandbox(t)
	charts := okRepository(t, origin.dir)
	before := fixture.Git(t, origin.dir, "rev-parse", "HEAD")
	bump(t, origin.dir)
	for _, name := range append(slices.Clone(fiveJobs), "publish-oci") {
		s := runner(t, addr, origin.dir, before, jobs[name])
		s.must(t, 0, "sh", "-ec", jobs[name].Script[0])
		if name != "publish-oci" {
			readReports(t, s.dir, 0)
		}
	}
	for name, dir := range charts {
		tagDigest(t, addr, "group/project/charts/"+name, field(t, filepath.Join(origin.dir, dir), "version"))
	}
}

// TestPipelineFindings wants each job to fail on the faults of its own check alone,
// to report them to GitLab, and version-check to say what it lacks in a shallow clone.
func TestPipelineFindings(t *testing.T) {
	jobs := pipeline(t)
	origin := newSandbox(t)
	for name, chart := range map[string]string{
		"template-fails": "fragile", "yaml-key-duplicates": "twice", "name-differs": "alice", "privileged-container": "mighty",
	} {
		fixture.Copy(t, fixture.Path(t, "testdata", "charts", "bad", name, "charts", chart), filepath.Join(origin.dir, "charts", chart))
	}
	fixture.Copy(t, fixture.Path(t, "testdata", "charts", "bad", "version-not-bumped", "base", "charts"), filepath.Join(origin.dir, "charts"))
	fixture.Commit(t, origin.dir, "feat: charts")
	before := fixture.Git(t, origin.dir, "rev-parse", "HEAD")
	fixture.Copy(t, fixture.Path(t, "testdata", "charts", "bad", "version-not-bumped", "charts"), filepath.Join(origin.dir, "charts"))
	fixture.Commit(t, origin.dir, "fix: a change")
	want := map[string]string{"lint-and-test": "fragile", "yaml-lint": "twice", "chart-schema": "alice", "kubesec": "mighty", "version-check": "stale"}
	for _, name := range fiveJobs {
		s := runner(t, "127.0.0.1:1", origin.dir, before, jobs[name])
		r := s.must(t, 1, "sh", "-ec", jobs[name].Script[0])
		r.want(t, "charts/"+want[name]+"/")
		readReports(t, s.dir, 1)
	}

	shallow := jobs["version-check"]
	shallow.Variables.Depth = "1"
	s := runner(t, "127.0.0.1:1", origin.dir, before, shallow)
	s.must(t, 1, "sh", "-ec", shallow.Script[0]).want(t, "GIT_DEPTH: 0")
}

// pipeline reads .gitlab-ci.yml and wants six jobs besides those that build images, each one line of chartgate.
func pipeline(t *testing.T) map[string]job {
	t.Helper()
	data, err := os.ReadFile(fixture.Path(t, ".gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := yaml.Unmarshal(data, &keys); err != nil {
		t.Fatal(err)
	}
	var common job
	if err := json.Unmarshal([]byte(`{"variables": `+string(keys["variables"])+`}`), &common); err != nil {
		t.Fatal(err)
	}
	jobs := map[string]job{}
	for name, raw := range keys {
		var j job
		if json.Unmarshal(raw, &j) != nil || len(j.Script) == 0 {
			continue // stages, variables, and what jobs extend
		}
		if len(j.Script) != 1 || !strings.HasPrefix(j.Script[0], "chartgate ") || strings.Contains(j.Script[0], "\n") {
			t.Errorf("%s is not one line of chartgate: %q", name, j.Script)
		}
		if j.Variables.Depth == "" {
			j.Variables.Depth = common.Variables.Depth
		}
		jobs[name] = j
	}
	maps.DeleteFunc(jobs, func(name string, _ job) bool { return strings.HasPrefix(name, "build-") }) // test/build runs those
	if got, want := slices.Sorted(maps.Keys(jobs)), append(slices.Clone(fiveJobs), "publish-oci"); !slices.Equal(got, sorted(want)) {
		t.Fatalf("jobs %q, want %q", got, want)
	}
	if needs := jobs["publish-oci"].Needs; !slices.Equal(sorted(needs), fiveJobs) {
		t.Errorf("publish-oci needs %q, want %q", needs, fiveJobs)
	}
	return jobs
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// runner is a clone as GitLab's runner makes it, and a job's environment on the
// default branch of group/project, whose registry listens at addr.
func runner(t *testing.T, addr, origin, before string, j job) sandbox {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(binary(t), filepath.Join(bin, "chartgate")); err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"CI=true", "GITLAB_CI=true", "CI_PIPELINE_SOURCE=push", "CI_COMMIT_BRANCH=main", "CI_COMMIT_REF_NAME=main", "CI_DEFAULT_BRANCH=main",
		"CI_COMMIT_SHA="+fixture.Git(t, origin, "rev-parse", "HEAD"), "CI_COMMIT_BEFORE_SHA="+before, "CI_REGISTRY="+addr, "CI_REGISTRY_IMAGE="+addr+"/group/project",
		"CI_REGISTRY_USER=gitlab-ci-token", "CI_REGISTRY_PASSWORD=secret-of-the-job", "CHARTGATE_PLAIN_HTTP=true")
	clone := s.in(filepath.Join(s.dir, "project"))
	args := []string{"clone", "-q"}
	if j.Variables.Depth != "0" {
		args = append(args, "--depth", j.Variables.Depth)
	}
	fixture.Git(t, s.dir, append(args, "file://"+origin, clone.dir)...)
	fixture.Git(t, clone.dir, "checkout", "-q", "--detach")
	fixture.Git(t, clone.dir, "branch", "-q", "-D", "main")
	return clone
}

// bump raises the version of one chart together with a change of it.
func bump(t *testing.T, root string) {
	t.Helper()
	for file, edit := range map[string][2]string{"Chart.yaml": {"1.4.2", "1.4.3"}, "values.yaml": {"hello", "good morning"}} {
		name := filepath.Join(root, "charts", "greeter", file)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fixture.Write(t, name, strings.Replace(string(data), edit[0], edit[1], 1))
	}
	fixture.Commit(t, root, "fix(greeter): be polite")
}

// readReports reads the reports as GitLab does; least is how many failures each must have.
func readReports(t *testing.T, dir string, least int) {
	t.Helper()
	var suites struct {
		Suites []struct {
			Cases []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "junit.xml"))
	if err == nil {
		err = xml.Unmarshal(data, &suites)
	}
	if err != nil {
		t.Fatal(err)
	}
	cases, failures := 0, 0
	for _, s := range suites.Suites {
		for _, c := range s.Cases {
			cases++
			if c.Failure != nil || c.Error != nil {
				failures++
			}
		}
	}
	if cases == 0 || failures < least || least == 0 && failures > 0 {
		t.Errorf("junit.xml: %d cases, %d failures\n%s", cases, failures, data)
	}
	var issues []struct {
		Fingerprint string
		Location    struct{ Path string }
	}
	if data, err = os.ReadFile(filepath.Join(dir, "codequality.json")); err == nil {
		err = json.Unmarshal(data, &issues)
	}
	if err != nil || issues == nil || len(issues) < least {
		t.Errorf("codequality.json: %v\n%s", err, data)
	}
}
