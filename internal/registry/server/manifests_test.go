package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestManifest(t *testing.T) {
	r := newRig(t, Options{})
	m := r.image("app", "1")
	d := digest.FromString(m)
	put := r.want(201, "", "PUT", "/v2/app/manifests/1.0.0", m, typeManifest)
	if put.header.Get("Docker-Content-Digest") != d.String() || put.header.Get("Location") != "/v2/app/manifests/"+d.String() {
		t.Errorf("headers %v", put.header)
	}
	for _, ref := range []string{"1.0.0", d.String()} {
		got := r.want(200, "", "GET", "/v2/app/manifests/"+ref, "")
		if got.body != m || got.header.Get("Content-Type") != ocispec.MediaTypeImageManifest || got.header.Get("Docker-Content-Digest") != d.String() {
			t.Errorf("GET %s: %+v", ref, got)
		}
		head := r.want(200, "", "HEAD", "/v2/app/manifests/"+ref, "")
		if head.header.Get("Content-Length") != fmt.Sprint(len(m)) || head.body != "" {
			t.Errorf("HEAD %s: %+v", ref, head)
		}
	}
	r.want(404, codeManifestUnknown, "GET", "/v2/app/manifests/2.0.0", "")
	r.want(404, codeManifestUnknown, "GET", "/v2/other/manifests/"+d.String(), "")
	r.want(201, "", "PUT", "/v2/app/manifests/"+d.String(), m, typeManifest)
	r.want(400, codeDigestInvalid, "PUT", "/v2/app/manifests/"+digest.FromString("x").String(), m, typeManifest)
	r.want(202, "", "DELETE", "/v2/app/manifests/1.0.0", "")
	r.want(404, codeManifestUnknown, "GET", "/v2/app/manifests/1.0.0", "")
	r.want(200, "", "GET", "/v2/app/manifests/"+d.String(), "")
	r.want(201, "", "PUT", "/v2/app/manifests/again", m, typeManifest)
	r.want(202, "", "DELETE", "/v2/app/manifests/"+d.String(), "")
	r.want(404, codeManifestUnknown, "GET", "/v2/app/manifests/again", "")
	r.want(404, codeManifestUnknown, "DELETE", "/v2/app/manifests/"+d.String(), "")
}

func TestManifestRefused(t *testing.T) {
	r := newRig(t, Options{MaxManifest: 2000})
	m := r.image("app", "1")
	cases := map[string]struct {
		body, contentType, code string
		status                  int
	}{
		"no JSON":           {"{", ocispec.MediaTypeImageManifest, codeManifestInvalid, 400},
		"an array":          {"[]", ocispec.MediaTypeImageManifest, codeManifestInvalid, 400},
		"another type":      {m, "application/json", codeManifestInvalid, 400},
		"broken type":       {m, "application/json; =", codeManifestInvalid, 400},
		"types differ":      {m, dockerManifest, codeManifestInvalid, 400},
		"schema 1":          {strings.Replace(m, `"schemaVersion":2`, `"schemaVersion":1`, 1), ocispec.MediaTypeImageManifest, codeManifestInvalid, 400},
		"index with config": {strings.Replace(m, "image.manifest", "image.index", 1), ocispec.MediaTypeImageIndex, codeManifestInvalid, 400},
		"blob missing":      {strings.Replace(m, digest.FromString("layer 1").Encoded(), digest.FromString("no").Encoded(), 1), ocispec.MediaTypeImageManifest, codeManifestBlobUnknown, 400},
		"digest broken":     {strings.Replace(m, digest.FromString("layer 1").Encoded(), "../../../x", 1), ocispec.MediaTypeImageManifest, codeDigestInvalid, 400},
		"too large":         {m + strings.Repeat(" ", 2000), ocispec.MediaTypeImageManifest, codeSizeInvalid, 413},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := &rig{t, r.srv, r.url}
			r.want(c.status, c.code, "PUT", "/v2/app/manifests/1", c.body, "Content-Type: "+c.contentType)
			r.want(404, codeManifestUnknown, "GET", "/v2/app/manifests/1", "")
		})
	}
	r.want(400, codeDigestInvalid, "PUT", "/v2/app/manifests/-bad", m, typeManifest)
	r.want(400, codeDigestInvalid, "GET", "/v2/app/manifests/"+strings.Repeat("a", 129), "")
}

func TestIndex(t *testing.T) {
	r := newRig(t, Options{})
	m := r.image("app", "1")
	d := digest.FromString(m)
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{descriptor(ocispec.MediaTypeImageManifest, d, len(m))}}
	index.SchemaVersion = 2
	body, ct := marshal(t, index), "Content-Type: "+ocispec.MediaTypeImageIndex
	r.want(400, codeManifestBlobUnknown, "PUT", "/v2/app/manifests/all", body, ct)
	r.want(201, "", "PUT", "/v2/app/manifests/"+d.String(), m, typeManifest)
	r.want(201, "", "PUT", "/v2/app/manifests/all", body, ct)
	if got := r.want(200, "", "GET", "/v2/app/manifests/all", ""); got.header.Get("Content-Type") != ocispec.MediaTypeImageIndex {
		t.Errorf("Content-Type %q", got.header.Get("Content-Type"))
	}
}

