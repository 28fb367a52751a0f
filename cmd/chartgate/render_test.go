package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/spf13/pflag"
)

// TestRenderFlagsAreDocumented wants every flag that is refused, or taken for nothing, in docs/helm.md.
func TestRenderFlagsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "helm.md"))
	if err != nil {
		t.Fatal(err)
	}
	flags, _ := verb{name: renderName, make: renderVerb}.flags()
	hidden := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			return
		}
		hidden++
		if !bytes.Contains(page, []byte("`--"+f.Name+"`")) {
			t.Errorf("docs/helm.md says nothing of --%s", f.Name)
		}
	})
	for _, no := range refusedFlags() {
		if f := flags.Lookup(no.name); f.Value.Set("x") == nil || no.boolean && f.Value.Set("false") != nil {
			t.Errorf("--%s", no.name)
		}
	}
	if hidden < 30 {
		t.Errorf("%d flags are hidden", hidden)
	}
}

// rendered runs the verb in a folder.
func rendered(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := map[string]string{"CHARTGATE_CACHE_DIR": filepath.Join(dir, ".cache"), "HOME": dir, "HELM_REPOSITORY_CONFIG": filepath.Join(dir, "repositories.yaml")}
	std := stdio{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(k string) string { return env[k] }, Dir: dir, Name: "chartgate"}
	code = run(t.Context(), append([]string{renderName}, args...), std)
	return code, out.String(), errs.String()
}

// TestRenderFromRepository renders charts of a chart repository.
func TestRenderFromRepository(t *testing.T) {
	dir, served := t.TempDir(), t.TempDir()
	index := "apiVersion: v1\nentries:\n  web:\n"
	for _, version := range []string{"1.0.0", "1.1.0", "2.0.0-beta.1"} {
		var b bytes.Buffer
		err := archive.Write(&b, "web", []archive.File{
			{Name: "Chart.yaml", Data: []byte("apiVersion: v2\nname: web\nversion: " + version + "\n")},
			{Name: "templates/a.yaml", Data: []byte("version: {{ .Chart.Version }}\n")},
		})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b.Bytes())
		index += fmt.Sprintf("  - {apiVersion: v2, name: web, version: %s, digest: %s, urls: [web-%s.tgz]}\n", version, hex.EncodeToString(sum[:]), version)
		if err := os.WriteFile(filepath.Join(served, "web-"+version+".tgz"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(served, "index.yaml"), []byte(index), 0o600); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.FileServer(http.Dir(served)))
	defer s.Close()
	if err := os.WriteFile(filepath.Join(dir, "repositories.yaml"), []byte("apiVersion: \"\"\nrepositories:\n- {name: mine, url: "+s.URL+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"web --repo URL": "version: 1.1.0", "rel web --repo URL --version 1.0.x": "version: 1.0.0", "web --repo URL --devel": "version: 2.0.0-beta.1",
		"mine/web": "version: 1.1.0", "yours/web": "!Error: repo yours not found\n  hint: helm repo add yours URL adds it",
		"mine/none": `!Error: fetching "mine/none": `, "web --repo URL --version 9": `!Error: fetching "web": `, "URL/web-1.0.0.tgz": "!archives are not fetched from one",
		"oci://127.0.0.1:1/charts/web@sha256:" + strings.Repeat("a", 64): "!has a digest", "oci://127.0.0.1:1/web:1.0.0 --version 2.0.0": "!Error: chart reference and version mismatch: 2.0.0 is not 1.0.0",
		filepath.Join(served, "web-1.0.0.tgz"): "version: 1.0.0", filepath.Join(served, "index.yaml"): "!seems to be a YAML file, but expected a gzipped archive", os.DevNull: "!is neither a folder nor an archive",
	} {
		code, stdout, stderr := rendered(t, dir, strings.Fields(strings.ReplaceAll(args, "URL", s.URL))...)
		words, refused := strings.CutPrefix(want, "!")
		if refused && (code != exitHelm || !strings.Contains(stderr, words)) || !refused && (code != exitClean || !strings.Contains(stdout, words)) {
			t.Errorf("%s: exit code %d\n%s%s\nwant %s", args, code, stdout, stderr, want)
		}
	}
}

// TestRenderNeighbours renders a chart that needs its neighbours, where no repository says how far links may lead.
func TestRenderNeighbours(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{
		"shared/note": "a note", "lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\n", "lib/templates/_l.tpl": `{{ define "l" }}from lib{{ end }}`,
		"web/Chart.yaml":       "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: lib, version: '*', repository: file://../lib}\n",
		"web/templates/a.yaml": `a: {{ .Files.Get "note" }} {{ include "l" . }}`,
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"web/note": "../shared/note", "alias": "web"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][]string{{".", "web"}, {".", "alias"}, {"web", "."}, {"web", "../web"}, {"lib", "../web"}, {"shared", filepath.Join(dir, "alias")}, {"web", ".", "--root", ".."}} {
		code, stdout, stderr := rendered(t, filepath.Join(dir, c[0]), c[1:]...)
		if code != exitClean || !strings.HasSuffix(stdout, "a: a note from lib\n") {
			t.Errorf("%q: exit code %d\n%s%s", c, code, stdout, stderr)
		}
		os.RemoveAll(filepath.Join(dir, c[0], ".cache"))
	}
	if code, _, stderr := rendered(t, filepath.Join(dir, "web"), ".", "--root", "."); code != exitHelm || !strings.Contains(stderr, "a link that leads out of the repository") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
