//go:build e2e

// Package images builds the Dockerfiles of images/ for real, by a rootless daemon, with
// stand-ins in the places of base images.
package images

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// root is the repository's.
const root = "../.."

// token is what must be nowhere in an image.
const token = "npm-token-of-the-test"

const configuration = `images:
  base: {context: testdata/images/base}
  chartgate:
    context: .
    dockerfile: images/chartgate/Dockerfile
    target: chartgate
    depends-on: [base]
    args: {BASE_IMAGE: base, GO_IMAGE: base, ROOTLESS_IMAGE: base}
    contexts: {build: dist/build}
  chartgate-rootless:
    context: .
    dockerfile: images/chartgate/Dockerfile
    target: rootless
    depends-on: [base]
    args: {BASE_IMAGE: base, GO_IMAGE: base, ROOTLESS_IMAGE: base}
    contexts: {build: dist/build}
  chartgate-static:
    context: .
    dockerfile: images/chartgate/Dockerfile
    target: static
    contexts: {build: dist/build, certificates: dist/certificates}
  tempo-auth-proxy: {depends-on: [base], args: {BASE_IMAGE: base}}
  n8n-nodes:
    depends-on: [base]
    args: {NODE_IMAGE: base, N8N_IMAGE: base, NPM_REGISTRY: "https://npm.example.com/api/npm/", PACKAGES: "@acme/n8n-nodes-billing@1.4.0 n8n-nodes-extra@2.0.0"}
    secrets: ["id=npm_token,env=NPM_TOKEN"]
`

// workshop is a repository with the images and their stand-ins.
type workshop struct {
	dir string
	env []string
}

func open(t *testing.T) *workshop {
	t.Helper()
	for _, name := range []string{"buildkitd", "rootlesskit", "newuidmap"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s here", name)
		}
	}
	if os.Getenv("CHARTGATE") == "" {
		t.Skip("CHARTGATE names no binary")
	}
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("a static busybox is wanted: ", err)
	}
	w := &workshop{dir: t.TempDir()}
	// The daemon runs as another user than root, who could not read root's own configuration.
	env := slices.DeleteFunc(fixture.Env(t), func(v string) bool { return strings.HasPrefix(v, "XDG_") })
	w.env = append(env, "NPM_TOKEN="+token, "SOURCE_DATE_EPOCH=1700000000")
	for _, folder := range []string{"images", "testdata/images"} {
		if err := os.CopyFS(filepath.Join(w.dir, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"chartgate.yaml": configuration, "go.mod": "module x\n", "go.sum": "", "cmd/main.go": "package main\n", "internal/x/x.go": "package x\n",
		"dist/certificates/etc/ssl/certs/ca-certificates.crt": "authorities\n",
		"testdata/images/base/busybox":                        string(busybox), "dist/build/out/chartgate": string(busybox),
	} {
		fixture.Write(t, filepath.Join(w.dir, name), text)
	}
	if err := os.Chmod(filepath.Join(w.dir, "dist/build/out/chartgate"), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *workshop) build(t *testing.T, code int, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Getenv("CHARTGATE"), append([]string{"build", "--driver", "local"}, args...)...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("exit code %d, want %d\n%s", got, code, out)
	}
	return string(out)
}

// image is one that was built: the files of all its layers, and its configuration.
type image struct {
	files  map[string]*tar.Header
	text   map[string]string // what small files hold
	User   string
	Env    []string
	Entry  []string `json:"Entrypoint"`
	layers [][]byte // decompressed
	config []byte
}

// take builds one image and reads it.
func (w *workshop) take(t *testing.T, name string) *image {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".tar")
	w.build(t, 0, name, "--output", "type=oci,dest="+file)
	blobs := map[string][]byte{}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	each(t, f, func(h *tar.Header, data []byte) { blobs[strings.TrimPrefix(h.Name, "blobs/sha256/")] = data })
	var index, manifest struct {
		Manifests, Layers []struct{ Digest string }
		Config            struct{ Digest string }
	}
	blob := func(digest string) []byte { return blobs[strings.TrimPrefix(digest, "sha256:")] }
	decode(t, blobs["index.json"], &index)
	decode(t, blob(index.Manifests[0].Digest), &manifest)
	img := &image{files: map[string]*tar.Header{}, text: map[string]string{}, config: blob(manifest.Config.Digest)}
	var config struct{ Config *image }
	config.Config = img
	decode(t, img.config, &config)
	for _, l := range manifest.Layers {
		z, err := gzip.NewReader(bytes.NewReader(blob(l.Digest)))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		img.layers = append(img.layers, data)
		each(t, bytes.NewReader(data), func(h *tar.Header, data []byte) {
			img.files[strings.TrimSuffix(h.Name, "/")] = h
			if len(data) < 1<<16 {
				img.text[h.Name] = string(data)
			}
		})
	}
	return img
}

func each(t *testing.T, r io.Reader, f func(*tar.Header, []byte)) {
	t.Helper()
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		f(h, data)
	}
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
}