func TestTags(t *testing.T) {
	r := newRig(t, Options{})
	m := r.image("app", "1")
	for _, tag := range []string{"b", "a", "c", "B"} {
		r.want(201, "", "PUT", "/v2/app/manifests/"+tag, m, typeManifest)
	}
	list := func(query, want, link string) {
		t.Helper()
		got := r.want(200, "", "GET", "/v2/app/tags/list"+query, "")
		var form struct {
			Name string
			Tags []string
		}
		if err := json.Unmarshal([]byte(got.body), &form); err != nil {
			t.Fatal(err)
		}
		if form.Name != "app" || form.Tags == nil || strings.Join(form.Tags, " ") != want || got.header.Get("Link") != link {
			t.Errorf("%s: %s, Link %q", query, got.body, got.header.Get("Link"))
		}
	}
	list("", "B a b c", "")
	list("?n=2", "B a", `</v2/app/tags/list?last=a&n=2>; rel="next"`)
	list("?n=2&last=a", "b c", "")
	list("?n=10&last=aa", "b c", "")
	list("?n=0", "", "")
	list("?last=zzz", "", "")
	r.want(400, codeUnsupported, "GET", "/v2/app/tags/list?n=-1", "")
	r.want(400, codeUnsupported, "GET", "/v2/app/tags/list?n=many", "")
	r.blob("half", "only a blob")
	r.want(404, codeNameUnknown, "GET", "/v2/half/tags/list", "")
	if got := r.want(200, "", "GET", "/v2/_catalog", ""); got.body != `{"repositories":["app"]}` {
		t.Errorf("catalog %s", got.body)
	}
}

func TestReferrers(t *testing.T) {
	r := newRig(t, Options{})
	subject := r.image("app", "1")
	d := digest.FromString(subject)
	r.want(400, codeDigestInvalid, "GET", "/v2/app/referrers/latest", "")
	var none ocispec.Index
	r.referrers(d, "", &none)
	if none.Manifests == nil || len(none.Manifests) != 0 {
		t.Errorf("index of none: %+v", none)
	}
	sig := r.refer(subject, "application/vnd.example.sig", map[string]string{"k": "v"})
	sbom := r.refer(subject, "application/vnd.example.sbom", nil)
	var all, some ocispec.Index
	r.referrers(d, "", &all)
	if len(all.Manifests) != 2 {
		t.Fatalf("referrers: %+v", all)
	}
	if h := r.referrers(d, "?artifactType=application/vnd.example.sig", &some); h.Get("OCI-Filters-Applied") != "artifactType" {
		t.Errorf("headers %v", h)
	}
	if len(some.Manifests) != 1 || some.Manifests[0].Digest != sig || some.Manifests[0].Annotations["k"] != "v" || some.Manifests[0].Size == 0 {
		t.Errorf("filtered: %+v", some)
	}
	r.want(202, "", "DELETE", "/v2/app/manifests/"+sbom.String(), "")
	r.referrers(d, "", &all)
	if len(all.Manifests) != 1 {
		t.Errorf("after deletion: %+v", all)
	}
}

// refer pushes an artifact whose subject is a manifest, which need not be there.
func (r *rig) refer(subject, artifactType string, annotations map[string]string) digest.Digest {
	r.t.Helper()
	s := descriptor(ocispec.MediaTypeImageManifest, digest.FromString(subject), len(subject))
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: artifactType, Subject: &s, Annotations: annotations,
		Config: descriptor("application/vnd.oci.empty.v1+json", r.blob("app", "{}"), 2), Layers: []ocispec.Descriptor{}}
	m.SchemaVersion = 2
	body := marshal(r.t, m)
	d := digest.FromString(body)
	got := r.want(201, "", "PUT", "/v2/app/manifests/"+d.String(), body, typeManifest)
	if got.header.Get("OCI-Subject") != s.Digest.String() {
		r.t.Errorf("OCI-Subject %q", got.header.Get("OCI-Subject"))
	}
	return d
}

func (r *rig) referrers(d digest.Digest, query string, into *ocispec.Index) http.Header {
	r.t.Helper()
	got := r.want(200, "", "GET", "/v2/app/referrers/"+d.String()+query, "")
	*into = ocispec.Index{}
	if err := json.NewDecoder(bytes.NewReader([]byte(got.body))).Decode(into); err != nil {
		r.t.Fatal(err)
	}
	if got.header.Get("Content-Type") != ocispec.MediaTypeImageIndex {
		r.t.Errorf("Content-Type %q", got.header.Get("Content-Type"))
	}
	return got.header
}
