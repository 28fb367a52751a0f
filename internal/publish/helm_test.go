package publish_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/publish"
	"github.com/google/go-cmp/cmp"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	helmregistry "helm.sh/helm/v3/pkg/registry"
)

const fullChartYAML = `apiVersion: v2
name: full
version: 1.2.3+build.7
appVersion: "16"
description: "Everything <in> one & the same chart"
type: application
kubeVersion: ">=1.25.0-0"
home: https://example.com/full
icon: https://example.com/full.svg
keywords: [b, a]
sources: [https://example.com/first, https://example.com/second]
maintainers:
- {name: Ada, email: ada@example.com, url: https://example.com/ada}
- {name: Bob}
- {email: nobody@example.com}
annotations:
  example.com/zebra: "stripes"
  example.com/ant: ""
  org.opencontainers.image.title: cannot be changed
  org.opencontainers.image.version: 9.9.9
  org.opencontainers.image.url: https://example.com/changed
  org.opencontainers.image.licenses: Apache-2.0
dependencies:
- name: sub
  version: 0.1.0
  repository: oci://registry.example.com/charts
  condition: sub.enabled
`

const fullLock = `dependencies:
- name: sub
  repository: oci://registry.example.com/charts
  version: 0.1.0
digest: sha256:1111111111111111111111111111111111111111111111111111111111111111
generated: "2024-05-06T07:08:09.123456789+02:00"
`

// charts are named by what is odd about them; each is loaded as Helm would.
func helmCharts(t *testing.T) map[string]*helmchart.Chart {
	t.Helper()
	sub := []string{"charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n", "charts/sub/values.yaml", "a: 1\n"}
	full := append([]string{"Chart.yaml", fullChartYAML, "Chart.lock", fullLock, "values.yaml", "# kept\nport:   80\n",
		"values.schema.json", `{"type":"object"}`, "templates/NOTES.txt", "hello\n", "templates/z.yaml", "kind: Z\n",
		"crds/a.yaml", "kind: CustomResourceDefinition\n", "README.md", "# full\n", "files/data.bin", "\x00\xff\x00"}, sub...)
	bare := []string{"Chart.yaml", "name: bare\nversion: 0.1.0\napiVersion: v1\n", "requirements.yaml",
		"dependencies:\n- {name: sub, version: 0.1.0, repository: 'https://charts.example.com'}\n", "values.yaml", ""}
	owner := []string{"Chart.yaml", "apiVersion: v2\nname: owner\nversion: 2.0.0\ntype: library\nmaintainers: [{name: ' '}, {url: 'https://example.com'}]\n" +
		"annotations: {org.opencontainers.image.created: '2001-02-03T04:05:06Z', org.opencontainers.image.authors: someone}\n"}
	all := map[string]*helmchart.Chart{}
	for _, pairs := range [][]string{full, append(bare, sub...), owner} {
		var files []archive.File
		for i := 0; i < len(pairs); i += 2 {
			files = append(files, archive.File{Name: pairs[i], Data: []byte(pairs[i+1])})
		}
		c, err := archive.Load(files, archive.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		all[c.Name()] = c
	}
	return all
}

func helmItem(c *helmchart.Chart) publish.Item {
	return publish.Item{Path: "charts/" + c.Name(), Name: c.Name(), Version: c.Metadata.Version,
		Files: func() ([]archive.File, error) { return archive.FromChart(c) }}
}

// TestHelmPushedItBefore compares with Helm's own packing and pushing: the files are the same, so are the configuration and, but for the time
// of creation, the annotations.
func TestHelmPushedItBefore(t *testing.T) {
	for name, c := range helmCharts(t) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			it := helmItem(c)
			r.helmPush(c)
			steps := r.publish(it)
			want(t, steps, name+" skip")
			contains(t, steps[0].Reason, "same files")
			theirs, err := r.client.PullChart(t.Context(), steps[0].Reference)
			if err != nil {
				t.Fatal(err)
			}

			r.target = mustTarget(t, "oci://"+r.host+"/ours")
			steps = r.publish(it)
			want(t, steps, name+" push")
			ours, err := r.client.PullChart(t.Context(), steps[0].Reference)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(theirs.Config, ours.Config) {
				t.Errorf("configuration\nHelm's %s\nours   %s", theirs.Config, ours.Config)
			}
			if _, own := c.Metadata.Annotations["org.opencontainers.image.created"]; !own {
				if theirs.Annotations["org.opencontainers.image.created"] == "" {
					t.Error("Helm stamped no time")
				}
				delete(theirs.Annotations, "org.opencontainers.image.created")
			}
			if d := cmp.Diff(theirs.Annotations, ours.Annotations); d != "" {
				t.Errorf("annotations, Helm's - ours +\n%s", d)
			}
			if d := cmp.Diff(form(t, theirs.Manifest), form(t, ours.Manifest)); d != "" {
				t.Errorf("manifest, Helm's - ours +\n%s", d)
			}
		})
	}
}

// helmPush does what `helm package` and `helm push` do.
func (r *rig) helmPush(c *helmchart.Chart) {
	r.t.Helper()
	dir := r.t.TempDir()
	tgz, err := chartutil.Save(c, dir)
	if err != nil {
		r.t.Fatal(err)
	}
	data, err := os.ReadFile(tgz)
	if err != nil {
		r.t.Fatal(err)
	}
	client, err := helmregistry.NewClient(helmregistry.ClientOptPlainHTTP(), helmregistry.ClientOptWriter(io.Discard),
		helmregistry.ClientOptCredentialsFile(filepath.Join(dir, "none.json")))
	if err != nil {
		r.t.Fatal(err)
	}
	ref := strings.TrimPrefix(r.target.Ref.String(), "oci://") + "/" + c.Name() + ":" + c.Metadata.Version
	if _, err := client.Push(data, ref); err != nil {
		r.t.Fatal(err)
	}
}

// form is a manifest without what may differ: digests, sizes, annotations, and its own media type, which Helm leaves out and registries like to see.
func form(t *testing.T, manifest []byte) string {
	t.Helper()
	var m struct {
		SchemaVersion    int
		ArtifactType     string
		Config           struct{ MediaType string }
		Layers           []struct{ MediaType string }
		Subject, History any
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestManifestIsReproducible pins the digest: the same files give the same manifest on every machine, in whatever order they come. It changes
// only with the charts themselves, with what is written into an archive or manifest, or with Go's compressor.
func TestManifestIsReproducible(t *testing.T) {
	const golden = "sha256:1f1fd0fe83473380b77393a25b96d03f97413e7f8c874cfa3e96f7efbc0249ad"
	c := helmCharts(t)["full"]
	files, err := archive.FromChart(c)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(files)
	reversed := helmItem(c)
	reversed.Files = func() ([]archive.File, error) { return files, nil }
	for _, it := range []publish.Item{helmItem(c), reversed} {
		r := newRig(t)
		if got := r.publish(it)[0].Reference.Digest.String(); got != golden {
			t.Errorf("digest %s, want %s", got, golden)
		}
	}
}
