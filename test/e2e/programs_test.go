//go:build e2e

// Package e2e runs the chartgate binary beside the real programs: helm, the
// distribution registry, git, make and pre-commit. tools/e2e.sh brings them.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/test/fixture"
)

// program finds a program: what the variable names, else what is on the PATH.
// Where there is none the test skips, and says so.
func program(t testing.TB, variable, name string) string {
	t.Helper()
	path, err := exec.LookPath(cmp.Or(os.Getenv(variable), name))
	if err != nil {
		t.Skipf("no %s here (put it on the PATH, or name it in %s): %v", name, variable, err)
	}
	return path
}

// binary is the chartgate binary: what CHARTGATE names, else one that is built.
func binary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("CHARTGATE"); path != "" {
		return path
	}
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "chartgate-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "chartgate")
	cmd := exec.Command("go", "build", "-o", path, "github.com/chartgate/chartgate/cmd/chartgate")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// result is what became of a process.
type result struct {
	code           int
	stdout, stderr string
	took           time.Duration
	peak           int64 // bytes of resident memory at the most; 0 where the system does not say
}

func (r result) all() string { return r.stdout + r.stderr }

// sandbox is a folder to work in and an environment without the machine's settings.
type sandbox struct {
	dir string
	env []string
}

func newSandbox(t testing.TB, more ...string) sandbox {
	return sandbox{dir: t.TempDir(), env: fixture.Env(t, more...)}
}

// in is the sandbox with another folder to work in.
func (s sandbox) in(dir string) sandbox { return sandbox{dir, s.env} }

// run runs a program to its end, whatever its exit code.
func (s sandbox) run(t testing.TB, name string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), time.Since(began), peakMemory(cmd.ProcessState)}
}

// must runs a program that has to end with the exit code.
func (s sandbox) must(t testing.TB, code int, name string, args ...string) result {
	t.Helper()
	r := s.run(t, name, args...)
	if r.code != code {
		t.Fatalf("%s %s: exit code %d, want %d\n%s", filepath.Base(name), strings.Join(args, " "), r.code, code, r.all())
	}
	return r
}

// want fails the test unless the output has each of the texts.
func (r result) want(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.all(), text) {
			t.Errorf("the output lacks %q:\n%s", text, r.all())
		}
	}
}
