//go:build e2e

package registry_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/repo"

	"github.com/chartgate/chartgate/internal/registry"
)

// Our reader of indexes keeps and refuses what Helm's does.
func TestIndexAsHelm(t *testing.T) {
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)
	entry := "apiVersion: v1\nentries:\n  a:\n    - "
	cases := []string{
		entry + "{name: a, version: 1.0.0, urls: [x]}",
		entry + "{name: a, version: 1.0.0, urls: [x]}\n    - {name: a, version: 1.0.1}\n    -\n    - {name: a, version: 0.9.0-rc.1}\n    - {name: a, version: v2}",
		entry + "{name: a, version: not-semver}",
		entry + "{version: 1.0.0}",
		entry + "{name: ../a, version: 1.0.0}",
		entry + "{name: a, version: 1.0.0, dependencies: [{name: x, version: 1, repository: y}, {name: x, version: 2, repository: y}]}",
		entry + "{name: a, version: 1.0.0, dependencies: [{name: x, version: 1, repository: y, alias: ../z}]}",
		entry + "{name: a, version: 1.0.0, type: strange}",
		entry + "{name: a, version: 1.0.0, maintainers: [null]}",
		entry + "{name: a, version: 1.0.0, unknown: 1}",
		entry + "{name: a, version: 1.0.0, created: 2020-01-01T00:00:00Z, removed: true, digest: d, url: u, engine: e, checksum: c, tillerVersion: t}",
		entry + "{name: a, version: 1.0}",
		entry + "{name: a, version: [1]}",
		entry + "{name: a, version: 1.0.0, urls: x}",
		"apiVersion: v1\nentries: {}\n", "apiVersion: v1\n", "entries: {}\n", "", "a", "[]", "{}", "apiVersion: v1\nother: 1\n",
		`{"apiVersion":"v1","other":1,"entries":{"a":[{"name":"a","version":"1.0.0"},null]}}`,
		"apiVersion: v1\nserverInfo: {contextPath: /a}\npublicKeys: []\ngenerated: 2020-01-01T00:00:00Z\nannotations: {a: b}\n",
	}
	for i, text := range cases {
		theirs, theirErr := loadAsHelm(t, text)
		ours, ourErr := registry.ParseIndex([]byte(text))
		if (theirErr == nil) != (ourErr == nil) {
			t.Errorf("%d: Helm says %v, we say %v:\n%s", i, theirErr, ourErr, text)
			continue
		}
		if ourErr != nil {
			continue
		}
		var want, got []string
		for name, list := range theirs.Entries {
			for _, e := range list {
				want = append(want, fmt.Sprint(name, e.Name, e.Version, e.URLs, e.Digest))
			}
		}
		for name, list := range ours.Entries {
			for _, e := range list {
				got = append(got, fmt.Sprint(name, e.Name, e.Version, e.URLs, e.Digest))
			}
		}
		if sort.Strings(want); !reflect.DeepEqual(sorted(got), want) {
			t.Errorf("%d: Helm keeps %q, we keep %q:\n%s", i, want, got, text)
		}
		for name, list := range theirs.Entries {
			for j, e := range list {
				if strings.Contains(text, "v2") && ours.Entries[name][j].Version != e.Version {
					t.Errorf("%d: the order differs", i)
				}
			}
		}
	}
}

func sorted(list []string) []string { sort.Strings(list); return list }

func loadAsHelm(t *testing.T, text string) (*repo.IndexFile, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "index.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return repo.LoadIndexFile(file)
}
