//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// TestExitCodes holds the binary to its exit codes, and to words that help.
func TestExitCodes(t *testing.T) {
	closed := "oci://127.0.0.1:1/charts"
	for _, c := range []struct {
		name string
		code int
		args string
		edit func(t *testing.T, root string)
		want []string
	}{
		{"clean", 0, "validate", nil, []string{"greeter"}},
		{"warnings pass", 0, "validate mailer", nil, []string{"provider must be smtp or sendgrid"}},
		{"warnings fail when asked to", 1, "validate mailer --fail-on warning", nil, []string{"mailer"}},
		{"findings", 1, "validate", breakGreeter, []string{"charts/greeter/values.yaml:"}},
		{"severity by rule", 0, "validate greeter --check yaml-lint --rule yaml-lint/trailing-spaces=off", trailGreeter, nil},
		{"unknown verb", 2, "valdate", nil, []string{"valdate"}},
		{"unknown flag", 2, "validate --chek kubesec", nil, []string{"--chek"}},
		{"unknown check", 2, "validate --check kubsec", nil, []string{"kubsec"}},
		{"unknown chart", 2, "validate greter", nil, []string{"greter"}},
		{"unknown report", 2, "validate --report html=x", nil, []string{"html"}},
		{"unknown key", 2, "validate", misspell, []string{"chartgate.yaml:2", "fail-on"}},
		{"chart outside", 2, "validate ../..", nil, []string{"outside"}},
		{"nowhere to publish", 2, "publish", nil, []string{"--to"}},
		{"not a reference", 2, "publish --to oci://", nil, nil},
		{"another branch", 1, "publish --to " + closed, switchBranch, []string{"change", "--any-branch"}},
		{"another branch, embedded", 0, "publish greeter --to embedded", switchBranch, []string{"greeter"}},
		{"registry away", 3, "publish greeter --plain-http --to " + closed, nil, []string{"127.0.0.1:1"}},
		{"dry run", 0, "publish greeter --to embedded --dry-run", nil, []string{"to publish"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			okRepository(t, s.dir)
			if c.edit != nil {
				c.edit(t, s.dir)
			}
			r := s.must(t, c.code, binary(t), strings.Fields(c.args)...)
			r.want(t, c.want...)
			if c.code >= 2 && r.stdout != "" && !strings.HasPrefix(c.args, "publish greeter") {
				t.Errorf("an error went to standard output: %s", r.stdout)
			}
			if strings.Contains(r.all(), "panic") || strings.Contains(r.all(), "goroutine ") {
				t.Errorf("a panic was shown: %s", r.all())
			}
		})
	}
}

func breakGreeter(t *testing.T, root string) {
	fixture.Write(t, filepath.Join(root, "charts", "greeter", "values.yaml"), "---\nreplicas: [\n")
	fixture.Commit(t, root, "fix: a fault")
}

func trailGreeter(t *testing.T, root string) {
	fixture.Write(t, filepath.Join(root, "charts", "greeter", "orgs", "acme", "values.yaml"), "---\ngreeting: hello from acme   \n")
	fixture.Commit(t, root, "fix: spaces")
}

func misspell(t *testing.T, root string) {
	fixture.Write(t, filepath.Join(root, "chartgate.yaml"), "---\nfail-one: warning\n")
}

func switchBranch(t *testing.T, root string) { fixture.Git(t, root, "switch", "-q", "-c", "change") }
