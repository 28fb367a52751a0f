package deps_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/registry/server"
	"github.com/chartgate/chartgate/internal/store"
	"github.com/opencontainers/go-digest"
	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"
)

// rig is a tree of charts, a registry and a chart repository, all real.
type rig struct {
	t      testing.TB
	dir    string // of the tree
	fsys   fs.FS
	repo   *chart.Repo
	client *registry.Client
	store  *store.Store
	oci    string // oci://HOST/charts
	http   string // http://HOST/repo
	opt    deps.Options
	web    *web
}

// newRig makes a tree of the files of a txtar archive, in which $OCI and $HTTP stand for the addresses of the registry and of the repository.
func newRig(t testing.TB, tree string) *rig {
	t.Helper()
	srv, err := server.New(t.TempDir(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: t.TempDir(), web: &web{files: map[string][]byte{}, asked: map[string]int{}}}
	oci := httptest.NewServer(r.web.count(srv.Handler()))
	repo := httptest.NewServer(r.web)
	t.Cleanup(func() {
		oci.Close()
		repo.Close()
		srv.Close()
	})
	r.oci = "oci://" + strings.TrimPrefix(oci.URL, "http://") + "/charts"
	r.http = repo.URL + "/repo"
	r.write(tree)
	r.newClient()
	if r.store, err = store.Open(t.TempDir(), store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.store.Close() })
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	r.fsys = root.FS()
	return r
}

// newClient forgets what the client knows, as a new process would.
func (r *rig) newClient() {
	r.t.Helper()
	env := map[string]string{"HELM_REPOSITORY_CONFIG": filepath.Join(r.dir, "repositories.yaml"), "HOME": r.dir}
	client, err := registry.New(registry.Options{PlainHTTP: true, Retries: -1, Env: func(k string) string { return env[k] }})
	if err != nil {
		r.t.Fatal(err)
	}
	r.client = client
}

// expand puts the addresses into a text.
func (r *rig) expand(s string) string {
	return strings.NewReplacer("$OCI", r.oci, "$HTTP", r.http, "$DIR", filepath.ToSlash(r.dir)).Replace(s)
}

// write adds files to the tree.
func (r *rig) write(tree string) {
	r.t.Helper()
	for _, f := range txtar.Parse([]byte(tree)).Files {
		r.writeFile(f.Name, []byte(r.expand(string(f.Data))))
	}
}

