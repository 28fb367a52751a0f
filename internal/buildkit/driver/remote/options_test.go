package remote

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/google/go-cmp/cmp"
)

func TestEndpoints(t *testing.T) {
	for s, want := range map[string]endpoint{
		"tcp://127.0.0.1:1234":                    {scheme: "tcp", host: "127.0.0.1", port: "1234"},
		"tcp://[::1]:1234/":                       {scheme: "tcp", host: "::1", port: "1234"},
		"unix:///run/buildkit/buildkitd.sock":     {scheme: "unix", socket: "/run/buildkit/buildkitd.sock"},
		"ssh://builder":                           {scheme: "ssh", host: "builder"},
		"ssh://ci@builder:2222/run/b.sock":        {scheme: "ssh", user: "ci", host: "builder", port: "2222", socket: "/run/b.sock"},
		"ssh://ci@builder/run/it's%20here/b.sock": {scheme: "ssh", user: "ci", host: "builder", socket: "/run/it's here/b.sock"},
	} {
		got, err := parseEndpoint(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(endpoint{})); d != "" {
			t.Errorf("%s: %s", s, d)
		}
	}
	got := strings.Join(sshArgs(endpoint{user: "ci", host: "builder", port: "22", socket: "/run/it's/b.sock"}), " ")
	if want := `-p 22 -l ci -- builder buildctl --addr 'unix:///run/it'\''s/b.sock' dial-stdio`; !strings.HasSuffix(got, want) {
		t.Errorf("ssh %s", got)
	}
}

func FuzzEndpoint(f *testing.F) {
	for _, s := range []string{"tcp://h:1", "unix:///s", "ssh://u@h:22/s", "ssh://-oProxyCommand=x", "tcp://[::1]:1", "unix://a/b", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parseEndpoint(s)
		if err != nil {
			return
		}
		if e.scheme == "ssh" {
			for _, arg := range []string{e.host, e.user, e.port} {
				if strings.HasPrefix(arg, "-") {
					t.Errorf("%q: ssh would take %q for an option", s, arg)
				}
			}
		}
		if e.scheme == "unix" && !filepath.IsAbs(e.socket) {
			t.Errorf("%q: the socket is %q", s, e.socket)
		}
	})
}

