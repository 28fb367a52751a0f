//go:build e2e

package e2e

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/test/fixture"
)

// renderBench is a folder with the chart that has everything, one with a schema,
// an archive and values files.
func renderBench(t *testing.T, helm string) sandbox {
	t.Helper()
	s := newSandbox(t)
	fixture.Copy(t, fixture.Path(t, "internal", "render", "testdata", "charts", "features"), filepath.Join(s.dir, "features"))
	for name, content := range map[string]string{
		"strict/Chart.yaml":                    "apiVersion: v2\nname: strict\nversion: 1.0.0\ndeprecated: true\n",
		"strict/values.yaml":                   "count: 1\nsub: {size: small}\nnone: null\n",
		"strict/values.schema.json":            `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["count"], "properties": {"count": {"type": "integer", "maximum": 9}, "name": {"pattern": "^[a-z]+$"}}}`,
		"strict/charts/sub/Chart.yaml":         "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"strict/charts/sub/values.schema.json": `{"properties": {"size": {"enum": ["small", "large"]}}}`,
		"strict/templates/a.yaml":              "kind: A\nvalues: {{ toJson .Values }}\n",
		"broken/Chart.yaml":                    "apiVersion: v2\nname: broken\nversion: 1.0.0\n",
		"broken/templates/a.yaml":              "kind: A\na: b: c\n",
		"library/Chart.yaml":                   "apiVersion: v2\nname: library\nversion: 1.0.0\ntype: library\n",
		"no-chart/values.yaml":                 "a: 1\n",
		"lacking/Chart.yaml":                   "apiVersion: v2\nname: lacking\nversion: 1.0.0\ndependencies:\n- {name: one, version: 1.0.0, repository: ''}\n- {name: two, version: 1.0.0, repository: ''}\n",
		"one.yaml":                             "list: [1, 2]\nnested: {a: 1, b: {c: x}}\nnumber: 3\n",
		"two.yaml":                             "list: [3]\nnested: {b: {d: y}}\nnothing: null\n",
		"bad.yaml":                             "a: {b\n",
		"list.yaml":                            "- a\n",
		"text":                                 "line 1\nline 2\xff\n",
	} {
		fixture.Write(t, filepath.Join(s.dir, name), content)
	}
	s.must(t, 0, helm, "package", "features")
	return s
}

// renderCalls are arguments after the verb.
func renderCalls() map[string][]string {
	calls := map[string][]string{}
	for _, line := range []string{
		"features", "rel features", "rel ./features/", "rel features-1.0.0.tgz", "rel features --include-crds", "rel features --skip-tests", "rel features --no-hooks",
		"rel features --namespace here", "rel features -n=here --is-upgrade", "rel features --kube-version 1.30.2", "rel features --kube-version v1.29", "rel features --kube-version nonsense",
		"rel features --api-versions example.com/v1,example.com/v2 -a third/v1", "rel features --skip-crds --create-namespace --timeout 5m --labels a=b --dry-run --hide-notes",
		"rel features --dry-run=client", "rel features -s templates/a-config.yaml", "rel features -s templates/h*.yaml -s charts/mid/templates/m.yaml --show-only templates/crlf.yaml",
		"rel features -s templates/none.yaml", "rel features -s templates/NOTES.txt", "rel features -s crds/thing.yaml --include-crds", "rel features -s templates/[", "rel features -s templates/tests/t.yaml --skip-tests",
		"features --name-template the-{{upper|lower}}", "features --name-template {{`abc`|trunc`}}", "features --name-template a-{{add`1`2}}", "features -g", "rel features -g", "rel features --name-template x", "Rel features",
		"a-name-that-is-longer-than-fifty-three-characters-can-be features", "", "one two three", "rel ./nowhere", "rel /nowhere", "nowhere", "rel text", "rel no-chart", "rel library", "rel lacking",
		"rel features -f one.yaml -f two.yaml", "rel features -f one.yaml,two.yaml --values one.yaml", "rel features -f none.yaml", "rel features -f bad.yaml", "rel features -f list.yaml", "rel features -f features",
		"rel strict --set count=3", "rel strict --set count=10", "rel strict --set count=x --set name=UP --set sub.size=none", "rel strict --set sub=3", "rel strict --set count=null", "rel strict --set count=10 --skip-schema-validation",
		"rel strict --skip-schema-validation --set a.b.c=1,a.b.d=x,l[2]=z,l[0].k=v", `rel strict --skip-schema-validation --set a=1\,2,b={x,y},c={},d=null,e=true,f=0123,g=1e3,h=`, "rel strict --set-string a=1,b=true,c=null",
		"rel strict --set-file a=text,b=one.yaml", "rel strict --set-file a=none", `rel strict --set-json a={"x":[1,null]} --set-json b="q" --set c=1`, `rel strict --set-json {"a":{"b":1}}`, "rel strict --set-json a={", "rel strict --set-literal a=x,y=z[0]",
		"rel strict --set a", "rel strict --set a[", "rel strict --set a[-1]=2", "rel strict --set a[99999]=2", "rel strict --set =x", "rel strict --set a.b[0].c=1 --set-string a.b[1].d=2 --set-literal a.b[0].e=3 -f one.yaml",
		"rel strict --set none.x=1 --set sub.global.y=1,global.y=2", "rel broken", "rel broken --debug", "rel features --nonsense", "rel features --set", "rel features --kube-version",
	} {
		calls[line] = strings.Fields(line)
	}
	return calls
}