func (r *rig) writeFile(name string, data []byte) {
	r.t.Helper()
	name = filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// resolver loads the charts of the tree and makes a resolver for them.
func (r *rig) resolver(mirrors ...deps.Mirror) *deps.Resolver {
	r.t.Helper()
	dirs, err := chart.Discover(r.fsys, []string{"charts/*"}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	var charts []*chart.Chart
	for _, d := range dirs {
		charts = append(charts, chart.Load(r.fsys, d, chart.Limits{}))
	}
	r.repo = chart.NewRepo(charts)
	opt := r.opt
	opt.Registry, opt.Repo, opt.FS, opt.Dir, opt.Mirrors = r.client, r.repo, r.fsys, r.dir, mirrors
	if opt.Store == nil {
		opt.Store = r.store
	}
	res, err := deps.New(opt)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { res.Close() })
	return res
}

// resolve resolves charts/web.
func (r *rig) resolve(mirrors ...deps.Mirror) (*deps.Resolved, error) {
	r.t.Helper()
	res := r.resolver(mirrors...)
	return res.Resolve(r.t.Context(), r.repo.At("charts/web"))
}

func (r *rig) mustResolve(mirrors ...deps.Mirror) *deps.Resolved {
	r.t.Helper()
	res, err := r.resolve(mirrors...)
	if err != nil {
		r.t.Fatal(err)
	}
	return res
}

// packed is the archive of a chart of that name and version; its values say where it is from.
func packed(t testing.TB, nameVersion, from string) []byte {
	t.Helper()
	name, version, _ := strings.Cut(nameVersion, "@")
	return archiveOf(t, name, "Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version), "values.yaml", "from: "+from+"\n")
}

func archiveOf(t testing.TB, root string, pairs ...string) []byte {
	t.Helper()
	var files []archive.File
	for i := 0; i < len(pairs); i += 2 {
		files = append(files, archive.File{Name: pairs[i], Data: []byte(pairs[i+1])})
	}
	var buf bytes.Buffer
	if err := archive.Write(&buf, root, files); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// push publishes charts NAME@VERSION to the registry.
func (r *rig) push(charts ...string) {
	r.t.Helper()
	for _, c := range charts {
		r.pushArchive(c, packed(r.t, c, "oci"))
	}
}

func (r *rig) pushArchive(nameVersion string, data []byte) {
	r.t.Helper()
	name, version, _ := strings.Cut(nameVersion, "@")
	ref, err := registry.ParseReference(r.oci)
	if err == nil {
		ref, err = ref.Join(name)
	}
	if err == nil {
		ref, err = ref.WithVersion(version)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	config, _ := json.Marshal(map[string]string{"name": name, "version": version, "apiVersion": "v2"})
	if _, err := r.client.PushChart(r.t.Context(), ref, registry.ChartPush{Config: config, Archive: data}); err != nil {
		r.t.Fatal(err)
	}
}

// publish adds charts to the chart repository. An entry may be NAME@VERSION or, to lie about the digest, NAME@VERSION!DIGEST.
func (r *rig) publish(charts ...string) {
	r.t.Helper()
	entries := map[string][]map[string]any{}
	for _, c := range charts {
		c, lie, _ := strings.Cut(c, "!")
		name, version, _ := strings.Cut(c, "@")
		file := name + "-" + version + ".tgz"
		data := packed(r.t, c, "http")
		r.web.set("/repo/"+file, data)
		sum := digest.FromBytes(data).Encoded()
		if lie != "" {
			sum = lie
		}
		entries[name] = append(entries[name], map[string]any{"apiVersion": "v2", "name": name, "version": version, "urls": []string{file}, "digest": sum})
	}
	index, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "entries": entries})
	if err != nil {
		r.t.Fatal(err)
	}
	r.web.set("/repo/index.yaml", index)
}

// web serves files and counts what it is asked for.
type web struct {
	mu    sync.Mutex
	files map[string][]byte
	asked map[string]int
}

func (w *web) set(name string, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[name] = data
}

func (w *web) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[req.Method+" "+req.URL.Path]++
	data, ok := w.files[req.URL.Path]
	if !ok {
		http.NotFound(rw, req)
		return
	}
	rw.Write(data)
}

func (w *web) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		w.mu.Lock()
		w.asked[req.Method+" "+path.Clean(req.URL.Path)]++
		w.mu.Unlock()
		next.ServeHTTP(rw, req)
	})
}

// requests counts the requests of a method whose path contains part, and forgets them.
func (w *web) requests(method, part string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for k, v := range w.asked {
		if strings.HasPrefix(k, method+" ") && strings.Contains(k, part) {
			n += v
			delete(w.asked, k)
		}
	}
	return n
}

// summary is a line for each dependency: name, version, origin, and where it was found.
func summary(r *rig, res *deps.Resolved) []string {
	var lines []string
	for _, d := range res.Deps {
		line := fmt.Sprintf("%s %s %s %s", d.Name, d.Version, d.Origin, d.From)
		if d.StandIn {
			line += " stand-in"
		}
		line = strings.NewReplacer(r.oci, "$OCI", r.http, "$HTTP", filepath.ToSlash(r.dir), "$DIR").Replace(line)
		lines = append(lines, line)
	}
	return lines
}

func wantSummary(t testing.TB, r *rig, res *deps.Resolved, want ...string) {
	t.Helper()
	if got := summary(r, res); !slices.Equal(got, want) {
		t.Errorf("dependencies:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// graphOf writes a chart's graph as NAME@VERSION[SUB SUB].
func graphOf(t testing.TB, res *deps.Resolved) string {
	t.Helper()
	files, err := res.Files()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if path.Base(f.Name) == "Chart.yaml" {
			var md struct{ Name, Version string }
			if err := yaml.Unmarshal(f.Data, &md); err != nil {
				t.Fatal(err)
			}
			names = append(names, path.Dir(f.Name)+"="+md.Name+"@"+md.Version)
		}
	}
	return strings.Join(names, " ")
}
