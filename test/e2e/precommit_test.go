//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// TestPreCommit installs the hook from this checkout with pre-commit itself, and
// commits: charts that the staged files belong to are checked, others are not.
func TestPreCommit(t *testing.T) {
	preCommit := program(t, "PRE_COMMIT", "pre-commit")
	s := newSandbox(t, append(goEnv(t), "GOFLAGS=-trimpath -buildvcs=false")...)
	okRepository(t, s.dir)
	hooks := hookRepository(t)
	config := fmt.Sprintf("repos:\n  - repo: %s\n    rev: %s\n    hooks:\n      - id: chartgate-validate\n", hooks, fixture.Git(t, hooks, "rev-parse", "HEAD"))
	fixture.Write(t, filepath.Join(s.dir, ".pre-commit-config.yaml"), config)
	// A fault that is there already, in a chart that nobody touches.
	fixture.Copy(t, fixture.Path(t, "testdata", "charts", "bad", "template-fails", "charts"), filepath.Join(s.dir, "charts"))
	fixture.Commit(t, s.dir, "feat: charts and a hook")
	s.must(t, 0, preCommit, "install")

	stage(t, s, "charts/greeter/values.yaml", "---\nreplicas: [\n")
	broken := commit(t, s)
	if broken.code == 0 {
		t.Fatalf("a broken values file was committed\n%s", broken.all())
	}
	broken.want(t, "chartgate validate", "charts/greeter/values.yaml:")
	if strings.Contains(broken.all(), "fragile") {
		t.Errorf("a chart that nobody touched was checked:\n%s", broken.all())
	}

	fixture.Git(t, s.dir, "checkout", "-q", "HEAD", "--", "charts/greeter/values.yaml")
	stage(t, s, "charts/greeter/README.md", "# greeter\n\nSays hello.\n")
	if r := commit(t, s); r.code != 0 {
		t.Errorf("a change without a fault was refused\n%s", r.all())
	}

	stage(t, s, "notes.txt", "nothing to do with charts\n")
	commit(t, s).want(t, "Skipped")

	stage(t, s, "charts/fragile/values.yaml", "---\nmotto: else\n")
	r := commit(t, s)
	if r.code == 0 {
		t.Errorf("the fault was committed once its chart was touched\n%s", r.all())
	}
	r.want(t, "charts/fragile/templates/service.yaml:7")
}

// hookRepository is a clone of this checkout's last commit, which is what
// pre-commit takes hooks from.
func hookRepository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "chartgate")
	fixture.Git(t, filepath.Dir(dir), "clone", "-q", "--no-hardlinks", fixture.Root(t), dir)
	return dir
}

func stage(t *testing.T, s sandbox, name, content string) {
	t.Helper()
	fixture.Write(t, filepath.Join(s.dir, name), content)
	fixture.Git(t, s.dir, "add", name)
}

// commit commits with hooks, in the environment of the sandbox.
func commit(t *testing.T, s sandbox) result {
	t.Helper()
	return s.run(t, "git", "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-m", "fix: something")
}
