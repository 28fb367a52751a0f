package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// entry is one entry of a hand-made tar.
type entry struct {
	name string
	body string
	flag byte // regular if 0
	link string
}

// targz writes entries as they are, however wrong.
func targz(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.body)), Typeflag: e.flag, Linkname: e.link}
		switch e.flag {
		case 0:
			h.Typeflag = tar.TypeReg
		case tar.TypeXGlobalHeader:
			h = &tar.Header{Typeflag: e.flag, Name: e.name, PAXRecords: map[string]string{"comment": "0123456789abcdef"}}
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := tw.Write([]byte(e.body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

const chartYAML = `apiVersion: v2
name: web
version: 1.2.3
description: "A web server, with  two  blanks"
dependencies:
- name: redis
  version: ">=1.0.0"
  repository: https://charts.example.com
  condition: redis.enabled
  import-values: [{child: a, parent: b}]
maintainers:
- {name: Ada, email: ada@example.com}
annotations: {b: "2", a: "1"}
`

const lockYAML = `dependencies:
- name: redis
  repository: https://charts.example.com
  version: 1.0.0
digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
generated: "2024-05-06T07:08:09.123456789+02:00"
`

// webFiles is a chart with everything in it: a lock, a schema, CRDs, an unpacked subchart and a packed one.
func webFiles(t testing.TB) []archive.File {
	packed := targz(t,
		entry{name: "zookeeper/Chart.yaml", body: "apiVersion: v1\nname: zookeeper\nversion: 3.4.5\n"},
		entry{name: "zookeeper/requirements.yaml", body: "dependencies: [{name: none, version: 1.x, repository: ''}]\n"},
		entry{name: "zookeeper/templates/a.yaml", body: "{{/* empty */}}\n"},
	)
	return files(
		".helmignore", "*.tmp\n",
		"Chart.lock", lockYAML,
		"Chart.yaml", chartYAML,
		"README.md", "# web\n",
		"charts/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 1.0.0\n",
		"charts/redis/templates/redis.yaml", "kind: Service\n",
		"charts/redis/charts/common/Chart.yaml", "apiVersion: v2\nname: common\nversion: 2.0.0\ntype: library\n",
		"charts/zookeeper-3.4.5.tgz", string(packed),
		"charts/zookeeper-3.4.5.tgz.prov", "signed\n",
		"charts/README.md", "not a chart", // a plain file: Helm calls it a chart without Chart.yaml
		"charts/_draft/x", "skipped",
		"crds/b/one.yaml", "kind: CustomResourceDefinition\n",
		"crds/b.yaml", "kind: CustomResourceDefinition\n",
		"templates/NOTES.txt", "Hello\n",
		"templates/a/b.yaml", "kind: Pod\n",
		"templates/a.yaml", "kind: Secret\n",
		"values.schema.json", `{"type": "object"}`,
		"values.yaml", "# kept\nport:   80 # as written\n",
	)
}

// without leaves one file out.
func without(fs []archive.File, name string) []archive.File {
	var out []archive.File
	for _, f := range fs {
		if f.Name != name {
			out = append(out, f)
		}
	}
	return out
}

// files pairs names and contents.
func files(pairs ...string) []archive.File {
	var fs []archive.File
	for i := 0; i < len(pairs); i += 2 {
		fs = append(fs, archive.File{Name: pairs[i], Data: []byte(pairs[i+1])})
	}
	return fs
}

func mustLoad(t testing.TB, fs []archive.File) *helmchart.Chart {
	t.Helper()
	c, err := archive.Load(fs, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
