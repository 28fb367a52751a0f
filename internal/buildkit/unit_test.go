package buildkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

func TestParseOutput(t *testing.T) {
	for text, want := range map[string]Output{
		"type=oci,dest=a.tar":                 {Type: "oci", Attrs: map[string]string{}, Dest: "/dir/a.tar"},
		"type=docker,dest=/b.tar":             {Type: "docker", Attrs: map[string]string{}, Dest: "/b.tar"},
		"out":                                 {Type: "local", Attrs: map[string]string{}, Dest: "/dir/out"},
		"-":                                   {Type: "tar", Attrs: map[string]string{}, Dest: "-"},
		"type=registry":                       {Type: "image", Attrs: map[string]string{"push": "true"}},
		"type=image,name=r.io/a,push=true":    {Type: "image", Attrs: map[string]string{"name": "r.io/a", "push": "true"}},
		`type=image,"name=r.io/a,r.io/b"`:     {Type: "image", Attrs: map[string]string{"name": "r.io/a,r.io/b"}},
		"type=oci,dest=layout,tar=false":      {Type: "oci", Attrs: map[string]string{"tar": "false"}, Dest: "/dir/layout"},
		"type=oci,dest=-,compression=estargz": {Type: "oci", Attrs: map[string]string{"compression": "estargz"}, Dest: "-"},
	} {
		got, err := ParseOutput(text, "/dir")
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", text, err, d)
		}
	}
	for text, want := range map[string]string{
		"type=tape,dest=x":  `there is no output of type "tape"`,
		"type=docker":       "type=docker needs dest=PATH",
		"type=image,dest=x": "an image has no dest",
		"type=local,dest=-": "a folder cannot go to standard output",
		"type=oci,dest":     `"dest" is not KEY=VALUE`,
		`type=oci,"dest=x`:  "is no list",
		"":                  "is no list",
	} {
		if _, err := ParseOutput(text, "/dir"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"type=oci,dest=a", "id=x,src=y", "ref", `"a=b,c"`, "type=registry,ref=x,mode=max", "-", "a=b=c"} {
		f.Add(s)
	}
	dir := f.TempDir()
	none := func(string) (string, bool) { return "", false }
	f.Fuzz(func(t *testing.T, s string) {
		if o, err := ParseOutput(s, dir); err == nil && o.Dest != "" && o.Dest != "-" && !filepath.IsAbs(o.Dest) {
			t.Errorf("%q: %+v", s, o)
		}
		if c, err := ParseCache("--cache-from", s); err == nil && c.Type == "" {
			t.Errorf("%q: %+v", s, c)
		}
		if strings.Contains(s, "/") || strings.Contains(s, "~") {
			return // a file of this machine's
		}
		if x, err := ParseSecret(s, dir, os.Getenv, none); err == nil && x.ID == "" {
			t.Errorf("%q: %+v", s, x)
		}
		_ = CheckTag(s)
	})
}

