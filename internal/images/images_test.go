package images

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/config"
	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func discover(t *testing.T, root, text string) []*Definition {
	t.Helper()
	cfg, err := config.Parse([]byte(text), config.FileName)
	if err != nil {
		t.Fatal(err)
	}
	defs, err := Discover(root, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return defs
}

func names(defs []*Definition) []string {
	out := []string{}
	for _, d := range defs {
		out = append(out, d.Name)
	}
	return out
}

func TestDiscover(t *testing.T) {
	root := write(t, map[string]string{"images/web/Dockerfile": "", "images/notes/README.md": "", "images/api/Dockerfile": "", "tools/Dockerfile.dev": ""})
	defs := discover(t, root, "images: {tools: {context: tools, dockerfile: Dockerfile.dev}, api: {target: prod}, far: {context: 'https://git.example.com/x.git#main'}}\n")
	if d := cmp.Diff([]string{"api", "far", "tools", "web"}, names(defs)); d != "" {
		t.Error(d)
	}
	if defs[0].Target != "prod" || defs[0].Place != "images/api" || defs[1].Place != "" || defs[2].Dockerfile != "Dockerfile.dev" {
		t.Errorf("%+v %+v %+v", defs[0], defs[1], defs[2])
	}
	for _, wrong := range []string{"images: {a: {context: ../x}}\n", "images: {a: {context: /x}}\n", "images: {a: {context: x, dockerfile: ../../y}}\n"} {
		cfg, err := config.Parse([]byte(wrong), config.FileName)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = Discover(root, cfg); err == nil || !strings.Contains(err.Error(), "outside of the repository") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestSelect(t *testing.T) {
	root := t.TempDir()
	defs := discover(t, root, "images: {a: {depends-on: [c]}, b: {}, c: {depends-on: [d]}, d: {}}\n")
	for _, c := range []struct{ names, want string }{
		{"", "d c a b"}, {"a", "d c a"}, {"b", "b"}, {"b a", "b d c a"}, {"c a", "d c a"},
	} {
		got, err := Select(defs, strings.Fields(c.names))
		if err != nil || strings.Join(names(got), " ") != c.want {
			t.Errorf("%q: %v %v, want %s", c.names, names(got), err, c.want)
		}
	}
	for text, want := range map[string]string{
		"images: {a: {depends-on: [b]}, b: {depends-on: [a]}}\n": "a needs b needs a",
		"images: {a: {depends-on: [a]}}\n":                       "a needs a",
		"images: {a: {depends-on: [z]}}\n":                       `it depends on "z", which is no image`,
	} {
		if _, err := Select(discover(t, root, text), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	var wrong *buildkit.DefinitionError
	if _, err := Select(discover(t, root, "images: {backend: {}}\n"), []string{"bakend"}); !errors.As(err, &wrong) || wrong.Hint != `did you mean "backend"?` {
		t.Errorf("%v", err)
	}
}

func TestAffected(t *testing.T) {
	root := write(t, map[string]string{"images/i/Dockerfile.dockerignore": "*\n!src\n"})
	defs := discover(t, root, "images: {i: {context: ., dockerfile: images/i/Dockerfile}, a: {depends-on: [b]}, b: {depends-on: [c]}, c: {}, e: {contexts: {lib: shared/lib}}}\n")
	for files, want := range map[string]string{
		"images/c/x":                       "a b c",
		"images/b/y":                       "a b",
		"images/cc/y":                      "",
		"shared/lib/z":                     "e",
		"chartgate.yaml":                   "a b c e i",
		"src/x.go":                         "i",
		"images/i/Dockerfile":              "i",
		"images/i/Dockerfile.dockerignore": "i",
		"images/i/README.md":               "",
		"README.md":                        "",
		"images/a/x/y z":                   "a",
		"shared/library/":                  "",
	} {
		got := Affected(defs, func(d *Definition) bool { return d.Changed(root, []string{files}) })
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", files, got, want)
		}
	}
}

func setting(root string, env map[string]string) Setting {
	when := time.Unix(1700000000, 0)
	lookup := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	return Setting{Root: root, Dir: root, Build: config.Default().Build, Lookup: lookup, Env: func(k string) string { return env[k] },
		Facts: Facts{Commit: "0123456789abcdef0123456789abcdef01234567", Epoch: &when, Branch: "main", Default: "main", IsDefault: true, Version: semver.MustParse("1.2.3"), CI: true}}
}

func TestExpand(t *testing.T) {
	root := write(t, map[string]string{"images/web/Dockerfile": "", "token": "hidden"})
	text := `images:
  web:
    args: {VERSION: "${VERSION:-dev}", WHO: "${WHO:-nobody}", PRICE: '\$5'}
    secrets: ["id=token,src=token", "id=other,env=OTHER"]
    labels: {team: "${TEAM}"}
    contexts: {lib: shared, base: docker-image://alpine}
`
	s := setting(root, map[string]string{"TEAM": "core", "OTHER": "x", "CI_REGISTRY_IMAGE": "registry.example.com/g/p"})
	s.Flags.Push = true
	s.Flags.Args = map[string]string{"WHO": "me"}
	got, err := s.Expand(discover(t, root, text))
	if err != nil {
		t.Fatal(err)
	}
	web := got[0]
	image := "registry.example.com/g/p/web:"
	if d := cmp.Diff([]string{image + "01234567", image + "1.2.3", image + "1.2", image + "1", image + "latest"}, web.Tags); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"VERSION": "1.2.3", "WHO": "me", "PRICE": "$5"}, web.Args); d != "" {
		t.Error(d)
	}
	if web.Labels["team"] != "core" || web.Labels["org.opencontainers.image.revision"] != s.Facts.Commit || web.Labels["org.opencontainers.image.version"] != "1.2.3" {
		t.Error(web.Labels)
	}
	if web.Context != filepath.Join(root, "images/web") || web.Contexts["lib"] != filepath.Join(root, "shared") || web.Contexts["base"] != "docker-image://alpine" {
		t.Error(web.Context, web.Contexts)
	}
	if len(web.Secrets) != 2 || web.Secrets[1].Origin != "env OTHER" {
		t.Error(web.Secrets)
	}
	if len(web.CacheFrom) != 1 || web.CacheFrom[0].Attrs["ref"] != image+"cache-main" || len(web.CacheTo) != 1 || web.CacheTo[0].Attrs["mode"] != "max" {
		t.Error(web.CacheFrom, web.CacheTo)
	}
}

func TestDefaultsOfVariables(t *testing.T) {
	root := write(t, map[string]string{"images/web/Dockerfile": ""})
	s := setting(root, map[string]string{"SET": "yes"})
	s.Facts.Version = nil
	got, err := s.Expand(discover(t, root, "images: {web: {args: {A: '${VERSION:-devel}', B: '${NO_SUCH-x}', C: '${NO_SUCH:+y}', D: '${SET:-no}', E: '${NO_SUCH:-${SET}}'}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"A": "devel", "B": "x", "C": "", "D": "yes", "E": "yes"}, got[0].Args); d != "" {
		t.Error(d)
	}
	if _, err = s.Expand(discover(t, root, "images: {web: {args: {A: '${NO_SUCH:-x} $NO_SUCH'}}}\n")); err == nil || !strings.Contains(err.Error(), "NO_SUCH has no value") {
		t.Error(err)
	}
}

func TestTagsWithoutVersion(t *testing.T) {
	root := write(t, map[string]string{"images/web/Dockerfile": ""})
	s := setting(root, map[string]string{"CI_REGISTRY_IMAGE": "registry.example.com/g/p"})
	s.Facts.Version, s.Facts.IsDefault, s.Facts.Branch, s.Flags.Push = nil, false, "feature/X", true
	got, err := s.Expand(discover(t, root, ""))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"registry.example.com/g/p/web:01234567"}, got[0].Tags); d != "" {
		t.Error(d)
	}
	own, main := got[0].CacheFrom[0].Attrs["ref"], got[0].CacheFrom[1].Attrs["ref"]
	if !strings.HasPrefix(own, "registry.example.com/g/p/web:cache-feature-x-") || main != "registry.example.com/g/p/web:cache-main" {
		t.Error(own, main)
	}
	s.Facts.Version = semver.MustParse("2.0.0-rc.1+build.5")
	if got, err = s.Expand(discover(t, root, "")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"registry.example.com/g/p/web:01234567", "registry.example.com/g/p/web:2.0.0-rc.1_build.5"}, got[0].Tags); d != "" {
		t.Error(d)
	}
}

