package publish_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/publish"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		m[name] = value
	}
	return func(name string) string { return m[name] }
}

func TestTargets(t *testing.T) {
	gitlab := env("GITLAB_CI=true", "CI_REGISTRY_IMAGE=registry.example.com/group/project")
	for _, tt := range []struct {
		asked []string
		env   func(string) string
		want  string // names, or part of the error
		hint  string // of an error
	}{
		{[]string{"oci://registry.example.com/team/charts"}, env(), "oci://registry.example.com/team/charts", ""},
		{[]string{"oci://registry.example.com:5000/team/"}, env(), "oci://registry.example.com:5000/team", ""},
		{[]string{"registry.example.com/team"}, env(), "oci://registry.example.com/team", ""},
		{[]string{"localhost:5000"}, env(), "oci://localhost:5000", ""},
		{[]string{"[::1]:5000/x"}, env(), "oci://[::1]:5000/x", ""},
		{[]string{"embedded", "oci://a.example/x", "a.example/x", "embedded"}, env(), "embedded oci://a.example/x", ""},
		{nil, gitlab, "oci://registry.example.com/group/project/charts", ""},
		{[]string{"embedded"}, gitlab, "embedded", ""},
		{nil, env(), "no target to publish to", "--to oci://HOST/PREFIX"},
		{nil, env("GITLAB_CI=true"), "CI_REGISTRY_IMAGE is not set", "container registry on"},
		{[]string{""}, env(), "reading target", "oci://HOST/PREFIX"},
		{[]string{"team/charts"}, env(), "reading target", "oci://HOST/PREFIX"},
		{[]string{"https://registry.example.com/team"}, env(), `the scheme is "https://"`, "oci://HOST/PREFIX"},
		{[]string{"oci://registry.example.com/Team"}, env(), "lower case", ""},
		{[]string{"oci://registry.example.com/team:1.0.0"}, env(), "names one chart", "leave tag and digest out"},
		{[]string{"oci://registry.example.com/team@sha256:" + strings.Repeat("a", 64)}, env(), "names one chart", "leave tag and digest out"},
		{[]string{"oci://user:secret@registry.example.com/team"}, env(), "user, password", ""},
		{nil, env("CI_REGISTRY_IMAGE=Not A Host"), "reading target", ""},
	} {
		got, err := publish.Targets(tt.asked, tt.env)
		if err != nil {
			var wrong *publish.TargetError
			if !errors.As(err, &wrong) {
				t.Errorf("%q: error %T", tt.asked, err)
				continue
			}
			contains(t, err.Error(), tt.want)
			contains(t, wrong.Hint, tt.hint)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: the error gives the password away: %v", tt.asked, err)
			}
			continue
		}
		var names []string
		for _, target := range got {
			names = append(names, target.Name)
		}
		if strings.Join(names, " ") != tt.want {
			t.Errorf("%q: targets %q, want %q", tt.asked, names, tt.want)
		}
	}
}

func TestStarted(t *testing.T) {
	embedded := mustTarget(t, "embedded")
	if !publish.FreeOfBranch([]publish.Target{embedded}) || publish.FreeOfBranch([]publish.Target{embedded, mustTarget(t, "a.example/x")}) {
		t.Error("only the embedded target takes charts from any branch")
	}
	started, err := embedded.Started("127.0.0.1:5001")
	if err != nil || started.Ref.String() != "oci://127.0.0.1:5001/charts" || started.Name != "embedded" || !started.Embedded {
		t.Errorf("started %+v, %v", started, err)
	}
	if _, err := embedded.Started("127.0.0.1:x"); err == nil {
		t.Error("started at an address that is none")
	}
	if _, err := mustTarget(t, "a.example/x").Started("127.0.0.1:5001"); err == nil {
		t.Error("started a registry that is elsewhere")
	}
}

func TestBranchAllowed(t *testing.T) {
	for _, tt := range []struct {
		env            string
		current, deflt string
		refused        string // part of the message, "" if allowed
		hint           string
	}{
		{"GITLAB_CI=true CI_COMMIT_BRANCH=main CI_DEFAULT_BRANCH=main", "", "", "", ""},
		{"GITLAB_CI=true CI_COMMIT_BRANCH=main CI_DEFAULT_BRANCH=main", "left-over", "", "", ""},
		{"GITLAB_CI=true CI_COMMIT_BRANCH=release CI_DEFAULT_BRANCH=main", "", "release", "", ""},
		{"GITLAB_CI=true CI_COMMIT_BRANCH=main CI_DEFAULT_BRANCH=main", "", "release", `branch "main"`, "--any-branch"},
		{"GITLAB_CI=true CI_COMMIT_BRANCH=topic CI_DEFAULT_BRANCH=main", "main", "", `from branch "topic": only the default branch "main"`, "--any-branch"},
		{"GITLAB_CI=true CI_COMMIT_TAG=v1 CI_DEFAULT_BRANCH=main", "main", "", `tag "v1"`, "--any-branch"},
		{"GITLAB_CI=true CI_COMMIT_TAG=main CI_COMMIT_REF_NAME=main CI_DEFAULT_BRANCH=main", "", "", `tag "main"`, "--any-branch"},
		{"GITLAB_CI=true CI_MERGE_REQUEST_IID=7 CI_COMMIT_REF_NAME=main CI_DEFAULT_BRANCH=main", "main", "", `merge request "!7"`, "--any-branch"},
		{"GITLAB_CI=true CI_DEFAULT_BRANCH=main", "main", "", "a pipeline of no branch", "--any-branch"},
		{"CI_COMMIT_BRANCH=main", "", "", "the default branch is not known", "default-branch"},
		{"", "main", "main", "", ""},
		{"", "topic", "main", `from branch "topic": only the default branch "main"`, "--any-branch"},
		{"", "", "main", "a commit that is on no branch", "--any-branch"},
		{"", "", "", "on no branch", "--any-branch"},
		{"", "main", "", "the default branch is not known", "default-branch"},
		{"", "main\x1b[2J", "main", `main\x1b[2J`, "--any-branch"},
	} {
		err := publish.BranchAllowed(env(strings.Fields(tt.env)...), tt.current, tt.deflt)
		if tt.refused == "" {
			if err != nil {
				t.Errorf("%+v: %v", tt, err)
			}
			continue
		}
		var refusal *publish.BranchError
		if !errors.As(err, &refusal) {
			t.Errorf("%+v: not refused: %v", tt, err)
			continue
		}
		contains(t, refusal.Message, "refusing to publish", tt.refused)
		contains(t, refusal.Hint, tt.hint)
	}
}