func TestPartialFile(t *testing.T) {
	dest := filepath.Join(t.TempDir(), "new", "image.tar")
	write := func(text string, ok bool) {
		t.Helper()
		entry, finish := Output{Type: "oci", Dest: dest}.export(nil)
		w, err := entry.Output(nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, text)
		w.Close()
		if err := finish(ok); err != nil {
			t.Fatal(err)
		}
	}
	write("half", false)
	if _, err := os.Stat(dest); err == nil {
		t.Error("half an image is there")
	}
	write("whole", true)
	write("half again", false)
	if got, _ := os.ReadFile(dest); string(got) != "whole" {
		t.Errorf("%q", got)
	}
	if left, _ := os.ReadDir(filepath.Dir(dest)); len(left) != 1 {
		t.Error(left)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644)
	ok := Image{Name: "web", Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
	r := &Run{Root: filepath.Dir(dir)}
	if err := r.Check([]*Image{&ok}); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Image){
		"there is no Dockerfile at":   func(i *Image) { i.Dockerfile += ".x" },
		"is no folder":                func(i *Image) { i.Context += "x" },
		"its context lib,":            func(i *Image) { i.Contexts = map[string]string{"lib": dir + "x"} },
		"to be pushed and has no tag": func(i *Image) { i.Outputs = []Output{Push()} },
		"--ssh k=/no/such/key":        func(i *Image) { i.SSH = []string{"k=/no/such/key"} },
	} {
		i := ok
		change(&i)
		var wrong *DefinitionError
		if err := r.Check([]*Image{&i}); !errors.As(err, &wrong) || wrong.Image != "web" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestRequest(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644)
	when := time.Unix(1700000000, 0)
	r := &Run{Root: dir, Key: "group/project", Epoch: &when, PlainHTTP: func(h string) bool { return h == "localhost:5000" }}
	i := &Image{Name: "web", Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), Target: "prod", Platforms: []string{"linux/amd64", "linux/arm64"},
		Args: map[string]string{"A": "1"}, Labels: map[string]string{"l": "2"}, Tags: []string{"localhost:5000/web:1", "r.example.com/web:1"}, NoCache: true, Pull: true, Network: "none",
		Hosts: map[string]string{"db": "10.0.0.1"}, Contexts: map[string]string{"alpine:latest": "docker-image://r.example.com/alpine"},
		Outputs: []Output{Push()}, CacheTo: []Cache{{"registry", map[string]string{"ref": "localhost:5000/web:cache"}}}, Attest: map[string]string{"provenance": "mode=max"}}
	req, err := r.request(i)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"build-arg:A": "1", "build-arg:SOURCE_DATE_EPOCH": "1700000000", "build-arg:BUILDKIT_CACHE_MOUNT_NS": "group/project", "label:l": "2",
		"target": "prod", "platform": "linux/amd64,linux/arm64", "image-resolve-mode": "pull", "no-cache": "", "force-network-mode": "none", "add-hosts": "db=10.0.0.1",
		"filename": "Dockerfile", "context:alpine": "docker-image://r.example.com/alpine", "attest:provenance": "mode=max"}, req.opt.FrontendAttrs); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"push": "true", "name": "localhost:5000/web:1,r.example.com/web:1", "rewrite-timestamp": "true", "oci-artifact": "false", "registry.insecure": "true"},
		req.opt.Exports[0].Attrs); d != "" {
		t.Error(d)
	}
	if req.opt.CacheExports[0].Attrs["registry.insecure"] != "true" || i.CacheTo[0].Attrs["registry.insecure"] != "" {
		t.Error(req.opt.CacheExports, i.CacheTo)
	}
}

func TestKeys(t *testing.T) {
	img := func(name string, needs ...string) *Image { return &Image{Name: name, Needs: needs} }
	got := keysOf([]*Image{img("a"), img("b", "a"), img("c"), img("d", "c", "b"), img("z")})
	if d := cmp.Diff(map[string]string{"a": "a", "b": "a", "c": "a", "d": "a", "z": "z"}, got); d != "" {
		t.Error(d)
	}
}

// failing is a driver whose builders go away.
type failing struct{ builders int }

func (f *failing) Start(context.Context) error { return nil }
func (f *failing) Close(context.Context) error { return nil }
func (f *failing) Builder(context.Context, string) (*driver.Builder, error) {
	f.builders++
	return nil, &driver.LostError{Builder: fmt.Sprintf("pod %d", f.builders), Reason: "it was deleted", Retry: true, Hint: "see why"}
}

func TestLostBuilders(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644)
	f := &failing{}
	a := &Image{Name: "a", Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
	b := &Image{Name: "b", Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), Needs: []string{"a"}}
	results, err := (&Run{Driver: f}).Build(context.Background(), []*Image{a, b})
	if err != nil {
		t.Fatal(err)
	}
	var failed *Error
	if !errors.As(results[0].Err, &failed) || !failed.Ours || failed.Hint != "see why" || !strings.Contains(failed.Error(), "pod 3") || f.builders != 3 {
		t.Errorf("%v after %d", results[0].Err, f.builders)
	}
	if results[1].State != Held || results[1].Reason != "it needs a, which was not built" {
		t.Errorf("%+v", results[1])
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if results, _ = (&Run{Driver: f}).Build(ctx, []*Image{a}); !errors.Is(results[0].Err, context.Canceled) {
		t.Error(results[0].Err)
	}
}

