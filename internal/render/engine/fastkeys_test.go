package engine

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// TestFastKeys checks that keys and hashes are cheap but work, and that all else
// is as in Helm: at random, and of today.
func TestFastKeys(t *testing.T) {
	const text = `{{ $ca := genCA "ca" 10 }}{{ $ca.Cert }}|{{ (genSignedCert "x" nil (list "x.example.com") 5 $ca).Cert }}|{{ bcrypt "pw" }}|{{ randAlphaNum 30 }}|{{ now | unixEpoch }}|{{ genPrivateKey "rsa" }}`
	e := New(Options{FastKeys: true})
	began := time.Now()
	draw := func() []string {
		out, err := execute(t.Context(), e, chartOf(map[string]string{"templates/x.yaml": text}), nil)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(out.Templates[0].Text, "|")
	}
	a, b := draw(), draw()
	for i, what := range []string{"authority", "certificate", "hash", "random text"} {
		if a[i] == b[i] {
			t.Errorf("the %s is the same twice", what)
		}
	}
	if cost, err := bcrypt.Cost([]byte(a[2])); err != nil || cost != bcrypt.MinCost || bcrypt.CompareHashAndPassword([]byte(a[2]), []byte("pw")) != nil {
		t.Errorf("hash %s: %v", a[2], err)
	}
	ca, cert := certificate(t, a[0]), certificate(t, a[1])
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: "x.example.com", CurrentTime: time.Now().Add(time.Hour)}); err != nil {
		t.Error(err)
	}
	if ca.NotBefore.Before(began.Add(-time.Minute)) {
		t.Errorf("valid since %v", ca.NotBefore)
	}
	if block, _ := pem.Decode([]byte(a[5])); block == nil || block.Type != "RSA PRIVATE KEY" {
		t.Errorf("no key: %.60s", a[5])
	}
}

func certificate(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatalf("no certificate: %.60s", text)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
