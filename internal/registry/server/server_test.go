package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// rig is a server under test and a plain client for it.
type rig struct {
	t   *testing.T
	srv *Server
	url string
}

func newRig(t *testing.T, opts Options) *rig {
	t.Helper()
	return openRig(t, t.TempDir(), opts)
}

func openRig(t *testing.T, dir string, opts Options) *rig {
	t.Helper()
	s, err := New(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		ts.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{t: t, srv: s, url: ts.URL}
}

type reply struct {
	status int
	header http.Header
	body   string
}

// do sends one request; headers are "Name: value".
func (r *rig) do(method, path, body string, headers ...string) reply {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(data)}
}

// want sends a request and checks the status and, for refusals, the code.
func (r *rig) want(status int, code, method, path, body string, headers ...string) reply {
	r.t.Helper()
	got := r.do(method, path, body, headers...)
	if got.status != status {
		r.t.Fatalf("%s %s: status %d, want %d; %s", method, path, got.status, status, got.body)
	}
	if code == "" || method == http.MethodHead {
		return got
	}
	var form struct {
		Errors []struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(got.body), &form); err != nil || len(form.Errors) != 1 {
		r.t.Fatalf("%s %s: body %q is not an error in the specification's form", method, path, got.body)
	}
	if form.Errors[0].Code != code || form.Errors[0].Message == "" {
		r.t.Fatalf("%s %s: error %+v, want the code %s", method, path, form.Errors[0], code)
	}
	return got
}

func (r *rig) blob(repo, content string) digest.Digest {
	r.t.Helper()
	d := digest.FromString(content)
	r.want(201, "", "POST", "/v2/"+repo+"/blobs/uploads/?digest="+d.String(), content)
	return d
}

// image pushes a config and a layer and gives the bytes of a manifest over them.
func (r *rig) image(repo, mark string) string {
	r.t.Helper()
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest,
		Config: descriptor("application/vnd.example.config", r.blob(repo, "config "+mark), len("config "+mark)),
		Layers: []ocispec.Descriptor{descriptor("application/vnd.example.layer", r.blob(repo, "layer "+mark), len("layer "+mark))}}
	m.SchemaVersion = 2
	return marshal(r.t, m)
}

func descriptor(mediaType string, d digest.Digest, size int) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(size)}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const typeManifest = "Content-Type: " + ocispec.MediaTypeImageManifest

func TestBase(t *testing.T) {
	r := newRig(t, Options{})
	if got := r.want(200, "", "GET", "/v2/", ""); got.header.Get("Docker-Distribution-API-Version") != "registry/2.0" {
		t.Errorf("headers %v", got.header)
	}
	r.want(200, "", "HEAD", "/v2/", "")
	r.want(404, codeUnsupported, "GET", "/", "")
	r.want(404, codeUnsupported, "GET", "/v1/", "")
	if got := r.want(405, codeUnsupported, "PUT", "/v2/", ""); got.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow %q", got.header.Get("Allow"))
	}
}

func TestNames(t *testing.T) {
	r := newRig(t, Options{})
	for _, name := range []string{"A", "-a", "a//b", "a/../b", "..", "a/_tags", "a.", "é", strings.Repeat("a", 256)} {
		r.want(400, codeNameInvalid, "GET", "/v2/"+strings.ReplaceAll(name, "é", "%C3%A9")+"/tags/list", "")
	}
	for _, name := range []string{"a", "a/b/c", "a-b_c.d", "a/blobs/uploads", "manifests/x", strings.Repeat("a", 255)} {
		r.want(404, codeNameUnknown, "GET", "/v2/"+name+"/tags/list", "")
	}
}

func TestBlob(t *testing.T) {
	r := newRig(t, Options{})
	d := r.blob("charts/a", "0123456789")
	path := "/v2/charts/a/blobs/" + d.String()
	got := r.want(200, "", "GET", path, "")
	if got.body != "0123456789" || got.header.Get("Docker-Content-Digest") != d.String() {
		t.Errorf("got %+v", got)
	}
	head := r.want(200, "", "HEAD", path, "")
	if head.header.Get("Content-Length") != "10" || head.header.Get("Accept-Ranges") != "bytes" || head.body != "" {
		t.Errorf("HEAD: %+v", head)
	}
	part := r.want(206, "", "GET", path, "", "Range: bytes=2-4")
	if part.body != "234" || part.header.Get("Content-Range") != "bytes 2-4/10" {
		t.Errorf("range: %+v", part)
	}
	r.want(416, "", "GET", path, "", "Range: bytes=20-30")
	r.want(304, "", "GET", path, "", `If-None-Match: "`+d.String()+`"`)
	r.want(404, codeBlobUnknown, "GET", "/v2/charts/b/blobs/"+d.String(), "")
	r.want(404, codeBlobUnknown, "HEAD", "/v2/charts/a/blobs/"+digest.FromString("x").String(), "")
	r.want(400, codeDigestInvalid, "GET", "/v2/charts/a/blobs/sha256:12", "")
	r.want(400, codeDigestInvalid, "GET", "/v2/charts/a/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", "")
	r.want(202, "", "DELETE", path, "")
	r.want(404, codeBlobUnknown, "GET", path, "")
	r.want(404, codeBlobUnknown, "DELETE", path, "")
	r.blob("charts/a", "0123456789")
	r.want(200, "", "GET", path, "")
}