func TestExplain(t *testing.T) {
	i := &Image{Name: "web"}
	for words, want := range map[string]struct {
		ours bool
		hint string
	}{
		"failed to solve: write /x: no space left on device":                                                {true, "disk is full"},
		"failed to push r.example.com/a:1: server message: insufficient_scope: authorization failed":        {true, "other credentials"},
		"failed to push r.example.com/a:1: unexpected status from PUT request to https://x: 500":            {true, "did not take r.example.com/a:1"},
		"failed to solve: secret token: not found":                                                          {false, "--secret id=token,src=FILE"},
		"failed to solve: x: failed to resolve source metadata for docker.io/library/a:1: dial tcp: lookup": {true, "base image docker.io/library/a:1"},
		`process "/bin/sh -c false" did not complete successfully: exit code: 1`:                            {false, ""},
		"granting entitlement security.insecure is not allowed by build daemon configuration":               {true, "--allow-insecure-entitlement security.insecure"},
	} {
		var got *Error
		if !errors.As((&Run{}).explain(context.Background(), i, errors.New(words)), &got) || got.Ours != want.ours || !strings.Contains(got.Hint, want.hint) || want.hint == "" && got.Hint != "" {
			t.Errorf("%s: %+v", words, got)
		}
	}
}

func TestCounterAndLabels(t *testing.T) {
	now, c := time.Now(), newCounter()
	status := &client.SolveStatus{Vertexes: []*client.Vertex{
		{Digest: digest.FromString("1"), Name: "[internal] load build definition", Completed: &now},
		{Digest: digest.FromString("2"), Name: "[1/3] FROM scratch", Completed: &now, Cached: true},
		{Digest: digest.FromString("3"), Name: "[2/3] RUN x", Completed: &now, Inputs: []digest.Digest{digest.FromString("2")}},
		{Digest: digest.FromString("4"), Name: "[3/3] RUN y"},
		{Digest: digest.FromString("5"), Name: "exporting to image", Completed: &now},
	}, Logs: []*client.VertexLog{{Vertex: digest.FromString("3")}}}
	c.add(status)
	if steps, cached := c.count(); steps != 2 || cached != 1 {
		t.Error(steps, cached)
	}
	c.add(&client.SolveStatus{Statuses: []*client.VertexStatus{{ID: "sha256:1", Vertex: digest.FromString("3")}}})
	if steps, cached := c.count(); steps != 2 || cached != 2 {
		t.Error("a layer out of a cache counts as cached:", steps, cached)
	}
	a, b := labelled("a", status), labelled("b", status)
	if a.Vertexes[2].Name != "[a 2/3] RUN x" || a.Vertexes[4].Name != "[a] exporting to image" || a.Vertexes[2].Digest == b.Vertexes[2].Digest {
		t.Errorf("%+v", a.Vertexes)
	}
	if a.Vertexes[2].Inputs[0] != a.Vertexes[1].Digest || a.Logs[0].Vertex != a.Vertexes[2].Digest || status.Vertexes[2].Name != "[2/3] RUN x" {
		t.Error("what belongs together does no longer")
	}
}

func TestMetadata(t *testing.T) {
	results := []Result{{Image: &Image{Name: "my-web", Tags: []string{"r.example.com:5000/web:1"}}, State: Built, Digest: "sha256:1", Pushed: []string{"r.example.com:5000/web:1"}, Size: 3, Took: time.Second},
		{Image: &Image{Name: "b"}, State: Failed}}
	if got, want := string(Dotenv(results)), "IMAGE_MY_WEB=r.example.com:5000/web@sha256:1\nIMAGE_MY_WEB_REFERENCE=r.example.com:5000/web:1\nIMAGE_MY_WEB_DIGEST=sha256:1\n"; got != want {
		t.Error(got)
	}
	got, err := Metadata(results)
	if err != nil || !strings.Contains(string(got), `"containerimage.digest": "sha256:1"`) || !strings.Contains(string(got), `"image.name": "r.example.com:5000/web:1"`) || strings.Contains(string(got), "null") {
		t.Errorf("%v %s", err, got)
	}
}

func TestParseAttest(t *testing.T) {
	got, err := ParseAttest([]string{"type=sbom,generator=x"}, "mode=max", "")
	if d := cmp.Diff(map[string]string{"sbom": "generator=x", "provenance": "mode=max"}, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if got, err = ParseAttest(nil, "false", "true"); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
	if _, err = ParseAttest([]string{"type=x"}, "", ""); err == nil {
		t.Error("taken")
	}
}
