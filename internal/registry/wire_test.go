package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestPushAndPull(t *testing.T) {
	var seen recorded
	host := serve(t, seen.record(store(t)))
	c := newClient(t, Options{PlainHTTPHosts: []string{host}})
	ctx := context.Background()
	ref := mustRef(t, "oci://"+host+"/charts/app:1.0.0+7")
	with := sample
	with.Provenance = []byte("-----BEGIN PGP SIGNED MESSAGE-----")
	desc, err := c.PushChart(ctx, ref, with)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := c.Resolve(ctx, ref); err != nil || found.Digest != desc.Digest || found.Size != desc.Size {
		t.Errorf("resolved %+v, %v; pushed %+v", found, err, desc)
	}
	for _, by := range []Reference{ref, {Host: host, Repository: "charts/app", Digest: desc.Digest}} {
		got, err := c.PullChart(ctx, by)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Archive, with.Archive) || !bytes.Equal(got.Config, with.Config) || !bytes.Equal(got.Provenance, with.Provenance) ||
			got.ManifestDigest != desc.Digest || got.ArchiveDigest != digest.FromBytes(with.Archive) || !reflect.DeepEqual(got.Annotations, with.Annotations) {
			t.Errorf("pulled %+v", got)
		}
	}
	if tags, err := c.Tags(ctx, ref); err != nil || !reflect.DeepEqual(tags, []string{"1.0.0_7"}) {
		t.Errorf("tags %v, %v", tags, err)
	}
	if ua := seen.all()[0].header.Get("User-Agent"); ua != "chartgate" {
		t.Errorf("User-Agent %q", ua)
	}
	uploads := seen.count("POST ")
	if again, err := c.PushChart(ctx, ref, with); err != nil || again.Digest != desc.Digest || seen.count("POST ") != uploads {
		t.Errorf("pushing again: %v, %v, %d uploads more", again, err, seen.count("POST ")-uploads)
	}
}

