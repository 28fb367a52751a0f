package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
	orasauth "oras.land/oras-go/v2/registry/remote/auth"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// behindBasic lets requests with a user and password through.
func behindBasic(next http.Handler, user, password string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != basic(user, password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="reg, istry"`)
			w.WriteHeader(401)
			fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// behindToken lets requests with the right bearer token through, and sends others
// to a realm.
func behindToken(next http.Handler, realm func() string, valid func(token string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !valid(token) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="reg",scope="repository:charts/app:pull"`, realm()))
			w.WriteHeader(401)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func dockerAuth(host, user, password string) string {
	return fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

func TestBasic(t *testing.T) {
	var seen recorded
	host := serve(t, seen.record(behindBasic(store(t), "bob", "hunter2")))
	ref := "oci://" + host + "/charts/app:1.0.0"
	push(t, newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", dockerAuth(host, "bob", "hunter2"))}), ref)
	unauthorized := 0
	for _, r := range seen.all() {
		if r.auth == "" {
			unauthorized++
		}
	}
	if unauthorized != 1 {
		t.Errorf("%d requests without credentials, want only the first", unauthorized)
	}

	for name, config := range map[string]string{"none": "", "wrong": dockerAuth(host, "bob", "wrong-secret")} {
		_, err := newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", config)}).Tags(context.Background(), mustRef(t, ref))
		var e *Error
		if !errors.Is(err, ErrDenied) || !errors.As(err, &e) || e.Status != 401 || e.Code != "UNAUTHORIZED" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(e.Hint, "DOCKER_AUTH_CONFIG") || strings.Contains(e.Hint, "(used)") != (name == "wrong") {
			t.Errorf("%s: hint %q", name, e.Hint)
		}
		noSecrets(t, err, "wrong-secret", "bob", base64.StdEncoding.EncodeToString([]byte("bob:wrong-secret")))
	}
}

// realmServer issues the token "good" to whoever has the right credential.
func realmServer(seen *recorded, expires int) http.Handler {
	return seen.record(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != basic("bob", "hunter2") {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"errors":[{"code":"DENIED","message":"who are you"}]}`)
			return
		}
		fmt.Fprintf(w, `{"token":"good","expires_in":%d}`, expires)
	}))
}

// The realm is at a private address under another host name than the registry, as
// GitLab's is: the library's own auth client refuses that, ours does not.
func TestBearerRealmAtPrivateAddress(t *testing.T) {
	var asked, registry recorded
	_, port, _ := net.SplitHostPort(serve(t, realmServer(&asked, 300)))
	realm := "http://localhost:" + port + "/jwt/auth"
	host := serve(t, registry.record(behindToken(store(t), func() string { return realm }, func(s string) bool { return s == "good" })))
	ref := "oci://" + host + "/charts/app:1.0.0"
	c := newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", dockerAuth(host, "bob", "hunter2"))})
	push(t, c, ref)
	if _, err := c.PullChart(context.Background(), mustRef(t, ref)); err != nil {
		t.Fatal(err)
	}
	for _, r := range asked.all() {
		if r.query.Get("service") != "reg" || len(r.query["scope"]) == 0 {
			t.Errorf("the realm was asked %v", r.query)
		}
	}
	if n := len(asked.all()); n == 0 || n > 3 {
		t.Errorf("the realm was asked %d times", n)
	}
	for _, r := range registry.all() {
		if strings.HasPrefix(r.auth, "Basic") {
			t.Errorf("the password went to a registry that wants tokens: %s", r.line)
		}
	}

	theirs := &orasauth.Client{Credential: orasauth.StaticCredential(host, orasauth.Credential{Username: "bob", Password: "hunter2"})}
	repo := c.repository(mustRef(t, ref))
	repo.Client = theirs
	if _, err := repo.Manifests().Resolve(context.Background(), "1.0.0"); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("the library no longer refuses this: our own client may go; %v", err)
	}
}

func TestBearerDenied(t *testing.T) {
	var asked recorded
	realm := "http://" + serve(t, realmServer(&asked, 0))
	host := serve(t, behindToken(store(t), func() string { return realm }, func(string) bool { return false }))
	c := newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", dockerAuth(host, "bob", "wrong-secret"))})
	_, err := c.Tags(context.Background(), mustRef(t, "oci://"+host+"/charts/app"))
	if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "who are you") || !strings.Contains(HintOf(err), "DOCKER_AUTH_CONFIG (used)") {
		t.Errorf("error %v, hint %q", err, HintOf(err))
	}
	noSecrets(t, err, "wrong-secret", "scope=")
}

// Tokens are asked for once for each scope, also by many at once, and anew when
// they have expired or are no longer accepted.
func TestTokenCache(t *testing.T) {
	var issued, current atomic.Int32
	realm := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		current.Store(issued.Add(1))
		fmt.Fprintf(w, `{"access_token":"t%d","token":"other"}`, issued.Load())
	}))
	inner := store(t)
	host := serve(t, behindToken(inner, func() string { return "http://" + realm }, func(s string) bool { return s == fmt.Sprint("t", current.Load()) }))
	c := newClient(t, Options{PlainHTTP: true})
	ref := mustRef(t, "oci://"+host+"/charts/app:1.0.0")
	push(t, c, ref.String())
	issued.Store(0)
	c = newClient(t, Options{PlainHTTP: true})
	var g errgroup.Group
	for range 20 {
		g.Go(func() error { _, err := c.Resolve(context.Background(), ref); return err })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := issued.Load(); n != 1 {
		t.Errorf("%d tokens for one scope", n)
	}
	current.Store(1000) // the registry forgets the token
	issued.Store(1999)
	if _, err := c.Resolve(context.Background(), ref); err != nil || issued.Load() != 2000 {
		t.Errorf("after the token was revoked: %v, token %d", err, issued.Load())
	}
}

func TestIdentityToken(t *testing.T) {
	realm := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") != "long-lived" || r.FormValue("scope") == "" {
			w.WriteHeader(400)
			return
		}
		fmt.Fprint(w, `{"access_token":"good"}`)
	}))
	host := serve(t, behindToken(store(t), func() string { return "http://" + realm }, func(s string) bool { return s == "good" }))
	config := fmt.Sprintf(`{"auths":{%q:{"identitytoken":"long-lived"}}}`, host)
	push(t, newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", config)}), "oci://"+host+"/charts/app:1.0.0")
}

func TestRegistryToken(t *testing.T) {
	host := serve(t, behindToken(store(t), func() string { return "http://127.0.0.1:1" }, func(s string) bool { return s == "ready" }))
	config := fmt.Sprintf(`{"auths":{%q:{"registrytoken":"ready"}}}`, host)
	push(t, newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", config)}), "oci://"+host+"/charts/app:1.0.0")
}

func TestRealmPolicy(t *testing.T) {
	public, private := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("10.1.2.3")
	gitlab := env("CI_REGISTRY", "registry.example.com", "CI_SERVER_HOST", "gitlab.example.com")
	cases := []struct {
		name, realm, registry string
		peer                  netip.Addr
		env                   func(string) string
		hosts                 []string
		private, refused      bool
	}{
		{name: "another host, public registry", realm: "https://auth.example.com/token", registry: "https://registry.example.com", peer: public},
		{name: "another host, private registry", realm: "https://auth.example.com/token", registry: "https://registry.example.com", peer: private, private: true},
		{name: "registry's address unknown", realm: "https://auth.example.com/token", registry: "https://registry.example.com"},
		{name: "the same host", realm: "https://registry.example.com:8443/token", registry: "https://REGISTRY.example.com", peer: public, private: true},
		{name: "GitLab's own", realm: "https://gitlab.example.com/jwt/auth", registry: "https://registry.example.com", peer: public, env: gitlab, private: true},
		{name: "GitLab's own for another registry", realm: "https://gitlab.example.com/jwt/auth", registry: "https://evil.example", peer: public, env: gitlab},
		{name: "named by option", realm: "https://auth.example.com/token", registry: "https://registry.example.com", peer: public, hosts: []string{"auth.example.com"}, private: true},
		{name: "http for https", realm: "http://registry.example.com/token", registry: "https://registry.example.com", refused: true},
		{name: "another scheme", realm: "file:///etc/passwd", registry: "https://registry.example.com", refused: true},
		{name: "gopher", realm: "gopher://h/", registry: "http://h", refused: true},
		{name: "no host", realm: "/token", registry: "https://registry.example.com", refused: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.env == nil {
				c.env = env()
			}
			realm, _ := url.Parse(c.realm)
			registry, _ := url.Parse(c.registry)
			got, err := realmPolicy{env: c.env, hosts: c.hosts}.allow(realm, registry, c.peer)
			if got != c.private || (err != nil) != c.refused || (err != nil && !errors.Is(err, errRealm)) {
				t.Errorf("private %v, error %v", got, err)
			}
		})
	}
}

// The address that is dialled decides, not the name.
func TestRealmAddresses(t *testing.T) {
	var asked recorded
	realm := serve(t, realmServer(&asked, 300))
	c := newClient(t, Options{PlainHTTP: true})
	registry, _ := url.Parse("http://registry.example.com")
	_, port, _ := net.SplitHostPort(realm)
	d := demand{url: registry, peer: netip.MustParseAddr("198.51.100.7"),
		challenge: challenge{params: map[string]string{"realm": "http://localhost:" + port}}}
	if _, err := c.auth.fetchToken(context.Background(), d); !errors.Is(err, errRealm) || len(asked.all()) != 0 {
		t.Errorf("a registry on the internet had a private realm asked: %v", err)
	}
	d.peer = netip.MustParseAddr("10.0.0.1")
	if _, err := c.auth.fetchToken(context.Background(), d); !errors.Is(err, ErrDenied) || len(asked.all()) != 1 {
		t.Errorf("a registry on the private network: %v", err)
	}
	for addr, bad := range map[string][2]bool{ // refused for public, for private
		"169.254.169.254:80": {true, true}, "[fe80::1%eth0]:80": {true, true}, "[::ffff:169.254.169.254]:80": {true, true},
		"100.100.100.200:80": {true, true}, "[fd00:ec2::254]:80": {true, true}, "0.0.0.0:80": {true, true}, "224.0.0.1:80": {true, true},
		"10.0.0.1:443": {true, false}, "192.168.1.1:443": {true, false}, "127.0.0.1:443": {true, false}, "[::1]:443": {true, false},
		"100.64.0.1:443": {true, false}, "[fd00::1]:443": {true, false}, "198.51.100.7:443": {false, false}, "nonsense": {true, true},
	} {
		if got := [2]bool{refuseInternal("tcp", addr, nil) != nil, refuseMetadata("tcp", addr, nil) != nil}; got != bad {
			t.Errorf("%s: refused %v, want %v", addr, got, bad)
		}
	}
}

func TestRealmRedirects(t *testing.T) {
	var asked recorded
	elsewhere := serve(t, realmServer(&asked, 300))
	realm := serve(t, http.RedirectHandler("http://"+elsewhere+"/token", http.StatusTemporaryRedirect))
	host := serve(t, behindToken(store(t), func() string { return "http://" + realm + "/token" }, func(string) bool { return true }))
	c := newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", dockerAuth(host, "bob", "hunter2"))})
	_, err := c.Tags(context.Background(), mustRef(t, "oci://"+host+"/charts/app"))
	if !errors.Is(err, errRealm) || len(asked.all()) != 0 || HintOf(err) == "" {
		t.Errorf("%d requests elsewhere: %v", len(asked.all()), err)
	}
}

func TestParseToken(t *testing.T) {
	cases := map[string]bool{
		`{"token":"a"}`: true, `{"access_token":"a"}`: true, `{"token":"a","expires_in":"soon"}`: true, `{"token":"a","expires_in":1e308}`: true,
		`{"Token":"a"}`: false, `{"token":""}`: false, `{"token":1}`: false, `{"token":"a\nb"}`: false, `[]`: false, ``: false, `{}`: false, `null`: false,
	}
	for body, ok := range cases {
		if _, err := parseToken("h", []byte(body), testTime); (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestParseChallenges(t *testing.T) {
	cases := []struct {
		in   []string
		want []challenge
	}{
		{nil, nil},
		{[]string{`Basic realm="x"`}, []challenge{{"basic", map[string]string{"realm": "x"}}}},
		{[]string{`Bearer realm="https://h/t?a=b,c",service="s",scope="repository:a:pull,push"`},
			[]challenge{{"bearer", map[string]string{"realm": "https://h/t?a=b,c", "service": "s", "scope": "repository:a:pull,push"}}}},
		{[]string{`bearer Realm = "a\"b" , service=tok`}, []challenge{{"bearer", map[string]string{"realm": `a"b`, "service": "tok"}}}},
		{[]string{`Negotiate, Basic realm="x", Bearer realm="y"`},
			[]challenge{{"negotiate", map[string]string{}}, {"basic", map[string]string{"realm": "x"}}, {"bearer", map[string]string{"realm": "y"}}}},
		{[]string{`Negotiate YII=`, `Basic`}, []challenge{{"negotiate", map[string]string{}}, {"basic", map[string]string{}}}},
		{[]string{`Bearer realm="first",realm="second"`}, []challenge{{"bearer", map[string]string{"realm": "first"}}}},
	}
	for _, c := range cases {
		got, err := parseChallenges(c.in)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v, %v; want %+v", c.in, got, err, c.want)
		}
	}
	for _, bad := range []string{`realm="x"`, `Bearer realm="x`, `"x"`, `Bearer a=b, c==`, strings.Repeat("x", 20_000)} {
		if got, err := parseChallenges([]string{bad}); err == nil {
			t.Errorf("%.40q: %+v", bad, got)
		}
	}
	if c, ok := pick([]challenge{{scheme: "basic"}, {scheme: "bearer"}}); !ok || c.scheme != "bearer" {
		t.Errorf("picked %+v", c)
	}
	if _, ok := pick([]challenge{{scheme: "negotiate"}}); ok {
		t.Error("picked a scheme that we do not know")
	}
}

func FuzzChallenges(f *testing.F) {
	f.Add(`Bearer realm="https://h/t",service="s",scope="a b"`)
	f.Add(`Negotiate abc==, Basic realm=x`)
	f.Fuzz(func(t *testing.T, h string) {
		all, err := parseChallenges([]string{h})
		if err != nil {
			return
		}
		for _, c := range all {
			if c.scheme == "" || c.scheme != strings.ToLower(c.scheme) || c.params == nil {
				t.Fatalf("%q: %+v", h, c)
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"errors":[{"code":"DENIED","message":"no\u001b[31m"}]}`))
	f.Add([]byte(`{"error":"invalid","error_description":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		text := parseAnswer(body).String()
		if len(text) > 2*maxForeign+20 || strings.ContainsAny(text, "\n\x1b\x00") {
			t.Fatalf("%q", text)
		}
	})
}