func TestBlobSHA512(t *testing.T) {
	r := newRig(t, Options{})
	d := digest.SHA512.FromString("five")
	r.want(201, "", "POST", "/v2/a/blobs/uploads/?digest="+d.String(), "five")
	if got := r.want(200, "", "GET", "/v2/a/blobs/"+d.String(), ""); got.body != "five" {
		t.Errorf("got %q", got.body)
	}
}

func TestUploadInOne(t *testing.T) {
	r := newRig(t, Options{})
	d := digest.FromString("right")
	r.want(400, codeDigestInvalid, "POST", "/v2/a/blobs/uploads/?digest="+d.String(), "wrong")
	r.want(404, codeBlobUnknown, "HEAD", "/v2/a/blobs/"+d.String(), "")
	start := r.want(202, "", "POST", "/v2/a/blobs/uploads/", "")
	where := start.header.Get("Location")
	r.want(400, codeDigestInvalid, "PUT", where+"?digest="+d.String(), "wrong")
	r.want(400, codeDigestInvalid, "PUT", where, "right")
	done := r.want(201, "", "PUT", where+"?digest="+d.String(), "right")
	if done.header.Get("Location") != "/v2/a/blobs/"+d.String() {
		t.Errorf("Location %q", done.header.Get("Location"))
	}
	r.want(404, codeUploadUnknown, "PUT", where+"?digest="+d.String(), "right")
}

func TestUploadInChunks(t *testing.T) {
	r := newRig(t, Options{})
	where := r.want(202, "", "POST", "/v2/a/blobs/uploads/", "").header.Get("Location")
	one := r.want(202, "", "PATCH", where, "01234", "Content-Range: 0-4")
	if one.header.Get("Range") != "0-4" {
		t.Errorf("Range %q", one.header.Get("Range"))
	}
	gap := r.want(416, codeUploadInvalid, "PATCH", where, "89", "Content-Range: 8-9")
	if gap.header.Get("Range") != "0-4" || gap.header.Get("Location") != where {
		t.Errorf("headers of the refusal: %v", gap.header)
	}
	r.want(416, codeUploadInvalid, "PATCH", where, "01234", "Content-Range: 0-4")
	r.want(400, codeSizeInvalid, "PATCH", where, "56", "Content-Range: 5-9")
	r.want(400, codeUploadInvalid, "PATCH", where, "56", "Content-Range: five")
	r.want(202, "", "PATCH", where, "56")
	if got := r.want(204, "", "GET", where, ""); got.header.Get("Range") != "0-6" {
		t.Errorf("Range %q", got.header.Get("Range"))
	}
	r.want(404, codeUploadUnknown, "GET", strings.Replace(where, "/v2/a/", "/v2/b/", 1), "")
	d := digest.FromString("0123456789")
	r.want(201, "", "PUT", where+"?digest="+d.String(), "789", "Content-Range: 7-9")
	if got := r.want(200, "", "GET", "/v2/a/blobs/"+d.String(), ""); got.body != "0123456789" {
		t.Errorf("got %q", got.body)
	}
	other := r.want(202, "", "POST", "/v2/a/blobs/uploads/", "").header.Get("Location")
	r.want(204, "", "DELETE", other, "")
	r.want(404, codeUploadUnknown, "PATCH", other, "x")
}

func TestMount(t *testing.T) {
	r := newRig(t, Options{})
	d := r.blob("from", "shared")
	r.want(201, "", "POST", "/v2/to/blobs/uploads/?mount="+d.String()+"&from=from", "")
	r.want(200, "", "GET", "/v2/to/blobs/"+d.String(), "")
	for _, query := range []string{"&from=nowhere", ""} {
		got := r.want(202, "", "POST", "/v2/to2/blobs/uploads/?mount="+d.String()+query, "")
		r.want(201, "", "PUT", got.header.Get("Location")+"?digest="+d.String(), "shared")
	}
	r.want(400, codeNameInvalid, "POST", "/v2/to/blobs/uploads/?mount="+d.String()+"&from=../from", "")
}