func TestManifestIsReproducible(t *testing.T) {
	const want = "sha256:7172d775c36d0271e01d961849bea5716c9681f3f202f5b09b7f95b9f294e030"
	first, d1, err := sample.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if d1.Digest != want {
		t.Errorf("the manifest's digest has changed from %s to %s, and with it that of everything published", want, d1.Digest)
	}
	for range 20 {
		again := sample
		again.Annotations = map[string]string{"a": "b", "org.opencontainers.image.title": "app"}
		data, d, err := again.Manifest()
		if err != nil || !bytes.Equal(data, first) || d.Digest != d1.Digest {
			t.Fatalf("manifest %s, %v", data, err)
		}
	}
	if strings.Contains(string(first), "created") {
		t.Errorf("the manifest has a time: %s", first)
	}
	for name, bad := range map[string]ChartPush{"no archive": {Config: []byte("{}")}, "no config": {Archive: []byte("x")}, "config no JSON": {Config: []byte("{"), Archive: []byte("x")}} {
		if _, _, err := bad.Manifest(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A push that fails halfway leaves nothing that anybody could pull.
func TestHalfAPushIsInvisible(t *testing.T) {
	for _, fails := range []string{"PUT /v2/charts/app/blobs", "PUT /v2/charts/app/manifests"} {
		var seen recorded
		h, _ := flaky(1000, fails, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, store(t))
		host := serve(t, seen.record(h))
		c := newClient(t, Options{PlainHTTP: true})
		ref := mustRef(t, "oci://"+host+"/charts/app:1.0.0")
		if _, err := c.PushChart(context.Background(), ref, sample); err == nil || !strings.Contains(err.Error(), "500 Internal Server Error") {
			t.Errorf("%s: error %v", fails, err)
		}
		if strings.Contains(fails, "blobs") && seen.count("PUT /v2/charts/app/manifests") != 0 {
			t.Error("the manifest was pushed without its contents")
		}
		if _, err := c.Resolve(context.Background(), ref); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: the chart is visible: %v", fails, err)
		}
	}
}

func TestTLS(t *testing.T) {
	host, ca := serveTLS(t, store(t))
	ref := "oci://" + host + "/charts/app:1.0.0"
	push(t, newClient(t, Options{CAFile: ca}), ref)
	_, err := newClient(t, Options{}).Resolve(context.Background(), mustRef(t, ref))
	if err == nil || !strings.Contains(HintOf(err), "--ca-file") {
		t.Errorf("without the authority: %v, hint %q", err, HintOf(err))
	}
	_, err = newClient(t, Options{PlainHTTP: true}).Resolve(context.Background(), mustRef(t, ref))
	if err == nil || !strings.Contains(HintOf(err), "leave --plain-http out") {
		t.Errorf("plain HTTP: %v, hint %q", err, HintOf(err))
	}
}

// HTTPS stays HTTPS, whatever the server is.
func TestNoFallbackToHTTP(t *testing.T) {
	var seen recorded
	host := serve(t, seen.record(store(t)))
	_, err := newClient(t, Options{}).PushChart(context.Background(), mustRef(t, "oci://"+host+"/a:1"), sample)
	if err == nil || HintOf(err) != "the server speaks HTTP: add --plain-http" {
		t.Errorf("error %v, hint %q", err, HintOf(err))
	}
	if n := len(seen.all()); n != 0 {
		t.Errorf("%d requests over HTTP", n)
	}
	other := newClient(t, Options{PlainHTTPHosts: []string{"elsewhere:80"}})
	if _, err := other.Resolve(context.Background(), mustRef(t, "oci://"+host+"/a:1")); err == nil || len(seen.all()) != 0 {
		t.Errorf("plain HTTP to a host that was not named: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, opts := range map[string]Options{
		"no certificate": {CAFile: empty},
		"no such file":   {CAFile: empty + "x"},
		"not a regular":  {CAFile: filepath.Dir(empty)},
		"invalid host":   {PlainHTTPHosts: []string{"a/b"}},
	} {
		if _, err := New(opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestNotFound(t *testing.T) {
	host := serve(t, store(t))
	c := newClient(t, Options{PlainHTTP: true})
	ctx, ref := context.Background(), mustRef(t, "oci://"+host+"/charts/app:9")
	_, tagsErr := c.Tags(ctx, ref)
	_, resolveErr := c.Resolve(ctx, ref)
	_, pullErr := c.PullChart(ctx, ref)
	for _, err := range []error{tagsErr, resolveErr, pullErr} {
		var e *Error
		if !errors.Is(err, ErrNotFound) || !errors.As(err, &e) || e.Host != host || e.Status != 404 {
			t.Errorf("error %v", err)
		}
	}
	bare := Reference{Host: host, Repository: "a"}
	if _, err := c.PullChart(ctx, bare); err == nil || !strings.Contains(err.Error(), "neither tag nor digest") {
		t.Errorf("error %v", err)
	}
	if _, err := c.PushChart(ctx, bare, sample); err == nil || !strings.Contains(err.Error(), "no tag") {
		t.Errorf("error %v", err)
	}
	if _, err := c.Tags(ctx, Reference{Host: host}); err == nil || !strings.Contains(err.Error(), "no repository") {
		t.Errorf("error %v", err)
	}
}

// hostile answers as a registry that lies.
func hostile(manifest string, header map[string]string, blobs http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			blobs(w, r)
			return
		}
		w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
		for k, v := range header {
			w.Header().Set(k, v)
		}
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", fmt.Sprint(len(manifest)))
		}
		_, _ = w.Write([]byte(manifest))
	})
}

func manifestOf(t *testing.T, change func(*ocispec.Manifest)) string {
	t.Helper()
	data, _, err := sample.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&m)
	}
	if data, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func bytesOf(size int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) }
}