func TestWrongOptions(t *testing.T) {
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	cert, key := ca.issue("client", x509.ExtKeyUsageClientAuth, nil)
	expired, expiredKey := ca.issue("expired", x509.ExtKeyUsageClientAuth, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	early, earlyKey := ca.issue("early", x509.ExtKeyUsageClientAuth, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })
	server, serverKey := ca.issue("server", x509.ExtKeyUsageServerAuth, nil)
	_, otherKey := other.issue("client", x509.ExtKeyUsageClientAuth, nil)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("not PEM\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	encrypted := ca.write("encrypted.pem", "ENCRYPTED PRIVATE KEY", []byte{1})
	garbage := ca.write("garbage.pem", "CERTIFICATE", []byte{1})
	legacy := filepath.Join(t.TempDir(), "legacy")
	if err := os.WriteFile(legacy, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: []byte{1}}), 0o600); err != nil {
		t.Fatal(err)
	}
	const tcp = "tcp://builder.test:1234"
	for _, c := range []struct {
		given      map[string]string
		want, hint string
	}{
		{nil, `"endpoint": there is none`, "endpoint=tcp://HOST:PORT"},
		{map[string]string{"endpont": "x"}, `"endpont": there is no such option`, `did you mean "endpoint"?`},
		{map[string]string{"endpoint": "builder:1234"}, "none of tcp, unix and ssh", "write tcp://HOST:PORT"},
		{map[string]string{"endpoint": "docker-container://x"}, "none of tcp, unix and ssh", "write tcp://HOST:PORT"},
		{map[string]string{"endpoint": "tcp://builder"}, "not a host and a port", ""},
		{map[string]string{"endpoint": "tcp://:1234"}, "not a host and a port", ""},
		{map[string]string{"endpoint": "tcp://builder:1234/x"}, "not a host and a port", ""},
		{map[string]string{"endpoint": "tcp://builder:port"}, "invalid port", ""},
		{map[string]string{"endpoint": "unix://relative/path"}, "not an absolute path", ""},
		{map[string]string{"endpoint": "ssh://-oProxyCommand=id"}, "not a host", ""},
		{map[string]string{"endpoint": "ssh://-x@host"}, "not a host", ""},
		{map[string]string{"endpoint": "ssh://u:secret@host"}, "passwords are not supported", "agent"},
		{map[string]string{"endpoint": "ssh://host?x=1"}, "not understood", ""},
		{map[string]string{"endpoint": tcp}, "there is no TLS", "insecure=true"},
		{map[string]string{"endpoint": tcp, "insecure": "true", "cacert": ca.File}, "it is for tcp:// without TLS", ""},
		{map[string]string{"endpoint": "unix:///s", "cacert": ca.File}, `"cacert": TLS is for tcp://`, ""},
		{map[string]string{"endpoint": tcp, "cert": cert}, "there is no key to it", "key=FILE"},
		{map[string]string{"endpoint": tcp, "key": key}, "there is no certificate to it", "cert=FILE"},
		{map[string]string{"endpoint": tcp, "cacert": text + "x"}, "text" + "x: no such file", ""},
		{map[string]string{"endpoint": tcp, "cacert": filepath.Dir(text)}, "is no file", ""},
		{map[string]string{"endpoint": tcp, "cacert": text}, `text" is not in PEM`, ""},
		{map[string]string{"endpoint": tcp, "cacert": key}, `holds a PRIVATE KEY and no certificate`, ""},
		{map[string]string{"endpoint": tcp, "cacert": garbage}, `reading certificate 1 of "` + garbage, ""},
		{map[string]string{"endpoint": tcp, "cacert": expired}, `the certificate of "CN=expired" in "` + expired + `" expired on 2`, ""},
		{map[string]string{"endpoint": tcp, "cert": expired, "key": expiredKey}, `expired on 2`, ""},
		{map[string]string{"endpoint": tcp, "cert": early, "key": earlyKey}, `is not valid before 2`, ""},
		{map[string]string{"endpoint": tcp, "cert": server, "key": serverKey}, `is not for clients`, "clientAuth"},
		{map[string]string{"endpoint": tcp, "cert": cert, "key": otherKey}, `does not fit the certificate in "` + cert, ""},
		{map[string]string{"endpoint": tcp, "cert": cert, "key": cert}, `holds a CERTIFICATE and no private key`, ""},
		{map[string]string{"endpoint": tcp, "cert": cert, "key": text}, `is not in PEM`, ""},
		{map[string]string{"endpoint": tcp, "cert": cert, "key": encrypted}, `is encrypted`, ""},
		{map[string]string{"endpoint": tcp, "cert": cert, "key": legacy}, `is encrypted`, ""},
		{map[string]string{"endpoint": tcp, "insecure": "true", "timeout": "0s"}, `"timeout"`, ""},
	} {
		_, err := New(c.given, driver.Host{Env: func(string) string { return "" }})
		var wrong *driver.OptionError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) || !strings.Contains(driver.HintOf(err), c.hint) {
			t.Errorf("%v: %v\nhint: %s\nwant %q, %q", c.given, err, driver.HintOf(err), c.want, c.hint)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: the error shows a password", c.given)
		}
	}
}

func TestEndpointOfEnvironment(t *testing.T) {
	d, err := New(nil, driver.Host{Env: func(key string) string { return map[string]string{"BUILDKIT_HOST": "unix:///s"}[key] }})
	if err != nil || d.at.String() != "unix:///s" {
		t.Error(d, err)
	}
	if len(Options()) != 7 || Options()[0].Name != "endpoint" || Options()[0].Doc == "" {
		t.Error(Options())
	}
}
