package deps_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/deps"
)

// The digests of these locks are Helm's: `helm dependency update` wrote them.
const lockedTree = `
-- charts/common/Chart.yaml --
{apiVersion: v2, name: common, version: 0.1.5}
-- charts/web/Chart.yaml --
apiVersion: v2
name: web
version: 1.0.0
dependencies:
- name: common
  version: ">=0.1.0 <1"
  repository: file://../common
  condition: common.enabled
  tags: [a, "<b>"]
  alias: base
  import-values:
  - data
  - {child: x, parent: y}
-- charts/web/Chart.lock --
dependencies:
- name: common
  repository: file://../common
  version: 0.1.5
digest: sha256:099d1d1918f7ba3a60ee574f752c8a7275265b581adfaca07b938e77654ebe41
generated: "2026-11-22T03:48:35.973317878Z"
`

const legacyTree = `
-- charts/common/Chart.yaml --
{apiVersion: v2, name: common, version: 0.1.5}
-- charts/web/Chart.yaml --
{apiVersion: v1, name: web, version: 1.0.0}
-- charts/web/requirements.yaml --
dependencies:
- {name: common, version: 0.1.x, repository: "file://../common"}
-- charts/web/requirements.lock --
dependencies:
- name: common
  repository: file://../common
  version: 0.1.5
digest: sha256:7fb529d8fe40820a28375b9c2cd2de27a7051e5b5b54ed0a47dcf0358f269eb7
generated: "2026-11-22T03:48:36.018704795Z"
`

const emptyTree = `
-- charts/web/Chart.yaml --
{apiVersion: v2, name: web, version: 1.0.0, dependencies: []}
-- charts/web/Chart.lock --
dependencies: []
digest: sha256:643d5437104296e21d906ecb15b2c96ad278f20cfc4af53b12bb6069bd853726
generated: "2026-11-22T03:48:36.064563427Z"
`

func TestLockInStep(t *testing.T) {
	tests := map[string]string{
		"Helm 3":               lockedTree,
		"requirements.lock":    legacyTree,
		"Helm 2":               strings.Replace(legacyTree, "7fb529d8fe40820a28375b9c2cd2de27a7051e5b5b54ed0a47dcf0358f269eb7", "cb5f54ff3d3911e5dc305dee18c9e435966ad2665c4704859b44cc8615aa1140", 1),
		"nothing to be locked": emptyTree,
	}
	for name, tree := range tests {
		t.Run(name, func(t *testing.T) {
			if res := newRig(t, tree).mustResolve(); res.Lock != deps.LockInStep {
				t.Errorf("lock %s", res.Lock)
			}
		})
	}
}

func TestLockOutOfStep(t *testing.T) {
	tests := map[string]struct{ tree, old, new, want, file string }{
		"constraint":      {lockedTree, ">=0.1.0 <1", ">=0.1.1 <1", "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml)", "Chart.lock"},
		"alias":           {lockedTree, "alias: base", "alias: basis", "out of sync", "Chart.lock"},
		"import-values":   {lockedTree, "parent: y", "parent: z", "out of sync", "Chart.lock"},
		"locked version":  {lockedTree, "version: 0.1.5\ndigest", "version: 0.1.4\ndigest", "out of sync", "Chart.lock"},
		"digest":          {lockedTree, "099d", "199d", "out of sync", "Chart.lock"},
		"no digest":       {lockedTree, "digest: sha256:099d1d1918f7ba3a60ee574f752c8a7275265b581adfaca07b938e77654ebe41", "", "out of sync", "Chart.lock"},
		"requirements":    {legacyTree, "0.1.x", "0.x.x", "the lock file (requirements.lock) is out of sync with the dependencies file (requirements.yaml)", "requirements.lock"},
		"empty entry":     {lockedTree, "- name: common\n  repository: file://../common\n  version: 0.1.5\ndigest", "-\ndigest", "entry 0 of the lock is empty", "Chart.lock"},
		"null, not empty": {emptyTree, ", dependencies: []}", "}", "out of sync", "Chart.lock"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(tt.tree, tt.old) {
				t.Fatalf("the tree has no %q", tt.old)
			}
			_, err := newRig(t, strings.Replace(tt.tree, tt.old, tt.new, 1)).resolve()
			var errs deps.Errors
			if !errors.As(err, &errs) || len(errs) != 1 || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error = %v, want %q", err, tt.want)
			}
			if e := errs[0]; e.Kind != deps.KindLock || e.File != tt.file || e.Index != -1 || !strings.Contains(e.Hint, "helm dependency update") {
				t.Errorf("error %+v", e)
			}
		})
	}
}

// lockOf writes the lock that fits: the resolver's own word on a wrong digest is not to be had, so it is found by asking.
func lockOf(t *testing.T, dependencies, locked string) string {
	t.Helper()
	return webChart(dependencies) + "-- charts/web/Chart.lock --\ndependencies:\n" + locked + "generated: \"2026-11-22T00:00:00Z\"\ndigest: $DIGEST\n"
}