func goodBlobs(w http.ResponseWriter, r *http.Request) {
	for _, b := range sample.blobs() {
		if strings.HasSuffix(r.URL.Path, string(b.desc.Digest)) {
			_, _ = w.Write(b.data)
		}
	}
}

func TestPullRefuses(t *testing.T) {
	good := manifestOf(t, nil)
	cases := map[string]struct {
		handler http.Handler
		is      error
	}{
		"wrong bytes":        {hostile(good, nil, bytesOf(len(sample.Config))), ErrCorrupt},
		"too many bytes":     {hostile(good, nil, bytesOf(20_000)), nil},
		"no such blob":       {hostile(good, nil, http.NotFound), ErrCorrupt},
		"not JSON":           {hostile("<html>", nil, goodBlobs), ErrCorrupt},
		"an image":           {hostile(manifestOf(t, func(m *ocispec.Manifest) { m.Config.MediaType = ocispec.MediaTypeImageConfig }), nil, goodBlobs), ErrNotChart},
		"no archive":         {hostile(manifestOf(t, func(m *ocispec.Manifest) { m.Layers = nil }), nil, goodBlobs), ErrNotChart},
		"two archives":       {hostile(manifestOf(t, func(m *ocispec.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }), nil, goodBlobs), ErrNotChart},
		"many layers":        {hostile(manifestOf(t, func(m *ocispec.Manifest) { m.Layers = make([]Descriptor, 1000) }), nil, goodBlobs), ErrTooLarge},
		"huge archive":       {hostile(manifestOf(t, func(m *ocispec.Manifest) { m.Layers[0].Size = 1 << 40 }), nil, goodBlobs), ErrTooLarge},
		"negative size":      {hostile(manifestOf(t, func(m *ocispec.Manifest) { m.Layers[0].Size = -1 }), nil, goodBlobs), ErrCorrupt},
		"digest a path":      {hostile(manifestOf(t, func(m *ocispec.Manifest) { m.Layers[0].Digest = "../../x" }), nil, goodBlobs), ErrCorrupt},
		"header's digest":    {hostile(good, map[string]string{"Docker-Content-Digest": someDigest}, goodBlobs), ErrCorrupt},
		"header no digest":   {hostile(good, map[string]string{"Docker-Content-Digest": "x"}, goodBlobs), ErrCorrupt},
		"no Content-Type":    {hostile(good, map[string]string{"Content-Type": ";"}, goodBlobs), ErrCorrupt},
		"huge manifest":      {hostile(strings.Repeat(" ", 5<<20), nil, goodBlobs), ErrTooLarge},
		"index of nothing":   {hostile(`{"manifests":[]}`, map[string]string{"Content-Type": ocispec.MediaTypeImageIndex}, goodBlobs), ErrNotChart},
		"index of thousands": {hostile(`{"manifests":[`+strings.Repeat(`{"mediaType":"`+ocispec.MediaTypeImageManifest+`","digest":"`+someDigest+`","size":1},`, 99)+`null]}`, map[string]string{"Content-Type": ocispec.MediaTypeImageIndex}, goodBlobs), ErrTooLarge},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ref := mustRef(t, "oci://"+serve(t, c.handler)+"/charts/app:1")
			got, err := newClient(t, Options{PlainHTTP: true, Retries: 1}).PullChart(context.Background(), ref)
			if err == nil || got != nil || (c.is != nil && !errors.Is(err, c.is)) || errors.Is(err, ErrNotFound) {
				t.Errorf("got %v, error %v, want %v", got, err, c.is)
			}
		})
	}
	ref := mustRef(t, "oci://"+serve(t, hostile(good, nil, goodBlobs))+"/charts/app:1")
	if _, err := newClient(t, Options{PlainHTTP: true}).PullChart(context.Background(), ref); err != nil {
		t.Errorf("the manifest that the others are made from: %v", err)
	}
	ref.Digest = someDigest
	if _, err := newClient(t, Options{PlainHTTP: true}).PullChart(context.Background(), ref); !errors.Is(err, ErrCorrupt) {
		t.Errorf("another digest than asked for: %v", err)
	}
}

