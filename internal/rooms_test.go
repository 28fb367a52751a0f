package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/chartgate/chartgate/internal/"

// rooms says which rooms each may import directly. What is not listed may not be
// imported by anybody, so a new room is added here first.
var rooms = map[string][]string{
	"source":              {},
	"archive":             {},
	"store":               {},
	"trace":               {},
	"git":                 {},
	"ui":                  {},
	"registry":            {},
	"registry/server":     {},
	"suggest":             {},
	"yamllint":            {"suggest"},
	"kubesec":             {},
	"render/engine":       {"render/chartutil"},
	"render/chartutil":    {},
	"render/valuesschema": {},
	"finding":             {"source"},
	"config":              {"source", "suggest"},
	"report":              {"finding", "source"},
	"chart":               {"source", "archive"},
	"deps":                {"chart", "source", "archive", "store", "registry"},
	"render":              {"deps", "chart", "source", "archive", "render/engine", "render/chartutil", "render/valuesschema"},
	"cache":               {"store", "registry"},
	"lint":                {"cache", "render", "deps", "chart", "source", "finding", "trace"},
	"lint/linttest":       {"lint", "render", "deps", "chart", "finding"},
	"lint/checks":         {"lint", "lint/checks/*", "yamllint"},
	"lint/checks/*":       {"lint", "render", "render/valuesschema", "deps", "chart", "archive", "source", "finding", "yamllint", "kubesec"},
	"gate":                {"lint/checks", "lint/checks/*", "lint", "cache", "render", "deps", "chart", "config", "source", "finding", "git", "registry", "store", "yamllint", "trace"},
	"publish":             {"deps", "chart", "archive", "registry"},

	"images":                     {"buildkit", "config", "git", "source", "suggest"},
	"buildkit":                   {"buildkit/driver", "suggest"},
	"buildkit/driver":            {"suggest"},
	"buildkit/driver/local":      {"buildkit/driver"},
	"buildkit/driver/remote":     {"buildkit/driver"},
	"buildkit/driver/kubernetes": {"buildkit/driver"},
	"doctor":                     {"buildkit/driver/kubernetes", "buildkit/driver/local", "buildkit/driver", "registry", "git"},
}

// TestRooms asserts the import direction of the rooms, tests left out.
func TestRooms(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		room := roomOf(filepath.ToSlash(filepath.Dir(name)))
		seen[room] = true
		allowed, known := rooms[room]
		if !known {
			t.Errorf("%s: the room %q is not listed", name, room)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if strings.HasPrefix(imported, "github.com/chartgate/chartgate/cmd") {
				t.Errorf("%s imports a command", name)
			}
			below, ours := strings.CutPrefix(imported, module)
			if ours && roomOf(below) != room && !slices.Contains(allowed, roomOf(below)) {
				t.Errorf("%s: %q may not import %q", name, room, below)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		if !seen[room] {
			t.Errorf("the room %q is listed and empty", room)
		}
	}
}

func roomOf(dir string) string {
	if path.Dir(dir) == "lint/checks" {
		return "lint/checks/*"
	}
	return dir
}