// TestRenderFlags calls both with the same arguments in the same folder.
func TestRenderFlags(t *testing.T) {
	helm, own := program(t, "HELM", "helm"), binary(t)
	s := renderBench(t, helm)
	var n renders
	calls := renderCalls()
	for _, line := range slices.Sorted(maps.Keys(calls)) {
		t.Run(line, func(t *testing.T) {
			n.compare(t, s, func() result { return s.run(t, helm, append([]string{"template"}, calls[line]...)...) },
				s.run(t, own, append([]string{"render"}, calls[line]...)...))
		})
	}
	t.Logf("%d the same, both refuse %d, %d differ where two runs of helm do", n.same.Load(), n.refused.Load(), n.random.Load())
	if n.random.Load() > 0 {
		t.Error("there is nothing at random in these charts")
	}
}

// TestRenderStdin gives values through the standard input.
func TestRenderStdin(t *testing.T) {
	helm, own := program(t, "HELM", "helm"), binary(t)
	s := renderBench(t, helm)
	pipe := func(command string) result {
		return s.must(t, 0, "sh", "-c", "cat one.yaml | "+command+" rel strict --skip-schema-validation -f two.yaml -f -")
	}
	if ours, helms := pipe(own+" render"), pipe(helm+" template"); ours.stdout != helms.stdout {
		t.Errorf("%s\nhelm: %s", ours.stdout, helms.stdout)
	}
}

// TestRenderFolder compares what --output-dir leaves, and what is printed then.
func TestRenderFolder(t *testing.T) {
	helm, own := program(t, "HELM", "helm"), binary(t)
	for _, line := range []string{"--output-dir out", "--output-dir out/deep/ --include-crds", "--output-dir ./out --release-name --include-crds", "--output-dir out --skip-tests",
		"--output-dir out --no-hooks --is-upgrade", "--output-dir out -s templates/a-config.yaml", "--output-dir text"} {
		t.Run(line, func(t *testing.T) {
			a, b := renderBench(t, helm), renderBench(t, helm)
			args := append([]string{"rel", "features"}, strings.Fields(line)...)
			theirs := a.run(t, helm, append([]string{"template"}, args...)...)
			ours := b.run(t, own, append([]string{"render"}, args...)...)
			if ours.code != theirs.code || ours.stdout != theirs.stdout {
				t.Errorf("exit code %d, printed\n%s\nhelm: %d\n%s\n%s", ours.code, ours.stdout, theirs.code, theirs.stdout, ours.stderr+theirs.stderr)
			}
			if theirs.code != 0 {
				return
			}
			want, got := tree(t, filepath.Join(a.dir, "out")), tree(t, filepath.Join(b.dir, "out"))
			if !maps.Equal(want, got) {
				t.Errorf("files %q\nhelm's %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
			if len(want) < 5 {
				t.Errorf("helm wrote %d files", len(want))
			}
		})
	}
}

// tree is what a folder holds: permission bits and content by path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		var data []byte
		if !d.IsDir() {
			data, err = os.ReadFile(name)
		}
		out[rel] = info.Mode().String() + " " + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var helpLine = regexp.MustCompile(`(?m)^ +(?:-(\w), )?--([a-z-]+)`)

// TestRenderKnowsHelmsFlags asks helm for its flags: each is taken, or refused with a reason.
func TestRenderKnowsHelmsFlags(t *testing.T) {
	helm, own := program(t, "HELM", "helm"), binary(t)
	s := newSandbox(t)
	found := helpLine.FindAllStringSubmatch(s.must(t, 0, helm, "template", "--help").stdout, -1)
	if len(found) < 50 {
		t.Fatalf("helm has %d flags", len(found))
	}
	for _, m := range found {
		r := s.run(t, own, "render", "--"+m[2]+"=1")
		if strings.Contains(r.stderr, "unknown") || strings.HasSuffix(strings.TrimSpace(r.stderr), "flag:") {
			t.Errorf("--%s: %s", m[2], r.stderr)
		}
		if m[1] != "" && strings.Contains(s.run(t, own, "render", "-"+m[1]+"=1").stderr, "unknown") {
			t.Errorf("-%s is unknown", m[1])
		}
	}
}