// A registry that leaves out the digest on HEAD is asked with GET.
func TestResolveWithoutHeader(t *testing.T) {
	m := manifestOf(t, nil)
	ref := mustRef(t, "oci://"+serve(t, hostile(m, nil, goodBlobs))+"/charts/app:1")
	got, err := newClient(t, Options{PlainHTTP: true}).Resolve(context.Background(), ref)
	if err != nil || got.Digest != digest.FromString(m) || got.Size != int64(len(m)) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestPullThroughIndex(t *testing.T) {
	host := serve(t, store(t))
	c := newClient(t, Options{PlainHTTP: true})
	desc := push(t, c, "oci://"+host+"/charts/app:1.0.0")
	index, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "manifests": []Descriptor{desc}})
	req, _ := http.NewRequest("PUT", "http://"+host+"/v2/charts/app/manifests/all", bytes.NewReader(index))
	req.Header.Set("Content-Type", ocispec.MediaTypeImageIndex)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 201 {
		t.Fatalf("pushing the index: %v %v", resp, err)
	}
	resp.Body.Close()
	got, err := c.PullChart(context.Background(), mustRef(t, "oci://"+host+"/charts/app:all"))
	if err != nil || got.ManifestDigest != desc.Digest || !bytes.Equal(got.Archive, sample.Archive) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTagPages(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := r.URL.Query().Get("last")
		if len(last) < 5 {
			w.Header().Set("Link", fmt.Sprintf(`</v2/a/tags/list?last=x%s>; rel="next"`, last))
		}
		fmt.Fprintf(w, `{"name":"a","tags":["1.%d","../bad",""]}`, len(last))
	})
	c := newClient(t, Options{PlainHTTP: true})
	tags, err := c.Tags(context.Background(), mustRef(t, "oci://"+serve(t, pages)+"/a"))
	if err != nil || strings.Join(tags, " ") != "1.0 1.1 1.2 1.3 1.4 1.5" {
		t.Errorf("tags %v, %v", tags, err)
	}
}

func TestTagsAreBounded(t *testing.T) {
	cases := map[string]http.HandlerFunc{
		"pages without end": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `</v2/a/tags/list?last=x>; rel="next"`)
			fmt.Fprint(w, `{"tags":[]}`)
		},
		"many tags": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `</v2/a/tags/list?last=x>; rel="next"`)
			fmt.Fprintf(w, `{"tags":["1"%s]}`, strings.Repeat(`,"2"`, 50))
		},
		"one endless page": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"tags":[`)
			for range 100 {
				if _, err := fmt.Fprint(w, strings.Repeat(`"1",`, 100_000)); err != nil {
					return
				}
			}
		},
		"the next page elsewhere": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `<http://elsewhere.example/v2/a/tags/list>; rel="next"`)
			fmt.Fprint(w, `{"tags":["1"]}`)
		},
	}
	for name, h := range cases {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, Options{PlainHTTP: true, Retries: -1, Limits: Limits{Tags: 1000}})
			if tags, err := c.Tags(context.Background(), mustRef(t, "oci://"+serve(t, h)+"/a")); err == nil {
				t.Errorf("got %d tags", len(tags))
			}
		})
	}
}

func FuzzChartManifest(f *testing.F) {
	data, _, _ := sample.Manifest()
	f.Add(data)
	f.Add([]byte(`{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json"},"layers":[{"mediaType":"application/tar+gzip","size":-1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := parseChartManifest(data); err == nil {
			if m.archive.Digest.Validate() != nil || m.config.Digest.Validate() != nil || m.archive.Size < 0 {
				t.Fatalf("accepted %s", data)
			}
		} else if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotChart) && !errors.Is(err, ErrTooLarge) {
			t.Fatalf("error %v is none of ours", err)
		}
		_, _ = manifestsOf(data)
	})
}
