package images

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func gitIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_COMMITTER_DATE=2024-05-06T07:08:09Z", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func facts(t *testing.T, root string, env map[string]string) Facts {
	t.Helper()
	f, err := FactsOf(t.Context(), root, func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFacts(t *testing.T) {
	root := write(t, map[string]string{"sub/images/web/Dockerfile": ""})
	if f := facts(t, root, nil); f.Commit != "" || f.Epoch != nil || f.Key() != filepath.Base(root) {
		t.Errorf("outside of git: %+v", f)
	}
	gitIn(t, root, "init", "-q", "-b", "trunk")
	if f := facts(t, root, nil); f.Commit != "" || f.Epoch != nil {
		t.Errorf("without a commit: %+v", f)
	}
	gitIn(t, root, "add", "-A")
	gitIn(t, root, "commit", "-q", "-m", "x")
	for _, tag := range []string{"v1.2.3", "1.10.0", "v1.2", "notes"} {
		gitIn(t, root, "tag", tag)
	}
	f := facts(t, filepath.Join(root, "sub"), nil)
	if len(f.Commit) != 40 || f.Branch != "trunk" || !f.IsDefault || f.Version.String() != "1.10.0" || f.Place != "sub" || f.Key() != "sub/sub" {
		t.Errorf("%+v", f)
	}
	if want := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC); !f.Epoch.Equal(want) {
		t.Errorf("%s, want %s", f.Epoch, want)
	}
	f = facts(t, root, map[string]string{"CI": "true", "CI_COMMIT_TAG": "v2.0.0", "CI_PROJECT_PATH": "group/project", "CI_DEFAULT_BRANCH": "trunk", "SOURCE_DATE_EPOCH": "1000"})
	if f.Branch != "" || f.IsDefault || f.Version.String() != "2.0.0" || f.Key() != "group/project" || f.Epoch.Unix() != 1000 {
		t.Errorf("%+v", f)
	}
	if _, err := FactsOf(t.Context(), root, func(k string) string { return strings.Repeat("x", len(k)) }); err == nil {
		t.Error("SOURCE_DATE_EPOCH is anything")
	}
}
