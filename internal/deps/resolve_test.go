package deps_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/store"
)

// webChart is charts/web with dependencies in YAML's flow style.
func webChart(dependencies string) string {
	return "-- charts/web/Chart.yaml --\napiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n" + dependencies
}

func TestNewestThatTheConstraintAllows(t *testing.T) {
	versions := []string{"redis@1.0.0", "redis@1.9.0", "redis@1.10.0", "redis@2.0.0-rc.1", "redis@2.0.0", "redis@3.0.0-beta.1", "redis@1.10.1+build.5"}
	tests := map[string]string{ // constraint: version
		"1.x.x": "1.10.1+build.5", "^1.0.0": "1.10.1+build.5", "1.9.0": "1.9.0", ">=1.0.0": "2.0.0", ">=2.0.0-0": "3.0.0-beta.1", "*": "2.0.0",
		"2.0.0-rc.1": "2.0.0-rc.1", "~1.9": "1.9.0", "1.10.1+build.5": "1.10.1+build.5",
	}
	r := newRig(t, "")
	r.push(versions...)
	r.publish(versions...)
	for constraint, want := range tests {
		for _, repository := range []string{"$OCI", "$HTTP"} {
			t.Run(constraint+" "+repository, func(t *testing.T) {
				r.t = t
				r.write(webChart("- {name: redis, version: '" + constraint + "', repository: '" + repository + "'}\n"))
				res := r.mustResolve()
				if got := res.Deps[0].Version; got != want {
					t.Errorf("version %s, want %s", got, want)
				}
				if got := graphOf(t, res); got != ".=web@1.0.0 charts/redis=redis@"+want {
					t.Errorf("graph %s", got)
				}
			})
		}
	}
}

func TestWhereDependenciesComeFrom(t *testing.T) {
	r := newRig(t, webChart(`
- {name: redis, version: 1.x.x, repository: $OCI, condition: redis.enabled}
- {name: etcd, version: 2.0.0, repository: $HTTP/, alias: kv}
- {name: common, version: ^0.1.0, repository: 'file://../common'}
- {name: own, version: '>=1', repository: ''}
`)+`
-- charts/common/Chart.yaml --
{apiVersion: v2, name: common, version: 0.1.5, type: library}
-- charts/web/charts/own/Chart.yaml --
{apiVersion: v2, name: own, version: 1.2.3}
-- charts/web/charts/extra/Chart.yaml --
{apiVersion: v2, name: extra, version: 9.0.0}
`)
	r.push("redis@1.2.0")
	r.publish("etcd@2.0.0")
	res := r.mustResolve()
	wantSummary(t, r, res,
		"redis 1.2.0 oci $OCI/redis:1.2.0",
		"etcd 2.0.0 http $HTTP/etcd-2.0.0.tgz",
		"common 0.1.5 file charts/common",
		"own 1.2.3 vendored charts/own",
		"extra 9.0.0 vendored charts/extra")
	want := ".=web@1.0.0 charts/common=common@0.1.5 charts/etcd=etcd@2.0.0 charts/extra=extra@9.0.0 charts/own=own@1.2.3 charts/redis=redis@1.2.0"
	if got := graphOf(t, res); got != want {
		t.Errorf("graph %s", got)
	}
	redis, etcd := res.Deps[0], res.Deps[1]
	if redis.Constraint != "1.x.x" || redis.Repository != r.oci || redis.Index != 0 || etcd.Alias != "kv" || res.Deps[4].Index != -1 {
		t.Errorf("redis %+v\netcd %+v", redis, etcd)
	}
	if res.Deps[2].Local != r.repo.At("charts/common") || redis.Local != nil {
		t.Error("a chart of the tree, and no other, is Local")
	}
	files, err := archive.FromChart(redis.Helm())
	if err != nil || redis.Digest != archive.Digest(files) {
		t.Errorf("digest %s of %v, %v", redis.Digest, files, err)
	}
	if res.Lock != deps.LockMissing || strings.Join(res.Unlocked, ",") != "redis (1.x.x)" {
		t.Errorf("lock %s, unlocked %q", res.Lock, res.Unlocked)
	}
}

func TestSeveralDependenciesOnOneChart(t *testing.T) {
	r := newRig(t, webChart(`
- {name: redis, version: 1.x.x, repository: $OCI, alias: one}
- {name: redis, version: 1.x.x, repository: $OCI, alias: two}
- {name: redis, version: 2.x.x, repository: $OCI, alias: three}
`))
	r.push("redis@1.0.0", "redis@2.0.0")
	res := r.mustResolve()
	if len(res.Deps) != 3 {
		t.Errorf("dependencies %v", summary(r, res))
	}
	if subs := res.Helm().Dependencies(); len(subs) != 2 || subs[0].Metadata.Version != "1.0.0" || subs[1].Metadata.Version != "2.0.0" {
		t.Errorf("%d subcharts, want the two versions in order", len(subs))
	}
}

