package render

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/google/go-cmp/cmp"
)

// written are the files of a folder.
func written(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWriteTo(t *testing.T) {
	tree := app("kind: A\n---\nkind: Job\nmetadata: {annotations: {helm.sh/hook: test}}\n---\nkind: B\n", "")
	tree["app/crds/c.yaml"] = "kind: CustomResourceDefinition\n"
	tree["app/templates/sub/hook.yaml"] = "kind: H\nmetadata: {annotations: {helm.sh/hook: pre-install}}\n"
	res, err := New(Options{}).Render(t.Context(), resolved(t, tree, "app"), chart.ValuesSet{})
	if err != nil {
		t.Fatal(err)
	}
	const (
		source = "---\n# Source: app/templates/object.yaml\n"
		plain  = source + "kind: A\n" + source + "kind: B\n"
		test   = source + "kind: Job\nmetadata: {annotations: {helm.sh/hook: test}}\n"
		hook   = "---\n# Source: app/templates/sub/hook.yaml\nkind: H\nmetadata: {annotations: {helm.sh/hook: pre-install}}\n"
		crd    = "---\n# Source: app/crds/c.yaml\nkind: CustomResourceDefinition\n\n"
	)
	for name, c := range map[string]struct {
		release string
		opts    PrintOptions
		want    map[string]string
		log     string
	}{
		"all": {"", PrintOptions{}, map[string]string{"app/templates/object.yaml": plain + test, "app/templates/sub/hook.yaml": hook},
			"wrote out/app/templates/object.yaml\nwrote out/app/templates/object.yaml\nwrote out/app/templates/object.yaml\nwrote out/app/templates/sub/hook.yaml\n"},
		"no tests":  {"", PrintOptions{SkipTests: true}, map[string]string{"app/templates/object.yaml": plain, "app/templates/sub/hook.yaml": hook}, ""},
		"no hooks":  {"", PrintOptions{NoHooks: true}, map[string]string{"app/templates/object.yaml": plain}, ""},
		"a release": {"rel", PrintOptions{NoHooks: true, IncludeCRDs: true}, map[string]string{"app/crds/c.yaml": crd, "rel/app/templates/object.yaml": plain}, "wrote out/app/crds/c.yaml\nwrote out/rel/app/templates/object.yaml\nwrote out/rel/app/templates/object.yaml\n"},
	} {
		dir := filepath.Join(t.TempDir(), "deep", "out")
		for range 2 { // what an earlier run left goes
			var log strings.Builder
			if err := res.WriteTo(Folder{Dir: dir, Shown: "out", Release: c.release, Log: &log}, c.opts); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, written(t, dir)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if c.log != "" && log.String() != c.log {
				t.Errorf("%s: printed %q", name, log.String())
			}
		}
	}
}

func TestWriteToStaysInside(t *testing.T) {
	res, err := renderApp(t, "a: 1\n", "", chart.ValuesSet{})
	if err != nil {
		t.Fatal(err)
	}
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "app")); err != nil {
		t.Fatal(err)
	}
	if err := res.WriteTo(Folder{Dir: dir, Shown: "out", Log: &strings.Builder{}}, PrintOptions{}); err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Error(err)
	}
	res.Manifests[0].Template = "../../x.yaml"
	if err := res.WriteTo(Folder{Dir: t.TempDir(), Shown: "out", Log: &strings.Builder{}}, PrintOptions{}); err == nil {
		t.Error("wrote above the folder")
	}
	if len(written(t, outside)) > 0 {
		t.Errorf("wrote %v", written(t, outside))
	}
	file := filepath.Join(outside, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := res.WriteTo(Folder{Dir: file, Shown: "file", Log: &strings.Builder{}}, PrintOptions{}); err == nil {
		t.Error("wrote into a file")
	}
}