func TestLockedVersions(t *testing.T) {
	dependencies := `- {name: redis, version: 1.x.x, repository: $OCI}
- {name: etcd, version: 1.x.x, repository: '@mine'}
`
	locked := `- {name: redis, version: 1.1.0, repository: $OCI}
- {name: etcd, version: 1.2.0, repository: $HTTP}
`
	r := newRig(t, "-- repositories.yaml --\nrepositories: [{name: mine, url: $HTTP}]\n")
	r.push("redis@1.0.0", "redis@1.1.0", "redis@1.9.0")
	r.publish("etcd@1.2.0", "etcd@1.9.0")
	digest := deps.LockDigest(
		[][3]string{{"redis", "1.x.x", r.oci}, {"etcd", "1.x.x", r.http}},
		[][3]string{{"redis", "1.1.0", r.oci}, {"etcd", "1.2.0", r.http}})
	r.write(strings.Replace(lockOf(t, dependencies, locked), "$DIGEST", digest, 1))
	res := r.mustResolve()
	wantSummary(t, r, res, "redis 1.1.0 oci $OCI/redis:1.1.0", "etcd 1.2.0 http $HTTP/etcd-1.2.0.tgz")
	if res.Lock != deps.LockInStep || len(res.Unlocked) > 0 || res.Deps[1].Repository != "@mine" {
		t.Errorf("lock %s, unlocked %q, repository %q", res.Lock, res.Unlocked, res.Deps[1].Repository)
	}
	if n := r.web.requests("GET", "/tags/list"); n != 0 {
		t.Errorf("asked for the tags %d times although there is a lock", n)
	}
}

func TestLockThatDoesNotSatisfy(t *testing.T) {
	r := newRig(t, "")
	r.push("redis@2.0.0")
	digest := deps.LockDigest([][3]string{{"redis", "1.x.x", r.oci}}, [][3]string{{"redis", "2.0.0", r.oci}})
	r.write(strings.Replace(lockOf(t, "- {name: redis, version: 1.x.x, repository: $OCI}\n", "- {name: redis, version: 2.0.0, repository: $OCI}\n"), "$DIGEST", digest, 1))
	_, err := r.resolve()
	var errs deps.Errors
	if !errors.As(err, &errs) || errs[0].Kind != deps.KindLock || !strings.Contains(err.Error(), `the lock has version 2.0.0, which "1.x.x" does not allow`) {
		t.Errorf("error = %v", err)
	}
}

func TestLockedFileVersion(t *testing.T) {
	r := newRig(t, lockedTree)
	r.write("-- charts/common/Chart.yaml --\n{apiVersion: v2, name: common, version: 0.1.6}\n")
	_, err := r.resolve()
	var errs deps.Errors
	if !errors.As(err, &errs) || errs[0].Kind != deps.KindLock || !strings.Contains(err.Error(), `the chart in charts/common has version 0.1.6, the lock has 0.1.5`) {
		t.Errorf("error = %v", err)
	}
}

func TestLockStates(t *testing.T) {
	tests := map[string]struct {
		tree string
		want deps.LockState
	}{
		"no dependencies":   {webChart("")[:strings.Index(webChart(""), "dependencies:")], deps.LockNotNeeded},
		"only local ones":   {webChart("- {name: common, version: '>=0.1.0', repository: 'file://../common'}\n") + "-- charts/common/Chart.yaml --\n{apiVersion: v2, name: common, version: 0.1.5}\n", deps.LockNotNeeded},
		"exact versions":    {webChart("- {name: redis, version: 1.1.0, repository: $OCI}\n"), deps.LockExact},
		"with a v":          {webChart("- {name: redis, version: v1.1.0, repository: $HTTP}\n"), deps.LockExact},
		"a range":           {webChart("- {name: redis, version: ^1.1.0, repository: $OCI}\n"), deps.LockMissing},
		"two parts":         {webChart("- {name: redis, version: '1.1', repository: $HTTP}\n"), deps.LockMissing},
		"range further in":  {webChart("- {name: common, version: '>=0.1.0', repository: 'file://../common'}\n") + "-- charts/common/Chart.yaml --\n{apiVersion: v2, name: common, version: 0.1.5, dependencies: [{name: redis, version: 1.x.x, repository: $OCI}]}\n", deps.LockMissing},
		"exact, further in": {webChart("- {name: common, version: '>=0.1.0', repository: 'file://../common'}\n") + "-- charts/common/Chart.yaml --\n{apiVersion: v2, name: common, version: 0.1.5, dependencies: [{name: redis, version: 1.1.0, repository: $OCI}]}\n", deps.LockExact},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.tree)
			r.push("redis@1.1.0")
			r.publish("redis@1.1.0")
			res := r.mustResolve()
			if res.Lock != tt.want || (len(res.Unlocked) > 0) != (tt.want == deps.LockMissing) {
				t.Errorf("lock %s, unlocked %q, want %s", res.Lock, res.Unlocked, tt.want)
			}
			if name == "range further in" && res.Unlocked[0] != "redis (1.x.x) of charts/common" {
				t.Errorf("unlocked %q", res.Unlocked)
			}
		})
	}
}