func TestTree(t *testing.T) {
	tree := `
-- charts/redis/Chart.yaml --
apiVersion: v2
name: redis
version: 1.5.0
dependencies:
- {name: common, version: 1.x.x, repository: $OCI}
`
	tests := map[string]struct{ constraint, want string }{
		"in the tree":               {"^1.0.0", "redis 1.5.0 tree charts/redis"},
		"exactly that":              {"1.5.0", "redis 1.5.0 tree charts/redis"},
		"an older one is published": {"1.4.0", "redis 1.4.0 oci $OCI/redis:1.4.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tree+webChart("- {name: redis, version: '"+tt.constraint+"', repository: $OCI/}\n"))
			r.push("redis@1.4.0", "redis@1.9.0", "common@1.1.0")
			r.opt.PublishTargets = []string{r.oci}
			res := r.mustResolve()
			wantSummary(t, r, res, tt.want)
			if strings.Contains(tt.want, "tree") {
				if got := graphOf(t, res); !strings.HasSuffix(got, "charts/redis=redis@1.5.0 charts/redis/charts/common=common@1.1.0") {
					t.Errorf("graph %s", got)
				}
			}
			r.opt.PublishTargets = []string{r.oci + "x"}
			res, err := r.resolve()
			if err == nil && res.Deps[0].Origin == deps.OriginTree {
				t.Error("from the tree, which is published elsewhere")
			}
		})
	}
}

func TestAllErrorsTogether(t *testing.T) {
	r := newRig(t, webChart(`
- {name: good, version: 1.x.x, repository: $OCI}
- {name: redis, version: ^7.0.0, repository: $OCI}
- {name: nowhere, version: 1.0.0, repository: $HTTP}
- {name: etcd, version: 3.x.x, repository: $HTTP}
- {name: own, version: 1.x.x, repository: ''}
- {name: word, version: latest, repository: $OCI}
- {name: stable, version: 1.0.0, repository: stable}
- {name: added, version: 1.0.0, repository: '@mine'}
- {name: bucket, version: 1.0.0, repository: 's3://bucket/charts'}
- {name: closed, version: 1.0.0, repository: 'http://ada:secret@127.0.0.1:1/charts?token=secret'}
- {name: Upper, version: 1.0.0, repository: $OCI}
- {name: gone, version: 1.2.3, repository: $OCI}
`))
	r.push("good@1.0.0", "redis@6.0.0", "redis@6.1.0")
	r.publish("etcd@2.0.0")
	_, err := r.resolve()
	var errs deps.Errors
	if !errors.As(err, &errs) {
		t.Fatalf("error = %v", err)
	}
	want := []struct {
		index int
		kind  deps.Kind
		field string
		text  string
	}{
		{1, deps.KindVersion, "version", `no version in $OCI/redis satisfies "^7.0.0": it has 6.1.0, 6.0.0`},
		{2, deps.KindMissing, "name", `the index of $HTTP has no chart "nowhere"`},
		{3, deps.KindVersion, "version", `no version in $HTTP satisfies "3.x.x": it has 2.0.0`},
		{4, deps.KindMissing, "repository", `it has no repository, and there is no folder charts/own`},
		{5, deps.KindVersion, "version", `"latest" is neither a version nor a range of versions`},
		{6, deps.KindLocation, "repository", `"stable" is not the URL of a repository`},
		{7, deps.KindLocation, "repository", `no repository definition for "@mine"`},
		{8, deps.KindLocation, "repository", `"s3://bucket/charts" is neither an oci:// nor an https:// URL`},
		{9, deps.KindFetch, "", `connection refused`},
		{10, deps.KindLocation, "repository", `Upper`},
		{11, deps.KindMissing, "", `404`},
	}
	if len(errs) != len(want) {
		t.Fatalf("%d errors, want %d: %v", len(errs), len(want), err)
	}
	for i, w := range want {
		e := errs[i]
		if e.Index != w.index || e.Kind != w.kind || e.Field != w.field || !strings.Contains(e.Error(), r.expand(w.text)) || e.File != "Chart.yaml" {
			t.Errorf("error %d: index %d, kind %s, field %q: %v\nwant %+v", i, e.Index, e.Kind, e.Field, e, w)
		}
		if strings.Contains(e.Error()+strings.Join(e.Tried, " ")+e.Hint, "secret") {
			t.Errorf("a secret in %q, %q, %q", e.Error(), e.Tried, e.Hint)
		}
	}
	if len(errs[8].Tried) == 0 || len(errs[10].Tried) == 0 || errs[7].Hint == "" {
		t.Errorf("what was tried is missing: %q %q, or the hint: %q", errs[8].Tried, errs[10].Tried, errs[7].Hint)
	}
}