func TestWrongImages(t *testing.T) {
	root := write(t, map[string]string{"images/web/Dockerfile": "", "images/api/Dockerfile": ""})
	for _, c := range []struct{ text, want string }{
		{"images: {web: {labels: {a: '${NO_SUCH}'}}}\n", `image "web": labels.a: "${NO_SUCH}": the variable NO_SUCH has no value`},
		{"images: {web: {args: {a: '${X'}}}\n", `args.a: "${X"`},
		{"images: {web: {secrets: ['id=t,env=NO_SUCH']}}\n", `--secret "id=t,env=NO_SUCH": the variable NO_SUCH is not set`},
		{"images: {web: {secrets: ['id=t,src=missing']}}\n", `reading it:`},
		{"images: {web: {secrets: ['src=missing']}}\n", `it has no id`},
		{"images: {web: {secrets: ['id=t,scr=x']}}\n", `there is no key "scr"`},
		{"images: {web: {tags: ['r.example.com/UPPER:1']}}\n", `is no image reference`},
		{"images: {web: {tags: ['r.example.com/a@sha256:0123456789012345678901234567890123456789012345678901234567890123']}}\n", `has a digest`},
		{"images: {web: {cache-from: ['type=tape']}}\n", `there is no cache of type "tape"`},
		{"images: {web: {cache-to: ['type=registry']}}\n", `needs ref=REFERENCE`},
		{"images: {web: {cache-to: ['type=local,src=x']}}\n", `needs dest=FOLDER`},
	} {
		_, err := setting(root, nil).Expand(discover(t, root, c.text))
		var wrong *buildkit.DefinitionError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	s := setting(root, nil)
	s.Flags.Tags = []string{"r.example.com/a:1"}
	if _, err := s.Expand(discover(t, root, "")); err == nil || !strings.Contains(err.Error(), "--tag would be given to 2 images") {
		t.Error(err)
	}
}

func TestLocate(t *testing.T) {
	root := write(t, map[string]string{"chartgate.yaml": "charts: [charts/*]\nimages:\n  web: {}\n  api:\n    context: x\n"})
	for image, want := range map[string]string{"api": `chartgate.yaml:4: image "api": no`, "other": `image "other": no`, "": "no"} {
		if got := Locate(&buildkit.DefinitionError{Image: image, Message: "no"}, root, "").Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSecretOfTheFlagWins(t *testing.T) {
	root := write(t, map[string]string{"images/web/Dockerfile": "", "mine": "value"})
	s := setting(root, nil)
	s.Flags.Secrets = []string{"id=t,src=mine"}
	got, err := s.Expand(discover(t, root, "images: {web: {secrets: ['id=t,env=NOT_SET_HERE']}}\n"))
	if err != nil || len(got[0].Secrets) != 1 || !strings.HasPrefix(got[0].Secrets[0].Origin, "file ") {
		t.Errorf("%v %v", got, err)
	}
}

func TestSlug(t *testing.T) {
	seen := map[string]string{}
	for _, b := range []string{"main", "Main", "main-", "-main", "ma/in", "ma-in", strings.Repeat("a", 100), strings.Repeat("a", 101), "ünï", ""} {
		s := slug(b)
		if other, twice := seen[s]; twice {
			t.Errorf("%q and %q are both %q", b, other, s)
		}
		seen[s] = b
		if err := buildkit.CheckTag("r.example.com/a:cache-" + s); err != nil {
			t.Errorf("%q: %v", b, err)
		}
	}
	if slug("main") != "main" {
		t.Error(slug("main"))
	}
}