func TestAll(t *testing.T) {
	if out := open(t).build(t, 0); !strings.Contains(out, "6 built") {
		t.Error(out)
	}
}

func TestChartgate(t *testing.T) {
	w := open(t)
	for _, name := range []string{"chartgate", "chartgate-static"} {
		img := w.take(t, name)
		binary, home := img.files["usr/local/bin/chartgate"], img.files["home/chartgate"]
		if binary == nil || binary.Mode&0o111 != 0o111 || home == nil || home.Uid != 65532 {
			t.Errorf("%s: the binary is %+v, the home %+v", name, binary, home)
		}
		if img.User != "65532:65532" || !strings.Contains(img.text["etc/passwd"], "chartgate:x:65532:65532:") || img.text["etc/ssl/certs/ca-certificates.crt"] == "" {
			t.Errorf("%s: user %q\n%s", name, img.User, img.text["etc/passwd"])
		}
		if !slices.Equal(img.Entry, []string{"/usr/local/bin/chartgate"}) || !slices.Contains(img.Env, "HOME=/home/chartgate") {
			t.Errorf("%s: %v %v", name, img.Entry, img.Env)
		}
	}
	if img := w.take(t, "chartgate-static"); img.files["bin/busybox"] != nil {
		t.Error("the static image has a base image")
	}
}

var digest = regexp.MustCompile(`chartgate-static  (sha256:[0-9a-f]{64})`)

// What the image is not made of changes nothing in it.
func TestIgnored(t *testing.T) {
	w := open(t)
	before := digest.FindString(w.build(t, 0, "chartgate-static"))
	for _, name := range []string{"README.md", "charts/x/Chart.yaml", "internal/x/x_test.go", "internal/x/testdata/y", "images/n8n-nodes/z"} {
		fixture.Write(t, filepath.Join(w.dir, name), "changed")
	}
	if after := digest.FindString(w.build(t, 0, "chartgate-static")); before == "" || after != before {
		t.Errorf("%s became %s", before, after)
	}
}

func TestTempoAuthProxy(t *testing.T) {
	img := open(t).take(t, "tempo-auth-proxy")
	if img.User != "101:101" || !slices.Contains(img.Env, "TEMPO_HTTP=tempo:3200") {
		t.Errorf("%q %v", img.User, img.Env)
	}
	want, err := os.ReadFile(filepath.Join(root, "images/tempo-auth-proxy/templates/default.conf.template"))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.text["etc/nginx/templates/default.conf.template"]; got != string(want) {
		t.Errorf("the configuration is %q", got)
	}
	if img.text["etc/tempo-auth-proxy/htpasswd"] == "" || img.files["etc/nginx/templates/README.md"] != nil {
		t.Error("the files are not those that were meant")
	}
}

// The secret reaches the step that needs it, and nothing that is kept.
func TestSecretOfNodes(t *testing.T) {
	w := open(t)
	img := w.take(t, "n8n-nodes")
	for name, version := range map[string]string{"@acme/n8n-nodes-billing": "1.4.0", "n8n-nodes-extra": "2.0.0"} {
		if got := img.text["opt/n8n-nodes/node_modules/"+name+"/package.json"]; !strings.Contains(got, version) {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name := range img.files {
		if strings.HasSuffix(name, ".npmrc") {
			t.Errorf("%s is in the image", name)
		}
	}
	for _, data := range append(img.layers, img.config) {
		if bytes.Contains(data, []byte(token)) {
			t.Error("the token is in the image")
		}
	}
	if out := w.build(t, 0, "n8n-nodes", "--no-cache"); strings.Contains(out, token) {
		t.Errorf("the token is printed\n%s", out)
	}
}

func TestNodesWithoutTheirNeeds(t *testing.T) {
	w := open(t)
	if out := w.build(t, 1, "n8n-nodes", "--build-arg", "PACKAGES="); !strings.Contains(out, "name them with --build-arg PACKAGES=") {
		t.Error(out)
	}
	w.env = slices.DeleteFunc(w.env, func(v string) bool { return strings.HasPrefix(v, "NPM_TOKEN=") })
	cmd := exec.CommandContext(t.Context(), os.Getenv("CHARTGATE"), "build", "--driver", "local", "n8n-nodes")
	cmd.Dir, cmd.Env = w.dir, w.env
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "NPM_TOKEN") && !strings.Contains(string(out), "npm_token") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Each folder says what it is, and what it does not send to the builder.
func TestFolders(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join(root, "images"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(root, "images/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range folders {
		if !d.IsDir() {
			continue
		}
		has := func(name string) bool {
			_, err := os.Stat(filepath.Join(root, "images", d.Name(), name))
			return !errors.Is(err, fs.ErrNotExist)
		}
		if !has("Dockerfile") || !has("README.md") || !has(".dockerignore") && !has("Dockerfile.dockerignore") || !strings.Contains(string(list), "("+d.Name()+"/)") {
			t.Errorf("images/%s lacks a Dockerfile, a README.md, a .dockerignore or its line in images/README.md", d.Name())
		}
	}
}
