package deps_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/deps"
)

const standIns = `
-- upstream/charts/redis/Chart.yaml --
apiVersion: v2
name: redis
version: 1.5.0
dependencies:
- {name: common, version: 2.x.x, repository: 'oci://registry.example.com/charts'}
-- upstream/charts/redis-1.4.0/Chart.yaml --
{apiVersion: v2, name: redis, version: 1.4.0}
-- upstream/charts/redis-cluster/Chart.yaml --
{apiVersion: v2, name: redis-cluster, version: 1.9.0}
-- upstream/charts/common/Chart.yaml --
{apiVersion: v2, name: common, version: 2.1.0, type: library}
-- upstream/charts/README.md --
Nothing to see.
`

func TestMirrorFolder(t *testing.T) {
	const from = "oci://registry.example.com/charts"
	tests := map[string]struct {
		constraint string
		mirror     deps.Mirror
		want       string // "" for an error
	}{
		"newest":            {"1.x.x", deps.Mirror{From: from, To: "upstream/charts"}, "redis 1.5.0 file upstream/charts/redis stand-in"},
		"of its own folder": {"1.4.x", deps.Mirror{From: from, To: "./upstream/charts"}, "redis 1.4.0 file upstream/charts/redis-1.4.0 stand-in"},
		"archive":           {"1.3.0", deps.Mirror{From: from, To: "upstream/charts/"}, "redis 1.3.0 file upstream/charts/redis-1.3.0.tgz stand-in"},
		"a part of it":      {"1.x.x", deps.Mirror{From: "oci://registry.example.com/", To: "upstream"}, "redis 1.5.0 file upstream/charts/redis stand-in"},
		"absolute":          {"1.x.x", deps.Mirror{From: from, To: "$DIR/upstream/charts"}, "redis 1.5.0 file $DIR/upstream/charts/redis stand-in"},
		"URL":               {"1.x.x", deps.Mirror{From: from, To: "file://$DIR/upstream/charts"}, "redis 1.5.0 file $DIR/upstream/charts/redis stand-in"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, standIns+webChart("- {name: redis, version: '"+tt.constraint+"', repository: '"+from+"'}\n"))
			if err := os.WriteFile(filepath.Join(r.dir, "upstream/charts/redis-1.3.0.tgz"), packed(t, "redis@1.3.0", "folder"), 0o600); err != nil {
				t.Fatal(err)
			}
			tt.mirror.To = r.expand(tt.mirror.To)
			common := deps.Mirror{From: "oci://elsewhere.example.com", To: "upstream/charts"}
			res := r.mustResolve(common, tt.mirror)
			wantSummary(t, r, res, tt.want)
			if names := res.StandIns(); len(names) != 1 || names[0] != "redis" {
				t.Errorf("stand-ins %q", names)
			}
			if res.Deps[0].Local != nil {
				t.Error("a stand-in is no chart of the tree")
			}
			wantGraph := "charts/redis=redis@1.5.0 charts/redis/charts/common=common@2.1.0"
			if strings.Contains(tt.want, "1.5.0") && !strings.HasSuffix(graphOf(t, res), wantGraph) {
				t.Errorf("graph %s", graphOf(t, res))
			}
		})
	}
}