func TestArchivesThatAreNotWhatWasAskedFor(t *testing.T) {
	link := `{apiVersion: v2, name: redis, version: 1.0.0}`
	tests := map[string]struct {
		archive []byte
		want    string
	}{
		"another name":    {packed(t, "valkey@1.0.0", ""), `is named "valkey"`},
		"another version": {packed(t, "redis@1.0.1", ""), `says that it is version 1.0.1`},
		"no chart":        {archiveOf(t, "redis", "README.md", "hello"), "Chart.yaml file is missing"},
		"no archive":      {[]byte("hello"), "not a gzipped tar archive"},
		"broken chart":    {archiveOf(t, "redis", "Chart.yaml", "a: ["), "cannot load Chart.yaml"},
		"broken subchart": {archiveOf(t, "redis", "Chart.yaml", link, "charts/x.tgz", "no"), "error unpacking subchart x.tgz in redis"},
		"a bomb":          {archiveOf(t, "redis", "Chart.yaml", link, "x", strings.Repeat("\x00", 6<<20)), "more than 5242880 bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, webChart("- {name: redis, version: 1.0.0, repository: $OCI}\n"))
			r.pushArchive("redis@1.0.0", tt.archive)
			_, err := r.resolve()
			var errs deps.Errors
			if !errors.As(err, &errs) || errs[0].Kind != deps.KindArchive || !strings.Contains(err.Error(), tt.want) ||
				!strings.Contains(err.Error(), r.oci+"/redis:1.0.0") {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestIndexDigest(t *testing.T) {
	r := newRig(t, webChart("- {name: redis, version: 1.0.0, repository: $HTTP}\n"))
	r.publish("redis@1.0.0!" + strings.Repeat("0", 64))
	_, err := r.resolve()
	if err == nil || !strings.Contains(err.Error(), "index says sha256:0000") {
		t.Errorf("error = %v", err)
	}
}

func TestRepositoryNames(t *testing.T) {
	r := newRig(t, webChart(`
- {name: redis, version: 1.x.x, repository: '@mine'}
- {name: etcd, version: 1.x.x, repository: 'alias:mine'}
`)+"-- repositories.yaml --\napiVersion: ''\nrepositories:\n- {name: mine, url: $HTTP}\n")
	r.publish("redis@1.1.0", "etcd@1.2.0")
	wantSummary(t, r, r.mustResolve(), "redis 1.1.0 http $HTTP/redis-1.1.0.tgz", "etcd 1.2.0 http $HTTP/etcd-1.2.0.tgz")
}

func TestOffline(t *testing.T) {
	r := newRig(t, webChart(`
- {name: redis, version: 1.x.x, repository: $OCI}
- {name: etcd, version: 1.x.x, repository: $HTTP}
`))
	r.push("redis@1.1.0")
	r.publish("etcd@1.2.0")
	r.opt.Offline = true
	if _, err := r.resolve(); err == nil || !strings.Contains(err.Error(), "is not asked while offline") {
		t.Errorf("before anything was fetched: %v", err)
	}
	if n := r.web.requests("GET", "/redis/manifests"); n != 0 {
		t.Errorf("%d requests while offline", n)
	}
	r.opt.Offline = false
	want := summary(r, r.mustResolve())
	r.opt.Offline = true
	r.push("redis@1.9.0")
	r.web.requests("GET", "")
	wantSummary(t, r, r.mustResolve(), want...)
	if n := r.web.requests("GET", ""); n != 0 {
		t.Errorf("%d requests while offline", n)
	}
}

func TestStoreSparesDownloads(t *testing.T) {
	r := newRig(t, webChart(`
- {name: redis, version: 1.1.0, repository: $OCI}
- {name: etcd, version: 1.2.0, repository: $HTTP}
`))
	r.push("redis@1.1.0")
	r.publish("etcd@1.2.0")
	for run, want := range []int{1, 0, 0} {
		r.newClient()
		r.mustResolve()
		if n := r.web.requests("GET", "/charts/redis/blobs"); n != 2*want && n != want {
			t.Errorf("run %d: %d requests for contents", run, n)
		}
		if n := r.web.requests("GET", "etcd-1.2.0.tgz"); n != want {
			t.Errorf("run %d: %d downloads", run, n)
		}
	}
	// A tag that moved is noticed.
	r.pushArchive("redis@1.1.0", packed(t, "redis@1.1.0", "elsewhere"))
	if got := r.mustResolve().Helm().Dependencies()[1].Values["from"]; got != "elsewhere" {
		t.Errorf("values from %q", got)
	}
}

func TestStoreThatForgets(t *testing.T) {
	r := newRig(t, webChart("- {name: redis, version: 1.1.0, repository: $OCI}\n"))
	r.push("redis@1.1.0")
	r.opt.Store = store.InMemory(store.Options{MaxMemory: 1})
	r.opt.MaxParsed = 1
	if _, err := r.resolve(); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a store that keeps nothing: %v", err)
	}
	r.opt.Store = nil
	for range 2 {
		r.mustResolve()
	}
}
