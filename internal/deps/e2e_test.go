//go:build e2e

package deps_test

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/deps"
)

// helm runs the helm program: $HELM, else the one on the PATH.
func helm(t *testing.T, r *rig, args ...string) (string, error) {
	t.Helper()
	bin, err := exec.LookPath(cmp.Or(os.Getenv("HELM"), "helm"))
	if err != nil {
		t.Skipf("no helm to compare with (set HELM, or put it on the PATH): %v", err)
	}
	cmd := exec.CommandContext(t.Context(), bin, args...)
	home := t.TempDir()
	cmd.Dir = r.dir
	cmd.Env = []string{"HOME=" + home, "HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home,
		"HELM_REPOSITORY_CONFIG=" + filepath.Join(r.dir, "repositories.yaml"), "HELM_REPOSITORY_CACHE=" + home, "NO_PROXY=*"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestSameAsHelm compares with `helm dependency build && helm template && helm package`: the verdict, and the files that are packaged.
func TestSameAsHelm(t *testing.T) {
	const mine = "-- repositories.yaml --\napiVersion: ''\nrepositories:\n- {name: mine, url: $HTTP}\n"
	const common = "-- charts/common/Chart.yaml --\n{apiVersion: v2, name: common, version: 0.1.5}\n-- charts/common/templates/a.yaml --\na: b\n"
	tests := map[string]struct {
		tree string
		// packed are archives in charts/web/charts, of charts NAME@VERSION.
		packed []string
		// differs says on which purpose our verdict is another than Helm's: "stricter" or "milder", "" if it is the same.
		differs string
	}{
		"nothing":                 {tree: strings.Replace(webChart(""), "dependencies:\n", "", 1)},
		"ranges":                  {tree: webChart("- {name: redis, version: 1.x.x, repository: $OCI}\n- {name: etcd, version: ^1, repository: $HTTP}\n")},
		"trailing slash":          {tree: webChart("- {name: etcd, version: ^1, repository: $HTTP/}\n")},
		"two versions":            {tree: webChart("- {name: redis, version: 1.x.x, repository: $OCI, alias: a}\n- {name: redis, version: 1.x.x, repository: $OCI, alias: b}\n")},
		"pre-release by name":     {tree: webChart("- {name: redis, version: 3.0.0-rc.1, repository: $OCI}\n")},
		"pre-release by range":    {tree: webChart("- {name: redis, version: '>=3.0.0-0', repository: $OCI}\n")},
		"pre-release not meant":   {tree: webChart("- {name: redis, version: '>=3.0.0', repository: $OCI}\n")},
		"build metadata":          {tree: webChart("- {name: redis, version: 2.1.x, repository: $OCI}\n")},
		"no such version":         {tree: webChart("- {name: redis, version: 7.x.x, repository: $OCI}\n")},
		"no such exact version":   {tree: webChart("- {name: redis, version: 7.0.0, repository: $OCI}\n")},
		"no such chart":           {tree: webChart("- {name: none, version: 7.0.0, repository: $OCI}\n")},
		"not in the index":        {tree: webChart("- {name: none, version: 7.0.0, repository: $HTTP}\n")},
		"not in the index, range": {tree: webChart("- {name: etcd, version: 7.x.x, repository: $HTTP}\n")},
		"not a constraint":        {tree: webChart("- {name: redis, version: latest, repository: $OCI}\n")},
		"no version":              {tree: webChart("- {name: redis, repository: $OCI}\n")},
		"name of a repository":    {tree: mine + webChart("- {name: etcd, version: 1.x.x, repository: '@mine'}\n")},
		"alias of a repository":   {tree: mine + webChart("- {name: etcd, version: 1.x.x, repository: 'alias:mine'}\n")},
		"unknown name":            {tree: mine + webChart("- {name: etcd, version: 1.x.x, repository: '@other'}\n")},
		"word for a repository":   {tree: mine + webChart("- {name: etcd, version: 1.x.x, repository: stable}\n")},
		"file":                    {tree: common + webChart("- {name: common, version: '>=0.1.0', repository: 'file://../common'}\n")},
		"file, wrong version":     {tree: common + webChart("- {name: common, version: '>=1.1.0', repository: 'file://../common'}\n")},
		"file, missing":           {tree: common + webChart("- {name: common, version: '>=1.1.0', repository: 'file://../none'}\n")},
		"file, other name":        {tree: common + webChart("- {name: other, version: '>=0.1.0', repository: 'file://../common'}\n")},
		"file with its own":       {tree: webChart("- "+onFile("mid")+"\n") + chartYAML("mid", "1.0.0", "{name: own, version: 1.x.x, repository: $OCI}") + "-- charts/mid/charts/own/Chart.yaml --\n{apiVersion: v2, name: own, version: 1.2.3}\n"},
		"file without its own":    {tree: webChart("- "+onFile("mid")+"\n") + chartYAML("mid", "1.0.0", "{name: none, version: 1.x.x, repository: $OCI}"), differs: "stricter"},
		"cycle":                   {tree: webChart("- "+onFile("mid")+"\n") + chartYAML("mid", "1.0.0", onFile("web")), differs: "stricter"},
		"out of the tree":         {tree: webChart("- {name: common, version: '*', repository: 'file://../../../outside'}\n")},
		"lock in step":            {tree: lockedTree},
		"legacy lock in step":     {tree: legacyTree},
		"lock of nothing":         {tree: emptyTree},
		"lock out of step":        {tree: strings.Replace(lockedTree, ">=0.1.0", ">=0.1.1", 1)},
		"legacy out of step":      {tree: strings.Replace(legacyTree, "0.1.x", "0.x.x", 1)},
		"Helm 2's digest":         {tree: strings.Replace(legacyTree, "7fb529d8fe40820a28375b9c2cd2de27a7051e5b5b54ed0a47dcf0358f269eb7", "cb5f54ff3d3911e5dc305dee18c9e435966ad2665c4704859b44cc8615aa1140", 1)},
		"lock behind the file":    {tree: strings.Replace(lockedTree, "version: 0.1.5}", "version: 0.1.6}", 1)},
		"vendored":                {tree: webChart("- {name: own, version: 1.x.x, repository: ''}\n") + "-- charts/web/charts/own/Chart.yaml --\n{apiVersion: v2, name: own, version: 1.2.3}\n-- charts/web/charts/extra/Chart.yaml --\n{apiVersion: v2, name: extra, version: 1.2.3}\n"},
		"vendored, wrong version": {tree: webChart("- {name: own, version: 2.x.x, repository: ''}\n") + "-- charts/web/charts/own/Chart.yaml --\n{apiVersion: v2, name: own, version: 1.2.3}\n"},
		"vendored, other name":    {tree: webChart("- {name: own, version: 1.x.x, repository: ''}\n") + "-- charts/web/charts/own/Chart.yaml --\n{apiVersion: v2, name: other, version: 1.2.3}\n"},
		"vendored, missing":       {tree: webChart("- {name: own, version: 2.x.x, repository: ''}\n")},
		"vendored, own folder":    {tree: webChart("- {name: own, version: 1.x.x, repository: 'file://./charts/own'}\n") + "-- charts/web/charts/own/Chart.yaml --\n{apiVersion: v2, name: own, version: 1.2.3}\n"},
		"locked, not added":       {tree: lockedHTTP, differs: "milder"},
		"locked, added":           {tree: mine + lockedHTTP},
		"archive only":            {tree: webChart("- {name: own, version: 1.x.x, repository: ''}\n"), packed: []string{"own@1.2.3"}},
		"archives beside others":  {tree: webChart("- {name: redis, version: 1.x.x, repository: $OCI}\n"), packed: []string{"own@1.2.3", "redis@1.0.0", "redis@1.10.0"}},
		"archives of nothing":     {tree: strings.Replace(webChart(""), "dependencies:\n", "", 1), packed: []string{"own@1.2.3", "redis@1.0.0"}},
		"archives, empty list":    {tree: emptyTree, packed: []string{"own@1.2.3"}},
		"archive and folder":      {tree: webChart("- {name: own, version: 1.x.x, repository: ''}\n") + "-- charts/web/charts/own/Chart.yaml --\n{apiVersion: v2, name: own, version: 1.2.3}\n", packed: []string{"other@1.2.3"}},
		"scheme":                  {tree: webChart("- {name: redis, version: 1.0.0, repository: 's3://bucket/x'}\n")},
		"archive of another name": {tree: webChart("- {name: liar, version: 1.0.0, repository: $OCI}\n")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "")
			r.push("redis@1.0.0", "redis@1.9.0", "redis@1.10.0", "redis@2.0.0", "redis@2.1.0", "redis@2.1.3+build.1", "redis@3.0.0-rc.1")
			r.publish("etcd@1.0.0", "etcd@1.2.0", "etcd@2.0.0")
			r.pushArchive("liar@1.0.0", packed(t, "truth@1.0.0", ""))
			r.write(strings.ReplaceAll(tt.tree, "$LOCK", deps.LockDigest([][3]string{{"etcd", "1.x.x", r.http}}, [][3]string{{"etcd", "1.0.0", r.http}})))
			for _, p := range tt.packed {
				r.writeFile("charts/web/charts/"+strings.Replace(p, "@", "-", 1)+".tgz", packed(t, p, "vendored"))
			}
			res, err := r.resolve() // before helm changes the tree
			theirs, helmErr := helmVerdict(t, r)
			if (err == nil) != (helmErr == nil) && tt.differs == "" || tt.differs == "stricter" && (err == nil || helmErr != nil) ||
				tt.differs == "milder" && (err != nil || helmErr == nil) {
				t.Fatalf("we say: %v\nhelm says: %v\n%s", err, helmErr, theirs)
			}
			if err != nil || helmErr != nil {
				return
			}
			sameFiles(t, r, res)
		})
	}
}

const lockedHTTP = `
-- charts/web/Chart.yaml --
{apiVersion: v2, name: web, version: 1.0.0, dependencies: [{name: etcd, version: 1.x.x, repository: "$HTTP"}]}
-- charts/web/Chart.lock --
dependencies: [{name: etcd, version: 1.0.0, repository: "$HTTP"}]
digest: $LOCK
generated: "2026-11-22T00:00:00Z"
`

func helmVerdict(t *testing.T, r *rig) (string, error) {
	t.Helper()
	if out, err := helm(t, r, "dependency", "build", "charts/web"); err != nil {
		return out, err
	}
	return helm(t, r, "template", "charts/web")
}

func sameFiles(t *testing.T, r *rig, res *deps.Resolved) {
	t.Helper()
	dir := t.TempDir()
	if out, err := helm(t, r, "package", "charts/web", "-d", dir); err != nil {
		t.Fatalf("helm package: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "web-1.0.0.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	_, want, err := archive.Read(bytes.NewReader(data), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := res.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range archive.Compare(want, got) {
		if c.Path == "Chart.lock" && res.Lock != deps.LockInStep {
			continue // helm dependency build wrote one
		}
		t.Errorf("%s, compared with helm package", c)
	}
}
