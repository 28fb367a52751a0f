//go:build e2e

package images

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/test/fixture"
)

// hash is that of the password "pw", as openssl passwd -5 -salt test makes it.
const hash = "$5$test$RprpXHgiZVqE4lCyNdNFsBewXA7tY6BTVBg0NUjkih4"

// proxy runs nginx with the image's configuration in front of something that answers with
// what it was asked, and returns its URL.
func proxy(t *testing.T) string {
	t.Helper()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx here")
	}
	tempo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s tenant=%q authorization=%q", r.Method, r.URL.Path, r.Header.Values("X-Scope-OrgID"), r.Header.Get("Authorization"))
	}))
	t.Cleanup(tempo.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, upstream, dir := l.Addr().String(), tempo.Listener.Addr().String(), t.TempDir()
	l.Close()
	template, err := os.ReadFile(filepath.Join(root, "images/tempo-auth-proxy/templates/default.conf.template"))
	if err != nil {
		t.Fatal(err)
	}
	conf := strings.NewReplacer("${TEMPO_HTTP}", upstream, "${TEMPO_OTLP_HTTP}", upstream, "${TEMPO_OTLP_GRPC}", upstream, "${MAX_BODY}", "1k",
		"listen 8080;", "listen "+addr+";", "/etc/tempo-auth-proxy/", dir+"/", "/dev/stdout", dir+"/access.log").Replace(string(template))
	if strings.Contains(conf, "${") {
		t.Fatalf("a variable of the template is not known here:\n%s", conf)
	}
	if version, _ := exec.Command(nginx, "-v").CombinedOutput(); old.Match(version) {
		conf = strings.Replace(conf, "http2 on;", "", 1)
	}
	fixture.Write(t, filepath.Join(dir, "default.conf"), conf)
	fixture.Write(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf("pid %[1]s/pid; daemon off; worker_processes 1; user root;\nevents {}\nhttp { include %[1]s/default.conf; "+
		"client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; }\n", dir))
	users := ""
	for _, u := range []string{"acme", "ci", "a|b"} {
		users += u + ":" + hash + "\n"
	}
	fixture.Write(t, filepath.Join(dir, "htpasswd"), users)
	fixture.Write(t, filepath.Join(dir, "tenants.map"), "ci globex;\n")
	var said strings.Builder
	cmd := exec.Command(nginx, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"))
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	for range 100 {
		if resp, err := http.Get("http://" + addr + "/healthz"); err == nil {
			resp.Body.Close()
			return "http://" + addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
	t.Fatalf("nginx does not answer: %s\n%s", said.String(), log)
	return ""
}

// old are versions that do not know "http2 on".
var old = regexp.MustCompile(`nginx/1\.(1\d|2[0-4])\.`)

// TestTenants asks the proxy as several users, and as somebody who names another's tenant.
func TestTenants(t *testing.T) {
	url := proxy(t)
	for _, c := range []struct {
		name, method, path, user, password string
		code                               int
		want                               string
	}{
		{"alive", "GET", "/healthz", "", "", 200, "ok"},
		{"ready, as nobody", "GET", "/readyz", "acme", "pw", 200, `GET /ready tenant=[] authorization=""`},
		{"no login", "GET", "/api/search", "", "", 401, ""},
		{"a wrong password", "GET", "/api/search", "acme", "no", 401, ""},
		{"a user is a tenant", "GET", "/api/search", "acme", "pw", 200, `tenant=["acme"] authorization=""`},
		{"a user of a tenant", "GET", "/api/search", "ci", "pw", 200, `tenant=["globex"]`},
		{"a tenant that is two", "GET", "/api/search", "a|b", "pw", 403, ""},
		{"traces", "POST", "/v1/traces", "acme", "pw", 200, `POST /v1/traces tenant=["acme"]`},
		{"traces are not read there", "GET", "/v1/traces", "acme", "pw", 403, ""},
		{"queries change nothing", "POST", "/api/overrides", "acme", "pw", 403, ""},
		{"what flushes", "POST", "/flush", "acme", "pw", 404, ""},
		{"what flushes, by a detour", "GET", "/api/../flush", "acme", "pw", 404, ""},
		{"what shows the configuration", "GET", "/status/config", "acme", "pw", 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), c.method, url+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Scope-OrgID", "somebody-else")
			if c.user != "" {
				req.SetBasicAuth(c.user, c.password)
			}
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.code || !strings.Contains(string(body), c.want) || strings.Contains(string(body), "somebody-else") {
				t.Errorf("%d, want %d\n%s", resp.StatusCode, c.code, body)
			}
		})
	}
	resp, err := http.Post(url+"/v1/traces", "application/x-protobuf", strings.NewReader(strings.Repeat("x", 3000)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too large a request: %d", resp.StatusCode)
	}
}
