package publish_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/publish"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/registry/server"
	"github.com/opencontainers/go-digest"
)

// rig is the embedded registry behind a tap that tests can turn, and a publisher for it.
type rig struct {
	t      *testing.T
	host   string
	target publish.Target
	client *registry.Client
	pub    *publish.Publisher
	tap    atomic.Pointer[tap]
}

// tap sees a request before the registry does; it may answer itself, or call on.
type tap func(w http.ResponseWriter, r *http.Request, on http.Handler)

func newRig(t *testing.T) *rig {
	t.Helper()
	s, err := server.New(t.TempDir(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return tapped(t, s.Handler())
}

// tapped is a rig over a registry of any kind.
func tapped(t *testing.T, on http.Handler) *rig {
	t.Helper()
	r := &rig{t: t}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if f := r.tap.Load(); f != nil {
			(*f)(w, req, on)
			return
		}
		on.ServeHTTP(w, req)
	}))
	t.Cleanup(ts.Close)
	r.host = strings.TrimPrefix(ts.URL, "http://")
	r.target = mustTarget(t, "oci://"+r.host+"/team/charts")
	r.client = newClient(t)
	r.pub = &publish.Publisher{Client: r.client, Settle: -1}
	return r
}

func (r *rig) turn(f tap) { r.tap.Store(&f) }

func newClient(t *testing.T) *registry.Client {
	t.Helper()
	c, err := registry.New(registry.Options{PlainHTTP: true, Retries: -1, Timeout: 20 * time.Second, Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustTarget(t *testing.T, s string) publish.Target {
	t.Helper()
	target, err := publish.ParseTarget(s)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func (r *rig) plan(items ...publish.Item) *publish.Plan {
	r.t.Helper()
	plan, err := r.pub.Plan(r.t.Context(), items, []publish.Target{r.target})
	if err != nil {
		r.t.Fatal(err)
	}
	return plan
}

func (r *rig) apply(plan *publish.Plan) publish.Steps {
	r.t.Helper()
	res, err := r.pub.Apply(r.t.Context(), plan)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.Steps
}

func (r *rig) publish(items ...publish.Item) publish.Steps {
	r.t.Helper()
	return r.apply(r.plan(items...))
}

func (r *rig) ref(name, version string) registry.Reference {
	r.t.Helper()
	ref, err := registry.ParseReference(r.target.Ref.String() + "/" + name + ":" + version)
	if err != nil {
		r.t.Fatal(err)
	}
	return ref
}

// visible reports whether a tag is there.
func (r *rig) visible(name, version string) bool {
	r.t.Helper()
	_, err := r.client.Resolve(r.t.Context(), r.ref(name, version))
	return err == nil
}

// item is a small chart; extra pairs names and contents of further files.
func item(name, version string, extra ...string) publish.Item {
	files := []archive.File{
		{Name: "Chart.yaml", Data: []byte(fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version))},
		{Name: "templates/service.yaml", Data: []byte("kind: Service\n")},
		{Name: "values.yaml", Data: []byte("port: 80\n")},
	}
	for i := 0; i < len(extra); i += 2 {
		files = append(files, archive.File{Name: extra[i], Data: []byte(extra[i+1])})
	}
	return publish.Item{Path: "charts/" + name, Name: name, Version: version, Files: func() ([]archive.File, error) { return files, nil }}
}

// on makes an item depend on others.
func on(it publish.Item, names ...string) publish.Item {
	for _, n := range names {
		it.DependsOn = append(it.DependsOn, "charts/"+n)
	}
	return it
}

// stamped packs files with times, owners and an order of its own, as `helm package` does.
func stamped(t *testing.T, root string, files []archive.File) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	zw.Comment = "Helm"
	tw := tar.NewWriter(zw)
	for i := range files {
		f := files[len(files)-1-i]
		hd := &tar.Header{Name: root + "/" + f.Name, Mode: 0o600, Uid: 1000, Size: int64(len(f.Data)), ModTime: time.Unix(1700000000, 0)}
		if err := tw.WriteHeader(hd); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(f.Data); err != nil {
			t.Fatal(err)
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

// pushOther publishes an item as another tool would, so that the digest differs though the files are the same.
func (r *rig) pushOther(it publish.Item) {
	r.t.Helper()
	files, err := it.Files()
	if err != nil {
		r.t.Fatal(err)
	}
	r.pushArchive(it, stamped(r.t, it.Name, files))
}

func (r *rig) pushArchive(it publish.Item, tgz []byte) {
	r.t.Helper()
	_, err := newClient(r.t).PushChart(context.Background(), r.ref(it.Name, it.Version), registry.ChartPush{
		Config:      []byte(fmt.Sprintf(`{"name":%q,"version":%q,"apiVersion":"v2"}`, it.Name, it.Version)),
		Archive:     tgz,
		Annotations: map[string]string{"org.opencontainers.image.created": "2023-11-14T22:13:20Z"},
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// want checks the actions of steps: "web push", in order.
func want(t *testing.T, steps publish.Steps, lines ...string) {
	t.Helper()
	var got []string
	for _, s := range steps {
		got = append(got, s.Name+" "+string(s.Action))
	}
	if strings.Join(got, ", ") != strings.Join(lines, ", ") {
		t.Fatalf("steps %q, want %q; all: %s", got, lines, describe(steps))
	}
}

func describe(steps publish.Steps) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "\n  %s %s %s %s: %s | %s | %v +%d | %s", s.Target, s.Name, s.Version, s.Action, s.Reason, s.Hint, s.Changes, s.More, s.Reference)
	}
	return b.String()
}

// contains checks a reason.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not say %q", text, p)
		}
	}
}

// isManifestPut reports whether a request makes a chart visible, and which one.
func isManifestPut(req *http.Request) (name string, ok bool) {
	before, _, found := strings.Cut(req.URL.Path, "/manifests/")
	return before[strings.LastIndexByte(before, '/')+1:], found && req.Method == http.MethodPut
}

// isUpload reports whether a request sends a blob of a chart.
func isUpload(req *http.Request, name string) bool {
	return strings.Contains(req.URL.Path, "/"+name+"/blobs/uploads/") && req.Method == http.MethodPut
}

func drain(req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) }

// pushImage puts a container image under a tag.
func (r *rig) pushImage(name, version string) {
	r.t.Helper()
	send := func(method, path, mediaType, body string) {
		req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.host+"/v2/team/charts/"+name+path, strings.NewReader(body))
		if err != nil {
			r.t.Fatal(err)
		}
		req.Header.Set("Content-Type", mediaType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			r.t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			r.t.Fatalf("%s %s: %s", method, path, resp.Status)
		}
	}
	config := `{"architecture":"amd64","os":"linux"}`
	sum := digest.FromString(config)
	send("POST", "/blobs/uploads/?digest="+sum.String(), "application/octet-stream", config)
	send("PUT", "/manifests/"+version, "application/vnd.oci.image.manifest.v1+json", fmt.Sprintf(
		`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[]}`,
		"application/vnd.oci.image.config.v1+json", sum, len(config)))
}

// names lists the files of an archive.
func names(t *testing.T, tgz []byte) string {
	t.Helper()
	_, files, err := archive.Read(bytes.NewReader(tgz), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		all = append(all, f.Name)
	}
	return strings.Join(all, " ")
}
