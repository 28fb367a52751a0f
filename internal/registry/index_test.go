package registry

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseIndex(t *testing.T) {
	idx, err := ParseIndex([]byte(`apiVersion: v1
generated: 2026-11-22T12:00:00Z
serverInfo: {contextPath: /x}
publicKeys: [a]
annotations: {a: b}
entries:
  app:
    - {name: app, version: 1.2.3, created: "2026-11-22T12:00:00Z", urls: [a.tgz], digest: d1, engine: gotpl, checksum: x, dependencies: [{name: postgresql, version: 1.x.x, repository: "https://h"}]}
    -
    - {name: app, version: 1.10.0, apiVersion: v2, urls: [b.tgz, c.tgz]}
    - {name: app, version: latest, urls: [z.tgz]}
    - {version: 3.0.0, urls: [noname.tgz]}
    - {name: app, version: 2.0.0-rc.1, urls: [d.tgz]}
    - {name: app, version: 2.0.0, urls: [e.tgz]}
    - {urls: [f.tgz]}
  empty: []
  none:
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range idx.Entries["app"] {
		got = append(got, e.Version+" "+e.APIVersion+" "+strings.Join(e.URLs, ","))
	}
	want := "2.0.0 v1 e.tgz|2.0.0-rc.1 v1 d.tgz|1.10.0 v2 b.tgz,c.tgz|1.2.3 v1 a.tgz"
	if strings.Join(got, "|") != want {
		t.Errorf("entries %q\nwant    %q", strings.Join(got, "|"), want)
	}
	if len(idx.Entries["empty"]) != 0 || len(idx.Entries["none"]) != 0 {
		t.Errorf("entries %v", idx.Entries)
	}
	if len(idx.Skipped) != 4 || !strings.Contains(idx.Skipped[0], "entry 2 is empty") {
		t.Errorf("skipped %q", idx.Skipped)
	}
	if d := idx.Entries["app"][3].Dependencies; len(d) != 1 || d[0].Name != "postgresql" {
		t.Errorf("dependencies %v", d)
	}
}

func TestParseIndexJSON(t *testing.T) {
	idx, err := ParseIndex([]byte(`{"apiVersion":"v1","unknown":true,"entries":{"app":[{"name":"app","version":"1.0.0","urls":["a"]}]}}`))
	if err != nil || len(idx.Entries["app"]) != 1 {
		t.Errorf("%v %v", idx, err)
	}
}

func TestParseIndexRefuses(t *testing.T) {
	bomb := "apiVersion: v1\nserverInfo:\n  a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	cases := map[string]struct {
		in string
		is error
	}{
		"empty":          {"", ErrCorrupt},
		"no apiVersion":  {"entries: {}", ErrCorrupt},
		"a web page":     {"<!DOCTYPE html><html><body>Sign in: please</body></html>", ErrCorrupt},
		"a list":         {"- a", ErrCorrupt},
		"unknown key":    {"apiVersion: v1\nextra: 1\n", ErrCorrupt},
		"duplicate key":  {"apiVersion: v1\napiVersion: v1\n", ErrCorrupt},
		"entries a list": {"apiVersion: v1\nentries: [a]\n", ErrCorrupt},
		"aliases":        {bomb, ErrCorrupt},
		"deep":           {"apiVersion: v1\nserverInfo: {a: " + strings.Repeat("[", 100_000), ErrCorrupt},
		"deep JSON":      {strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), ErrCorrupt},
		"many parts":     {"apiVersion: v1\nentries: {a: [" + strings.Repeat(",", 8_000_000) + "]}", ErrTooLarge},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if _, err := ParseIndex([]byte(c.in)); !errors.Is(err, c.is) {
				t.Errorf("error %v, want %v", err, c.is)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func FuzzParseIndex(f *testing.F) {
	f.Add([]byte(smallIndex))
	f.Add([]byte(`{"apiVersion":"v1","entries":{"a":[null,{}]}}`))
	f.Add([]byte("apiVersion: v1\nentries: {a: [&x {name: a, version: 1.0.0}, *x]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 10_000 {
			return
		}
		idx, err := ParseIndex(data)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("error %v is none of ours", err)
			}
			return
		}
		for name, list := range idx.Entries {
			for _, e := range list {
				if e == nil || e.Metadata == nil || e.Name == "" || e.Version == "" {
					t.Fatalf("%s: kept %+v", name, e)
				}
			}
		}
	})
}
