package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	first := openRig(t, dir, Options{})
	m := first.image("app", "1")
	first.want(201, "", "PUT", "/v2/app/manifests/1", m, typeManifest)
	where := first.want(202, "", "POST", "/v2/app/blobs/uploads/", "").header.Get("Location")
	first.want(202, "", "PATCH", where, "half ")
	second := openRig(t, dir, Options{})
	if got := second.want(200, "", "GET", "/v2/app/manifests/1", ""); got.body != m {
		t.Errorf("got %q", got.body)
	}
	d := digest.FromString("half done")
	second.want(201, "", "PUT", where+"?digest="+d.String(), "done")
	first.want(200, "", "HEAD", "/v2/app/blobs/"+d.String(), "")
	first.want(404, codeUploadUnknown, "PATCH", where, "more")
}

// Two servers over one folder push the same and different things at once; what
// they say is there must be there, whole.
func TestSharedFolder(t *testing.T) {
	dir := t.TempDir()
	rigs := []*rig{openRig(t, dir, Options{}), openRig(t, dir, Options{})}
	body := strings.Repeat("x", 100_000)
	var g errgroup.Group
	for i := range 24 {
		g.Go(func() error {
			r, content := rigs[i%2], fmt.Sprintf("%d%s", i/4, body)
			d := digest.FromString(content)
			if got := r.do("POST", "/v2/app/blobs/uploads/?digest="+d.String(), content); got.status != 201 {
				return fmt.Errorf("push %d: %d %s", i, got.status, got.body)
			}
			if got := rigs[(i+1)%2].do("GET", "/v2/app/blobs/"+d.String(), ""); got.body != content {
				return fmt.Errorf("pull %d: %d, %d bytes", i, got.status, len(got.body))
			}
			return nil
		})
	}
	m := [2]string{rigs[0].image("app", "0"), rigs[1].image("app", "1")}
	for i := range 20 {
		g.Go(func() error {
			if got := rigs[i%2].do("PUT", "/v2/app/manifests/moving", m[i%2], typeManifest); got.status != 201 {
				return fmt.Errorf("tag %d: %d %s", i, got.status, got.body)
			}
			if got := rigs[i%2].do("GET", "/v2/app/manifests/moving", ""); got.body != m[0] && got.body != m[1] {
				return fmt.Errorf("read %d: %d %q", i, got.status, got.body)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	checkBlobs(t, dir)
	if left, _ := os.ReadDir(filepath.Join(dir, "tmp")); len(left) != 0 {
		t.Errorf("%d files left under tmp", len(left))
	}
}

// checkBlobs hashes every content against its name.
func checkBlobs(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("blobs: %v %v", files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if digest.FromBytes(data).Encoded() != filepath.Base(f) {
			t.Errorf("%s has another digest than its name", f)
		}
	}
}

// One upload used by many requests at once ends as one content or as a refusal,
// never as a content that is not what its digest says.
func TestOneUploadManyWriters(t *testing.T) {
	dir := t.TempDir()
	rigs := []*rig{openRig(t, dir, Options{}), openRig(t, dir, Options{})}
	where := rigs[0].want(202, "", "POST", "/v2/a/blobs/uploads/", "").header.Get("Location")
	d := digest.FromString("aaaaaaaaaa")
	var g errgroup.Group
	for i := range 20 {
		g.Go(func() error {
			rigs[i%2].do("PATCH", where, "a")
			rigs[i%2].do("PUT", where+"?digest="+d.String(), "")
			return nil
		})
	}
	_ = g.Wait()
	if got := rigs[0].do("GET", "/v2/a/blobs/"+d.String(), ""); got.status == 200 {
		checkBlobs(t, dir)
	}
}

func TestLimits(t *testing.T) {
	r := newRig(t, Options{MaxBlob: 10, MaxUploads: 2})
	d := digest.FromString("01234567890")
	r.want(413, codeSizeInvalid, "POST", "/v2/a/blobs/uploads/?digest="+d.String(), "01234567890")
	where := r.want(202, "", "POST", "/v2/a/blobs/uploads/", "").header.Get("Location")
	r.want(202, "", "PATCH", where, "012345")
	r.want(413, codeSizeInvalid, "PUT", where+"?digest="+d.String(), "67890")
	r.want(413, codeSizeInvalid, "PATCH", where, "67890")
	r.want(202, "", "POST", "/v2/a/blobs/uploads/", "")
	r.want(429, codeTooMany, "POST", "/v2/a/blobs/uploads/", "")
	r.want(204, "", "DELETE", where, "")
	r.want(202, "", "POST", "/v2/a/blobs/uploads/", "")
}

func TestAbandoned(t *testing.T) {
	dir := t.TempDir()
	r := openRig(t, dir, Options{})
	old := r.want(202, "", "POST", "/v2/a/blobs/uploads/", "").header.Get("Location")
	fresh := r.want(202, "", "POST", "/v2/a/blobs/uploads/", "").header.Get("Location")
	stray := filepath.Join(dir, "tmp", "stray")
	if err := os.WriteFile(stray, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-2 * time.Hour)
	id := old[strings.LastIndexByte(old, '/')+1:]
	if err := errors.Join(os.Chtimes(filepath.Join(dir, "uploads", id, "data"), past, past), os.Chtimes(stray, past, past)); err != nil {
		t.Fatal(err)
	}
	again := openRig(t, dir, Options{})
	again.want(404, codeUploadUnknown, "GET", old, "")
	again.want(204, "", "GET", fresh, "")
	if _, err := os.Stat(stray); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stray file is still there: %v", err)
	}
}

// A link planted in the folder does not lead out of it.
func TestNoEscape(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := openRig(t, dir, Options{})
	d := r.blob("a", "public")
	file := filepath.Join(dir, "blobs", "sha256", d.Encoded())
	if err := errors.Join(os.Remove(file), os.Symlink(outside, file)); err != nil {
		t.Fatal(err)
	}
	if got := r.do("GET", "/v2/a/blobs/"+d.String(), ""); got.status != 500 || strings.Contains(got.body, "secret") || strings.Contains(got.body, dir) {
		t.Errorf("got %+v", got)
	}
}

func TestStart(t *testing.T) {
	s, err := New(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "example.com:80", "127.0.0.1"} {
		if _, err := s.Start(ctx, addr); err == nil {
			t.Errorf("listening at %q was not refused", addr)
		}
	}
	run, err := s.Start(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{run.Addr: 200, "localhost": 200, "[::1]:80": 200, "evil.example": 403, "127.0.0.1.evil.example:80": 403} {
		req, _ := http.NewRequest("GET", "http://"+run.Addr+"/v2/", nil)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("Host %q: status %d, want %d", host, resp.StatusCode, want)
		}
	}
	if _, err := s.Start(ctx, run.Addr); err == nil {
		t.Error("two servers at one address")
	}
	cancel()
	if err := run.Wait(); err != nil {
		t.Error(err)
	}
	if err := run.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", run.Addr); err == nil {
		c.Close()
		t.Error("still listening after the context ended")
	}
}

func TestNewRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(file, Options{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"config":{"digest":"sha256:1"}}`), "application/vnd.oci.image.manifest.v1+json")
	f.Add([]byte(`{"schemaVersion":2,"manifests":[null]}`), "application/vnd.oci.image.index.v1+json; a=b")
	f.Fuzz(func(t *testing.T, data []byte, contentType string) {
		m, mediaType, err := parseManifest(data, contentType)
		if err != nil {
			var r *refusal
			if !errors.As(err, &r) || r.status != 400 {
				t.Fatalf("error %v", err)
			}
			return
		}
		if m.SchemaVersion != 2 || mediaType == "" {
			t.Fatalf("accepted %q as %q", data, mediaType)
		}
	})
}

func FuzzRoute(f *testing.F) {
	for _, p := range []string{"/v2/", "/v2/a/blobs/uploads/", "/v2/a/../b/manifests/x", "/v2/a/referrers/sha256:", "/v2//tags/list"} {
		f.Add(p)
	}
	s, err := New(f.TempDir(), Options{})
	if err != nil {
		f.Fatal(err)
	}
	table := s.routes()
	f.Fuzz(func(t *testing.T, path string) {
		for _, rt := range table {
			if m := rt.pattern.FindStringSubmatch(path); len(m) > 1 && checkName(m[1]) == nil {
				for _, part := range strings.Split(m[1], "/") {
					if part == "" || part[0] == '.' || part[0] == '_' || len(m[1]) > maxName {
						t.Fatalf("%q names the repository %q", path, m[1])
					}
				}
			}
		}
	})
}
