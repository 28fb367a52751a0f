package registry

import (
	"strings"
	"testing"
)

const someDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestParseReference(t *testing.T) {
	cases := []struct {
		in   string
		want Reference
	}{
		{"oci://registry.example.com", Reference{Host: "registry.example.com"}},
		{"oci://registry.example.com/", Reference{Host: "registry.example.com"}},
		{"oci://localhost/charts", Reference{Host: "localhost", Repository: "charts"}},
		{"oci://registry/charts", Reference{Host: "registry", Repository: "charts"}},
		{"oci://localhost:5000/a/b/c/", Reference{Host: "localhost:5000", Repository: "a/b/c"}},
		{"oci://h:5000/a:1.2.3", Reference{Host: "h:5000", Repository: "a", Tag: "1.2.3"}},
		{"oci://h/a:1.2.3+build.7", Reference{Host: "h", Repository: "a", Tag: "1.2.3_build.7"}},
		{"oci://h/a@" + someDigest, Reference{Host: "h", Repository: "a", Digest: someDigest}},
		{"oci://h/a:1@" + someDigest, Reference{Host: "h", Repository: "a", Tag: "1", Digest: someDigest}},
		{"oci://[::1]:5000/a", Reference{Host: "[::1]:5000", Repository: "a"}},
		{"oci://[2001:db8::1]/a", Reference{Host: "[2001:db8::1]", Repository: "a"}},
		{"registry.example.com/a/b", Reference{Host: "registry.example.com", Repository: "a/b"}},
		{"localhost:5000/a", Reference{Host: "localhost:5000", Repository: "a"}},
		{"localhost/a", Reference{Host: "localhost", Repository: "a"}},
		{"oci://h/a__b-c---d.e", Reference{Host: "h", Repository: "a__b-c---d.e"}},
	}
	for _, c := range cases {
		got, err := ParseReference(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseReferenceRefuses(t *testing.T) {
	cases := map[string]string{
		"":                                    "is not the host",
		"oci://":                              "host of the registry is missing",
		"oci:///a":                            "host of the registry is missing",
		"charts/a":                            `"charts" is not the host of a registry`,
		"https://h.example/a":                 `the scheme is "https://"`,
		"oci://https://h/a":                   `the scheme is "https://"`,
		"oci://h:port/a":                      `"port" is not a port`,
		"oci://h:0/a":                         "is not a port",
		"oci://h:70000/a":                     "is not a port",
		"oci://h:+80/a":                       "is not a port",
		"oci://h:/a":                          "no port after",
		"oci://[::1]:/a":                      "no port after",
		"oci://[::1/a":                        "no closing bracket",
		"oci://[1.2.3.4]/a":                   "not an IPv6 address",
		"oci://[fe80::1%25eth0]/a":            "not an IPv6 address",
		"oci://[::1]x/a":                      "invalid host",
		"oci://h h/a":                         "invalid host",
		"oci://h/Charts/a":                    "names in a registry are lower case",
		"oci://h/a//b":                        "invalid repository",
		"oci://h/../a":                        "invalid repository",
		"oci://h/a?x=1":                       "invalid repository",
		"oci://h/a:":                          "invalid tag",
		"oci://h/a:-1":                        "invalid tag",
		"oci://h/a:1:2":                       "invalid tag",
		"oci://h/a@sha256:12":                 "invalid digest",
		"oci://h/:1":                          "needs a repository",
		"oci://h/@" + someDigest:              "needs a repository",
		"oci://h@" + someDigest:               "user, password or digest where the host",
		"oci://bob:hunter2@h/a":               "user, password or digest where the host",
		"bob:hunter2@h.example/a":             "user, password or digest where the host",
		"http://bob:hunter2@h/a":              "the scheme is",
		strings.Repeat("a", 3000):             "longer than",
		"oci://h/" + strings.Repeat("a", 256): "longer than",
	}
	for in, want := range cases {
		_, err := ParseReference(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: error %v, want %q", in, err, want)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestReferenceParts(t *testing.T) {
	base := mustRef(t, "oci://h:1/group/charts:1@"+someDigest)
	child, err := base.Join("n8n")
	if err != nil || child.String() != "oci://h:1/group/charts/n8n" || child.Name() != "n8n" {
		t.Errorf("Join: %v, %v", child, err)
	}
	if root, err := (Reference{Host: "h"}).Join("n8n"); err != nil || root.String() != "oci://h/n8n" {
		t.Errorf("Join at the root: %v, %v", root, err)
	}
	for _, bad := range []string{"", "N8N", "../x", "a:b"} {
		if r, err := base.Join(bad); err == nil {
			t.Errorf("Join(%q) = %v", bad, r)
		}
	}
	tagged, err := child.WithVersion("1.0.0-rc.1+meta")
	if err != nil || tagged.String() != "oci://h:1/group/charts/n8n:1.0.0-rc.1_meta" || VersionOf(tagged.Tag) != "1.0.0-rc.1+meta" {
		t.Errorf("WithVersion: %v, %v", tagged, err)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("1", 129)} {
		if r, err := child.WithVersion(bad); err == nil {
			t.Errorf("WithVersion(%q) = %v", bad, r)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"oci://h:5000/a/b:1+2@" + someDigest, "oci://[::1]:5/a", "localhost/a:b", "oci://u:p@h/a", "oci://h:/a@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := ParseReference(s)
		if err != nil {
			return
		}
		again, err := ParseReference(ref.String())
		if err != nil || again != ref {
			t.Fatalf("%q → %q → %+v, %v", s, ref, again, err)
		}
		if o := ref.oras(); ref.Repository != "" && o.Validate() != nil {
			t.Fatalf("%q: the library does not accept it: %v", s, o.Validate())
		}
	})
}
