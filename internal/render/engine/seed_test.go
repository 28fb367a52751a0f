package engine

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// chance is every function of templates that involves chance or the clock.
const chance = `
a: {{ randAlpha 20 }} {{ randAlphaNum 20 }} {{ randNumeric 20 }} {{ randAscii 20 | quote }} {{ randBytes 20 }} {{ randInt 1 1000000 }} {{ uuidv4 }} {{ shuffle "abcdefghijklmnop" }}
b: {{ now }} {{ date "2006-01-02" now }} {{ ago now }} {{ htmlDate now }} {{ dateInZone "2006" "x" "UTC" }} {{ now | dateModify "1h" | unixEpoch }} {{ durationRound now }}
c: {{ bcrypt "secret" }} {{ htpasswd "user" "secret" }} {{ encryptAES "key" "text" }}
d: {{ $ca := genCA "ca" 365 }}{{ $ca.Cert }}{{ $ca.Key }}{{ (genSignedCert "leaf" (list "127.0.0.1") (list "a.example.com") 365 $ca).Cert }}{{ (genSelfSignedCert "self" nil nil 365).Cert }}
e: {{ genPrivateKey "rsa" }}{{ genPrivateKey "ecdsa" }}{{ genPrivateKey "ed25519" }}{{ (genCAWithKey "ca" 1 (genPrivateKey "ecdsa")).Cert }}
f: {{ keys (dict "a" 1 "b" 2 "c" 3 "d" 4 "e" 5) }} {{ values (dict "a" 1 "b" 2 "c" 3 "d" 4 "e" 5) }}
`

func TestSeed(t *testing.T) {
	render := func(seed string) (string, string) {
		out, err := execute(t.Context(), New(Options{Seed: seed}), chartOf(map[string]string{"templates/x.yaml": chance, "templates/y.yaml": chance}), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out.Templates[0].Text, out.Templates[1].Text
	}
	y1, x1 := render("one")
	y2, x2 := render("one")
	if x1 != x2 || y1 != y2 {
		t.Error("the same seed renders differently")
	}
	if firstLine(x1[1:]) == firstLine(y1[1:]) {
		t.Error("two templates have the same chance")
	}
	_, other := render("two")
	if firstLine(x1[1:]) == firstLine(other[1:]) {
		t.Error("two seeds have the same chance")
	}
}

// TestNoSeed checks that without a seed chance and the clock are real.
func TestNoSeed(t *testing.T) {
	text := "{{ randAlpha 20 }} {{ uuidv4 }} {{ now | unixEpoch }}"
	a, b := mustRender(t, Options{}, text, nil), mustRender(t, Options{}, text, nil)
	if a == b {
		t.Errorf("twice %q", a)
	}
	if year := mustRender(t, Options{}, `{{ now | date "2006" }}`, nil); year != time.Now().Format("2006") {
		t.Errorf("it is %s", year)
	}
}

func TestSeededCertificates(t *testing.T) {
	out := mustRender(t, Options{Seed: "s"}, `{{ $ca := genCA "ca" 10 }}{{ $ca.Cert }}={{ with genSignedCert "leaf" (list "10.0.0.1") (list "a.example.com") 10 $ca }}{{ .Cert }}={{ .Key }}{{ end }}`, nil)
	blocks := pemBlocks(out)
	if len(blocks) != 3 {
		t.Fatalf("%d blocks in %q", len(blocks), out)
	}
	ca, err := x509.ParseCertificate(blocks[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(blocks[1].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "a.example.com", CurrentTime: clock().Add(time.Hour)}); err != nil {
		t.Error(err)
	}
	if leaf.NotAfter.Sub(leaf.NotBefore) != 240*time.Hour || len(leaf.IPAddresses) != 1 || !ca.IsCA {
		t.Errorf("valid from %v to %v, for %v", leaf.NotBefore, leaf.NotAfter, leaf.IPAddresses)
	}
	if _, err := tls.X509KeyPair(pem.EncodeToMemory(blocks[1]), pem.EncodeToMemory(blocks[2])); err != nil {
		t.Error(err)
	}
	if string(ca.RawSubjectPublicKeyInfo) == string(leaf.RawSubjectPublicKeyInfo) {
		t.Error("the leaf has the authority's key")
	}
}

func pemBlocks(text string) []*pem.Block {
	var out []*pem.Block
	for rest := []byte(strings.ReplaceAll(text, "=-----BEGIN", "\n-----BEGIN")); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return out
		}
		out = append(out, b)
	}
}

