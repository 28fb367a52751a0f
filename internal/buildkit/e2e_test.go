//go:build e2e

package buildkit

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

// socket is the daemon that the caller of these tests has started.
type socket string

func (s socket) Start(context.Context) error { return nil }
func (s socket) Close(context.Context) error { return nil }
func (s socket) Builder(context.Context, string) (*driver.Builder, error) {
	return &driver.Builder{Name: string(s), Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", strings.TrimPrefix(string(s), "unix://"))
	}}, nil
}

func daemon(t *testing.T) socket {
	t.Helper()
	host := os.Getenv("BUILDKIT_HOST")
	if !strings.HasPrefix(host, "unix://") {
		t.Skip("BUILDKIT_HOST names no daemon on a socket")
	}
	return socket(host)
}

// tree writes files, busybox among them, and returns their folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if text == "busybox" {
			data, err := os.ReadFile("/bin/busybox")
			if err != nil {
				t.Skip("a static busybox is wanted: ", err)
			}
			if err := os.WriteFile(name, data, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func image(name, dir string) *Image {
	return &Image{Name: name, Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
}

func run(t *testing.T, r *Run, images ...*Image) []Result {
	t.Helper()
	var out bytes.Buffer
	p, err := NewProgress(&out, "plain", len(images) > 1)
	if err != nil {
		t.Fatal(err)
	}
	r.Progress = p
	results, err := r.Build(context.Background(), images)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	t.Log(out.String())
	return results
}

const busyboxImage = "FROM scratch\nCOPY busybox /bin/busybox\n"

func TestBuildTwice(t *testing.T) {
	when := time.Unix(1700000000, 0)
	dir := tree(t, map[string]string{"busybox": "busybox", "Dockerfile": busyboxImage + "RUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo $(/bin/busybox date) > /made\"]\nENTRYPOINT [\"/bin/busybox\"]\n"})
	r := &Run{Driver: daemon(t), Key: "group/project", Epoch: &when}
	first := run(t, r, image("a", dir))[0]
	if first.State != Built || first.Steps != 2 || first.Size == 0 || !strings.HasPrefix(first.Digest, "sha256:") {
		t.Fatalf("%+v", first)
	}
	second := run(t, r, image("a", dir))[0]
	if second.Cached != 2 || second.Digest != first.Digest {
		t.Errorf("%+v", second)
	}
}

func TestNeeds(t *testing.T) {
	base := tree(t, map[string]string{"busybox": "busybox", "Dockerfile": busyboxImage})
	top := tree(t, map[string]string{"Dockerfile": "FROM base\nRUN [\"/bin/busybox\", \"touch\", \"/x\"]\n"})
	other := tree(t, map[string]string{"Dockerfile": "FROM registry.example.com/team/base:1\nCOPY --from=base /bin/busybox /copy\n"})
	b, a, c := image("base", base), image("top", top), image("other", other)
	b.Tags = []string{"registry.example.com/team/base:1"}
	a.Needs, c.Needs = []string{"base"}, []string{"base"}
	for _, res := range run(t, &Run{Driver: daemon(t), Key: "group/needs"}, b, a, c) {
		if res.State != Built {
			t.Errorf("%s: %s %v", res.Image.Name, res.State, res.Err)
		}
	}
}
