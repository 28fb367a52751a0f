package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// contestant is one thing that is timed.
type contestant struct {
	name, what string
	needs      []string // programs
	script     string   // bash, in the repository
	prepare    string   // bash before each run, not timed
	chartgate  bool     // repeated, and the median counts
}

// clean removes what helm left in the work tree, as a job's fresh clone would not have it.
const clean = `git clean -qfdx . && git checkout -q . && rm -rf "$HOME/helm"`

// validate is chartgate over all charts, with all five checks.
const validate = `chartgate validate --plain-http -v >/dev/null 2>&1; test $? -le 1`

func contestants() []contestant {
	return []contestant{
		{"job lint-and-test", "helm dependency update, lint and template of each chart", []string{"helm"}, `
for c in charts/*/; do
  helm dependency update "$c" --plain-http >/dev/null 2>&1
  helm lint "$c" >/dev/null 2>&1
  helm template x "$c" >/dev/null 2>&1
  for v in "$c"ci/*-values.yaml; do [ -e "$v" ] && helm template x "$c" -f "$v" >/dev/null 2>&1; done
done; true`, clean, false},
		{"job version-check", "the version of each chart against the commit before", []string{"git"}, `
for c in charts/*/; do
  new=$(sed -n 's/^version: //p' "$c"Chart.yaml)
  old=$(git show "HEAD:$c/Chart.yaml" 2>/dev/null | sed -n 's/^version: //p')
  git diff --quiet HEAD -- "$c" || [ "$new" != "$old" ] || echo "$c"
done >/dev/null; true`, clean, false},
		{"job yaml-lint", "yamllint over the values files", []string{"yamllint"}, `yamllint charts >/dev/null 2>&1; true`, clean, false},
		{"job chart-schema", "the required fields of each Chart.yaml", []string{"grep"}, `
for c in charts/*/Chart.yaml; do for f in apiVersion name version description type maintainers; do grep -q "^$f:" "$c" || echo "$c $f"; done; done >/dev/null; true`, clean, false},
		{"job kubesec", "helm dependency update and template of each chart into kubesec", []string{"helm", "kubesec"}, `
for c in charts/*/; do
  helm dependency update "$c" --plain-http >/dev/null 2>&1
  helm template x "$c" 2>/dev/null | kubesec scan --schema-location "$HOME/none" - >/dev/null 2>&1
done; true`, clean, false},
		{"chart-testing", "ct lint of all charts", []string{"ct", "helm", "yamllint"},
			`ct lint --all --chart-dirs charts --validate-maintainers=false --validate-chart-schema=false --check-version-increment=false --lint-conf .yamllint --helm-dependency-extra-args=--plain-http >/dev/null 2>&1; true`, clean, false},
		{"helm template", "helm template of each chart, its dependencies in place", []string{"helm"}, `for c in charts/*/; do helm template x "$c" >/dev/null 2>&1; done; true`, vendored, false},
		{"helm's engine", "Helm's engine over all charts in one process", nil, `"$BENCH" -act helm-engine charts`, vendored, true},
		{"chartgate render pass", "chartgate's engine over all charts in one process", nil, `"$BENCH" -act chartgate-engine charts`, vendored, true},
		{"chartgate cold", "chartgate validate, all five checks, nothing kept from before", []string{"chartgate"}, validate, clean + ` && rm -rf "$CHARTGATE_CACHE_DIR"`, true},
		{"chartgate warm", "the same again, nothing changed", []string{"chartgate"}, validate, validate, true},
		{"chartgate one changed", "one chart of all changed", []string{"chartgate"}, validate, validate + ` && echo "# $RANDOM$RANDOM" >>"$FIRST/values.yaml"`, true},
		{"chartgate one file", "the pre-commit hook, on one file", []string{"chartgate"}, `chartgate validate --plain-http --touched "$FIRST/values.yaml" >/dev/null 2>&1; test $? -le 1`,
			validate + ` && echo "# $RANDOM$RANDOM" >>"$FIRST/values.yaml"`, true},
	}
}

// vendored puts the dependencies of all charts in place, once.
const vendored = `for c in charts/*/; do [ -d "$c/charts" ] || ! grep -q '^dependencies:' "$c/Chart.yaml" || helm dependency update "$c" --plain-http >/dev/null 2>&1; done; true`

// measure runs the contestant.
func (c contestant) measure(ctx context.Context, p *place, runs int) (figure, error) {
	for _, name := range c.needs {
		if _, err := exec.LookPath(name); err != nil {
			return figure{Name: c.name, Note: "no " + name}, nil
		}
	}
	if !c.chartgate {
		runs = 1
	}
	var all []figure
	for range max(runs, 1) {
		if c.prepare != "" {
			if _, err := c.bash(ctx, p, c.prepare); err != nil {
				return figure{}, fmt.Errorf("preparing: %w", err)
			}
		}
		f, err := c.bash(ctx, p, c.script)
		if err != nil {
			return figure{}, err
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b figure) int { return int(1e6 * (a.Wall - b.Wall)) })
	return all[len(all)/2], nil
}

func (c contestant) bash(ctx context.Context, p *place, script string) (figure, error) {
	self, err := os.Executable()
	if err != nil {
		return figure{}, err
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = p.repo
	cmd.Env = append(slices.Clone(p.env), "BENCH="+self, "FIRST="+strings.TrimPrefix(p.charts[0], p.repo+"/"), "CHARTGATE_CACHE_DIR="+filepath.Join(p.work, "cache"))
	cmd.Stderr = os.Stderr
	began := time.Now()
	err = cmd.Run()
	f := figure{Name: c.name, Wall: time.Since(began).Seconds()}
	if cmd.ProcessState == nil || err != nil {
		return f, errors.Join(err, ctx.Err())
	}
	f.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.Memory = usage.Maxrss << 10
	}
	return f, nil
}