func TestSeededKeys(t *testing.T) {
	for kind, want := range map[string]string{"": "RSA PRIVATE KEY", "rsa": "RSA PRIVATE KEY", "dsa": "DSA PRIVATE KEY", "ecdsa": "EC PRIVATE KEY", "ed25519": "PRIVATE KEY"} {
		out := mustRender(t, Options{Seed: "s"}, `{{ genPrivateKey "`+kind+`" }}`, nil)
		b, _ := pem.Decode([]byte(out))
		if b == nil || b.Type != want {
			t.Errorf("%q: %q", kind, out)
			continue
		}
		if _, err := parseKey(out); err != nil {
			t.Errorf("%q: %v", kind, err)
		}
	}
	if out := mustRender(t, Options{Seed: "s"}, `{{ genPrivateKey "rot13" }}`, nil); out != "Unknown type rot13" {
		t.Error(out)
	}
	// A certificate for each key that can sign, and Sprig reads them.
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		out := mustRender(t, Options{Seed: "s"}, `{{ $c := genSelfSignedCertWithKey "x" nil nil 1 (genPrivateKey "`+kind+`") }}{{ (buildCustomCert ($c.Cert | b64enc) ($c.Key | b64enc)).Cert }}`, nil)
		if b, _ := pem.Decode([]byte(out)); b == nil {
			t.Errorf("%s: %q", kind, out)
		}
	}
}

func TestSeededHashes(t *testing.T) {
	out := mustRender(t, Options{Seed: "s"}, `{{ bcrypt "pa$$word" }} {{ htpasswd "u" "w" }} {{ htpasswd "u:" "w" }} {{ bcrypt (repeat 73 "x") }} {{ decryptAES "k" (encryptAES "k" "plain") }}`, nil)
	f := strings.SplitN(out, " ", 3)
	if err := bcrypt.CompareHashAndPassword([]byte(f[0]), []byte("pa$$word")); err != nil {
		t.Errorf("%s: %v", f[0], err)
	}
	hash, ok := strings.CutPrefix(f[1], "u:")
	if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte("w")); err != nil || !ok {
		t.Errorf("%s: %v", f[1], err)
	}
	if want := "invalid username: u: failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes plain"; f[2] != want {
		t.Errorf("%q, want %q", f[2], want)
	}
}

// TestSeededCertErrors checks Sprig's words, with and without a seed.
func TestSeededCertErrors(t *testing.T) {
	for _, text := range []string{
		`{{ genSignedCert "a" nil nil 1 (dict) }}`, `{{ genSelfSignedCert "a" (list 1) nil 1 }}`, `{{ genSelfSignedCert "a" (list "x") nil 1 }}`,
		`{{ genSelfSignedCert "a" nil (list 1) 1 }}`, `{{ genCAWithKey "a" 1 "none" }}`, `{{ genCAWithKey "a" 1 "-----BEGIN X-----\n-----END X-----\n" }}`,
		`{{ genCAWithKey "a" 1 "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n" }}`, `{{ genCA "a" }}`, `{{ genCAWithKey "a" 1 "-----BEGIN X PRIVATE KEY-----\n-----END X PRIVATE KEY-----\n" }}`,
	} {
		_, real := renderOne(t, Options{}, text, nil)
		_, seeded := renderOne(t, Options{Seed: "s"}, text, nil)
		if real == nil || seeded == nil || real.Error() != seeded.Error() {
			t.Errorf("%s:\n%v\n%v", text, real, seeded)
		}
	}
}