func TestMirrorFolderErrors(t *testing.T) {
	const from = "oci://registry.example.com/charts"
	tests := map[string]struct{ dependency, to, want string }{
		"no version":    {"{name: redis, version: 2.x.x, repository: '" + from + "'}", "upstream/charts", `satisfies "2.x.x": it has 1.5.0, 1.4.0`},
		"no chart":      {"{name: etcd, version: 2.x.x, repository: '" + from + "'}", "upstream/charts", `has no chart "etcd"`},
		"no folder":     {"{name: redis, version: 1.x.x, repository: '" + from + "'}", "nowhere", "opening the mirror's folder"},
		"out by a link": {"{name: linked, version: 1.x.x, repository: '" + from + "'}", "upstream/charts", `has no chart "linked"`},
		"file:// out":   {"{name: leaves, version: 1.x.x, repository: '" + from + "'}", "upstream/charts", "leads out of the repository"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, standIns+webChart("- "+tt.dependency+"\n")+
				"-- upstream/charts/leaves/Chart.yaml --\n{apiVersion: v2, name: leaves, version: 1.0.0, dependencies: [{name: x, version: 1.0.0, repository: 'file://../../outside'}]}\n"+
				"-- outside/linked/Chart.yaml --\n{apiVersion: v2, name: linked, version: 1.0.0}\n")
			if err := os.Symlink(filepath.Join(r.dir, "outside/linked"), filepath.Join(r.dir, "upstream/charts/linked")); err != nil {
				t.Fatal(err)
			}
			_, err := r.resolve(deps.Mirror{From: from, To: tt.to})
			var errs deps.Errors
			if !errors.As(err, &errs) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestMirrorRepositories(t *testing.T) {
	tests := map[string]struct {
		repository string
		mirrors    []deps.Mirror
		want       string
	}{
		"oci to oci":   {"oci://registry.example.com/charts", []deps.Mirror{{From: "oci://registry.example.com/charts", To: "$OCI"}}, "redis 1.1.0 oci $OCI/redis:1.1.0"},
		"http to oci":  {"https://charts.example.com/", []deps.Mirror{{From: "https://charts.example.com", To: "$OCI"}}, "redis 1.1.0 oci $OCI/redis:1.1.0"},
		"oci to http":  {"oci://registry.example.com/charts", []deps.Mirror{{From: "oci://registry.example.com/charts", To: "$HTTP", StandIn: true}}, "redis 1.2.0 http $HTTP/redis-1.2.0.tgz stand-in"},
		"longest wins": {"oci://registry.example.com/charts", []deps.Mirror{{From: "oci://registry.example.com", To: "oci://127.0.0.1:1/x"}, {From: "oci://registry.example.com/charts", To: "$OCI"}}, "redis 1.1.0 oci $OCI/redis:1.1.0"},

		"name of Helm's":    {"@mine", []deps.Mirror{{From: "@mine", To: "$OCI"}}, "redis 1.1.0 oci $OCI/redis:1.1.0"},
		"not that prefix":   {"$OCI", []deps.Mirror{{From: "$PREFIX", To: "nowhere"}}, "redis 1.1.0 oci $OCI/redis:1.1.0"},
		"no mirror matches": {"$OCI", []deps.Mirror{{From: "https://example.com", To: "nowhere"}}, "redis 1.1.0 oci $OCI/redis:1.1.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, webChart("- {name: redis, version: 1.x.x, repository: '"+tt.repository+"'}\n"))
			r.push("redis@1.1.0")
			r.publish("redis@1.2.0")
			for i, m := range tt.mirrors {
				tt.mirrors[i].To = r.expand(m.To)
				tt.mirrors[i].From = strings.ReplaceAll(r.expand(m.From), "$PREFIX", r.oci[:len(r.oci)-1])
			}
			wantSummary(t, r, r.mustResolve(tt.mirrors...), tt.want)
		})
	}
}

// TestMirrorKeepsTheLock: a mirror changes where a chart is taken from, not what the lock was made of.
func TestMirrorKeepsTheLock(t *testing.T) {
	const from = "oci://registry.example.com/charts"
	lock := deps.LockDigest([][3]string{{"redis", "1.x.x", from}}, [][3]string{{"redis", "1.4.0", from}})
	r := newRig(t, standIns+webChart("- {name: redis, version: 1.x.x, repository: '"+from+"'}\n")+
		"-- charts/web/Chart.lock --\ndependencies: [{name: redis, version: 1.4.0, repository: '"+from+"'}]\ndigest: "+lock+"\ngenerated: \"2026-11-22T00:00:00Z\"\n")
	res := r.mustResolve(deps.Mirror{From: from, To: "upstream/charts"})
	wantSummary(t, r, res, "redis 1.4.0 file upstream/charts/redis-1.4.0 stand-in")
	if res.Lock != deps.LockInStep {
		t.Errorf("lock %s", res.Lock)
	}
}

func TestParseMirror(t *testing.T) {
	m, err := deps.ParseMirror("oci://a.example.com/charts=https://user:secret@b.example.com/?x=1")
	if err != nil || m.From != "oci://a.example.com/charts" || m.To != "https://user:secret@b.example.com/?x=1" {
		t.Errorf("%+v, %v", m, err)
	}
	for _, bad := range []string{"", "x", "=y", "oci://a=", "a=b", "charts=oci://a", "oci://a=s3://secret@b?secret", "file://a=b"} {
		if _, err := deps.ParseMirror(bad); err == nil || !strings.Contains(err.Error(), "reading mirror") || strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseMirror(%q): %v", bad, err)
		}
		m, _ := deps.ParseMirror(bad)
		if _, err := deps.New(deps.Options{Mirrors: []deps.Mirror{m}}); err == nil {
			t.Errorf("New with mirror %q passes", bad)
		}
	}
}
