package registry

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

const smallIndex = `apiVersion: v1
entries:
  app:
    - {name: app, version: 1.0.0, apiVersion: v2, urls: [app-1.0.0.tgz]}
    - {name: app, version: 2.0.0, apiVersion: v2, urls: [charts/app-2.0.0.tgz], digest: abc}
`

// files serves fixed bodies by path.
func files(bodies map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(body))
	})
}

// repositories writes Helm's repositories.yaml and gives the environment that
// names it.
func repositories(t *testing.T, entries ...string) func(string) string {
	t.Helper()
	text := "apiVersion: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\nrepositories:\n"
	for _, e := range entries {
		text += "- {" + e + "}\n"
	}
	return env("HELM_REPOSITORY_CONFIG", writeFile(t, filepath.Join(t.TempDir(), "repositories.yaml"), text))
}

func TestIndexAndFetch(t *testing.T) {
	var seen recorded
	host := serve(t, seen.record(files(map[string]string{"/stable/index.yaml": smallIndex, "/stable/app-1.0.0.tgz": "one", "/stable/charts/app-2.0.0.tgz": "two"})))
	c := newClient(t, Options{})
	ctx, repo := context.Background(), "http://"+host+"/stable"
	idx, err := c.Index(ctx, repo)
	if err != nil {
		t.Fatal(err)
	}
	if e := idx.Entries["app"]; len(e) != 2 || e[0].Version != "2.0.0" || e[0].Digest != "abc" {
		t.Errorf("entries %+v", e)
	}
	for i, want := range []string{"two", "one"} {
		data, d, err := c.FetchChart(ctx, repo+"/", idx.Entries["app"][i].URLs[0])
		if err != nil || string(data) != want || d != digest.FromString(want) {
			t.Errorf("%q %v %v", data, d, err)
		}
	}
	if _, err := c.Index(ctx, repo); err != nil || seen.count("GET /stable/index.yaml") != 1 {
		t.Errorf("%v; the index was read %d times", err, seen.count("GET /stable/index.yaml"))
	}
	_, _, err = c.FetchChart(ctx, repo, "gone.tgz")
	var e *Error
	if !errors.Is(err, ErrNotFound) || !errors.As(err, &e) || e.Op != "fetching" || e.Ref != repo+"/gone.tgz" || e.Status != 404 {
		t.Errorf("error %v", err)
	}
	if _, err := c.Index(ctx, "http://"+host+"/none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestRepoURLs(t *testing.T) {
	c := newClient(t, Options{})
	for _, bad := range []string{"", "charts", "file:///charts", "ftp://h/", "https://", "http://bob:hunter2@h:x/", "oci://h/a"} {
		_, err := c.Index(context.Background(), bad)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"file:///etc/passwd", "ftp://h/a.tgz", "http://a b/", "%zz", "oci://h/A:1"} {
		if _, _, err := c.FetchChart(context.Background(), "http://127.0.0.1:1/", bad); err == nil {
			t.Errorf("%q: fetched", bad)
		}
	}
	for _, x := range [][3]string{
		{"https://h/a", "b.tgz", "https://h/a/b.tgz"}, {"https://h/a/", "b.tgz", "https://h/a/b.tgz"}, {"https://h", "b.tgz", "https://h/b.tgz"},
		{"https://h/a", "/b.tgz", "https://h/b.tgz"}, {"https://h/a", "../b.tgz", "https://h/b.tgz"}, {"https://h/a?x=1", "b.tgz?y=2", "https://h/a/b.tgz?x=1"},
		{"https://h/a%2Fb", "c.tgz", "https://h/a%2Fb/c.tgz"}, {"https://h/a", "http://other/b.tgz?y=2", "http://other/b.tgz?y=2"},
	} {
		base, err := parseRepoURL(x[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := resolveChartURL(base, mustURL(t, x[1])).String(); got != x[2] {
			t.Errorf("%s + %s = %s, want %s", x[0], x[1], got, x[2])
		}
	}
}

func TestRepoCredentials(t *testing.T) {
	var seen, foreignSeen recorded
	bodies := map[string]string{"/stable/index.yaml": smallIndex, "/stable/app.tgz": "one", "/other/index.yaml": smallIndex}
	host := serve(t, seen.record(behindBasic(files(bodies), "bob", "hunter2")))
	cdn := serve(t, foreignSeen.record(files(map[string]string{"/app.tgz": "two"})))
	ctx, repo := context.Background(), "http://"+host+"/stable"
	c := newClient(t, Options{Env: repositories(t, "name: stable, url: '"+repo+"/', username: bob, password: hunter2")})
	if _, err := c.Index(ctx, repo); err != nil {
		t.Fatal(err)
	}
	if data, _, err := c.FetchChart(ctx, repo, "app.tgz"); err != nil || string(data) != "one" {
		t.Errorf("%q %v", data, err)
	}
	if data, _, err := c.FetchChart(ctx, repo, "http://"+cdn+"/app.tgz"); err != nil || string(data) != "two" {
		t.Errorf("%q %v", data, err)
	}
	if s := foreignSeen.all()[0]; s.auth != "" {
		t.Errorf("another host got %q", s.auth)
	}
	if _, err := c.Index(ctx, "http://"+host+"/other"); !errors.Is(err, ErrDenied) || !strings.Contains(HintOf(err), "repositories.yaml") {
		t.Errorf("credentials of one repository used for another: %v, hint %q", err, HintOf(err))
	}

	all := newClient(t, Options{Env: repositories(t, "name: stable, url: '"+repo+"', username: bob, password: hunter2, pass_credentials_all: true")})
	if _, _, err := all.FetchChart(ctx, repo, "http://"+cdn+"/app.tgz"); err != nil || foreignSeen.all()[1].auth != basic("bob", "hunter2") {
		t.Errorf("pass_credentials_all: %v, %q", err, foreignSeen.all()[1].auth)
	}

	inURL := newClient(t, Options{})
	if _, err := inURL.Index(ctx, "http://bob:hunter2@"+host+"/stable"); err != nil {
		t.Errorf("credentials in the URL: %v", err)
	}
	_, err := inURL.Index(ctx, "http://bob:wrong-secret@"+host+"/stable")
	if !errors.Is(err, ErrDenied) {
		t.Errorf("error %v", err)
	}
	noSecrets(t, err, "wrong-secret")
	if _, _, err := inURL.FetchChart(ctx, "http://bob:hunter2@"+host+"/stable", "http://"+cdn+"/app.tgz"); err != nil || foreignSeen.all()[2].auth != "" {
		t.Errorf("%v, another host got %q", err, foreignSeen.all()[2].auth)
	}
}

// A redirect to another host, port or scheme takes no credentials along, and one
// back does not bring them back.
func TestRedirectsDoNotLeak(t *testing.T) {
	var seen recorded
	var home string
	other := serve(t, seen.record(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bounce" {
			http.Redirect(w, r, "http://"+home+"/open/final", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("there"))
	})))
	var homeSeen recorded
	home = serve(t, homeSeen.record(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/r/out.tgz":
			http.Redirect(w, r, "http://"+other+"/signed?X-Signature=abc", http.StatusTemporaryRedirect)
		case "/r/bounce.tgz":
			http.Redirect(w, r, "http://"+other+"/bounce", http.StatusFound)
		case "/r/within.tgz":
			http.Redirect(w, r, "/open/within", http.StatusFound)
		case "/r/loop.tgz":
			http.Redirect(w, r, "/r/loop.tgz", http.StatusFound)
		case "/r/file.tgz":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			_, _ = w.Write([]byte("home"))
		}
	})))
	repo := "http://" + home + "/r"
	c := newClient(t, Options{Env: repositories(t, "name: r, url: '"+repo+"?key=secret', username: bob, password: hunter2")})
	repo += "?key=secret"
	ctx := context.Background()
	if data, _, err := c.FetchChart(ctx, repo, "out.tgz"); err != nil || string(data) != "there" {
		t.Fatalf("%q %v", data, err)
	}
	if data, _, err := c.FetchChart(ctx, repo, "bounce.tgz"); err != nil || string(data) != "home" {
		t.Fatalf("%q %v", data, err)
	}
	for _, s := range seen.all() {
		if s.auth != "" || s.referer != "" {
			t.Errorf("%s got %q, referer %q", s.line, s.auth, s.referer)
		}
	}
	if _, _, err := c.FetchChart(ctx, repo, "within.tgz"); err != nil {
		t.Fatal(err)
	}
	for _, s := range homeSeen.all() {
		if want := s.line != "GET /open/final"; (s.auth != "") != want {
			t.Errorf("%s got %q", s.line, s.auth)
		}
	}
	for _, bad := range []string{"loop.tgz", "file.tgz"} {
		_, _, err := c.FetchChart(ctx, repo, bad)
		if err == nil || !strings.Contains(err.Error(), "redirect") {
			t.Errorf("%s: %v", bad, err)
		}
		noSecrets(t, err, "secret")
	}
}

// A registry's blobs come from elsewhere as a rule; the token stays.
func TestBlobRedirectDoesNotLeak(t *testing.T) {
	var seen recorded
	inner := store(t)
	bucket := serve(t, seen.record(inner))
	host := serve(t, behindBasic(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, "http://"+bucket+r.URL.Path+"?X-Signature=abc", http.StatusTemporaryRedirect)
			return
		}
		inner.ServeHTTP(w, r)
	}), "bob", "hunter2"))
	ref := "oci://" + host + "/charts/app:1.0.0"
	c := newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", dockerAuth(host, "bob", "hunter2"))})
	push(t, c, ref)
	if _, err := c.PullChart(context.Background(), mustRef(t, ref)); err != nil {
		t.Fatal(err)
	}
	if len(seen.all()) != 2 {
		t.Fatalf("the bucket was asked %d times", len(seen.all()))
	}
	for _, s := range seen.all() {
		if s.auth != "" || s.referer != "" {
			t.Errorf("the bucket got %q, referer %q", s.auth, s.referer)
		}
	}
}

// A bucket that asks for credentials itself is not given the registry's, nor is the
// realm that it names.
func TestForeignChallenge(t *testing.T) {
	var seen recorded
	thief := "http://" + serve(t, seen.record(files(nil)))
	bucket := serve(t, seen.record(behindToken(files(nil), func() string { return thief }, func(string) bool { return false })))
	host := serve(t, http.RedirectHandler("http://"+bucket+"/x?X-Signature=abc", http.StatusTemporaryRedirect))
	c := newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", dockerAuth(host, "bob", "hunter2"))})
	_, err := c.PullChart(context.Background(), mustRef(t, "oci://"+host+"/a:1"))
	if !errors.Is(err, ErrDenied) {
		t.Errorf("error %v", err)
	}
	noSecrets(t, err, "X-Signature", "abc")
	if all := seen.all(); len(all) != 1 || all[0].auth != "" {
		t.Errorf("asked elsewhere: %+v", all)
	}
}

func TestDowngradeIsRefused(t *testing.T) {
	var seen recorded
	plain := serve(t, seen.record(files(map[string]string{"/index.yaml": smallIndex})))
	host, ca := serveTLS(t, http.RedirectHandler("http://"+plain+"/index.yaml", http.StatusFound))
	_, err := newClient(t, Options{CAFile: ca}).Index(context.Background(), "https://"+host)
	if err == nil || !strings.Contains(err.Error(), "from https to http") || len(seen.all()) != 0 {
		t.Errorf("error %v", err)
	}
	if _, err := newClient(t, Options{CAFile: ca, PlainHTTPHosts: []string{plain}}).Index(context.Background(), "https://"+host); err != nil {
		t.Errorf("to a host that may be spoken to over HTTP: %v", err)
	}
}

func TestRepoTLS(t *testing.T) {
	host, ca := serveTLS(t, files(map[string]string{"/index.yaml": smallIndex, "/app-1.0.0.tgz": "one"}))
	other, _ := serveTLS(t, files(map[string]string{"/x.tgz": "two"}))
	ctx, repo := context.Background(), "https://"+host
	if _, err := newClient(t, Options{}).Index(ctx, repo); err == nil || !strings.Contains(HintOf(err), "--ca-file") {
		t.Errorf("untrusted: %v", err)
	}
	if _, err := newClient(t, Options{Env: repositories(t, "name: a, url: '"+repo+"', caFile: '"+ca+"'")}).Index(ctx, repo); err != nil {
		t.Errorf("caFile: %v", err)
	}
	insecure := newClient(t, Options{Env: repositories(t, "name: a, url: '"+repo+"', insecure_skip_tls_verify: true")})
	if _, err := insecure.Index(ctx, repo); err != nil {
		t.Errorf("insecure_skip_tls_verify: %v", err)
	}
	if _, _, err := insecure.FetchChart(ctx, repo, "https://"+other+"/x.tgz"); err == nil {
		t.Error("verification was skipped for another host")
	}
	for want, entry := range map[string]string{"no such file": "caFile: /nowhere/ca.pem", "client certificate": "certFile: /nowhere/c, keyFile: /nowhere/k"} {
		_, err := newClient(t, Options{Env: repositories(t, "name: a, url: '"+repo+"', password: hunter2, "+entry)}).Index(ctx, repo)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
			continue
		}
		noSecrets(t, err, "hunter2")
	}
}

func TestClientCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := selfSigned(t, dir)
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(cert)
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		t.Fatal(err)
	}
	ts := httptest.NewUnstartedServer(files(map[string]string{"/index.yaml": smallIndex}))
	ts.Config.ErrorLog = quiet()
	ts.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	ts.StartTLS()
	defer ts.Close()
	entry := "name: a, url: '" + ts.URL + "', insecure_skip_tls_verify: true"
	if _, err := newClient(t, Options{Env: repositories(t, entry)}).Index(context.Background(), ts.URL); err == nil {
		t.Error("let in without a certificate")
	}
	entry += ", certFile: '" + cert + "', keyFile: '" + key + "'"
	if _, err := newClient(t, Options{Env: repositories(t, entry)}).Index(context.Background(), ts.URL); err != nil {
		t.Error(err)
	}
}

func TestCompressedIndex(t *testing.T) {
	bomb := false
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		zw := gzip.NewWriter(w)
		fmt.Fprint(zw, smallIndex)
		if bomb {
			fmt.Fprint(zw, strings.Repeat("#", 1<<20))
		}
		zw.Close()
	}))
	if idx, err := newClient(t, Options{}).Index(context.Background(), "http://"+host); err != nil || len(idx.Entries["app"]) != 2 {
		t.Errorf("%v %v", idx, err)
	}
	bomb = true
	if _, err := newClient(t, Options{Limits: Limits{Index: 100_000}}).Index(context.Background(), "http://"+host); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

func TestFetchThroughIndexToOCI(t *testing.T) {
	host := serve(t, store(t))
	c := newClient(t, Options{PlainHTTPHosts: []string{host}})
	push(t, c, "oci://"+host+"/charts/app:1.0.0")
	data, d, err := c.FetchChart(context.Background(), "http://127.0.0.1:1/", "oci://"+host+"/charts/app:1.0.0")
	if err != nil || string(data) != string(sample.Archive) || d != digest.FromBytes(sample.Archive) {
		t.Errorf("%d bytes, %v, %v", len(data), d, err)
	}
}

func TestFetchIsBounded(t *testing.T) {
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 1000 {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	}))
	_, _, err := newClient(t, Options{Limits: Limits{Archive: 10_000}}).FetchChart(context.Background(), "http://"+host, "a.tgz")
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

func TestRepoByName(t *testing.T) {
	c := newClient(t, Options{Env: repositories(t, "name: stable, url: 'https://h/charts', username: bob, password: hunter2", "name: nowhere")})
	for _, name := range []string{"@stable", "alias:stable", "stable"} {
		e, ok, err := c.RepoByName(name)
		if err != nil || !ok || e.URL != "https://h/charts" || e.Password != "hunter2" {
			t.Errorf("%s: %v %v %v", name, e, ok, err)
		}
		if text := fmt.Sprintf("%v %+v %#v %s", e, e, e, e); strings.Contains(text, "hunter2") {
			t.Errorf("printing shows the password: %s", text)
		}
	}
	if _, ok, err := c.RepoByName("@other"); ok || err != nil {
		t.Errorf("unknown: %v %v", ok, err)
	}
	if _, _, err := c.RepoByName("@nowhere"); err == nil || !strings.Contains(err.Error(), "no URL") {
		t.Errorf("error %v", err)
	}
	if _, ok, err := newClient(t, Options{}).RepoByName("@stable"); ok || err != nil {
		t.Errorf("no file: %v %v", ok, err)
	}
	broken := writeFile(t, filepath.Join(t.TempDir(), "r.yaml"), "repositories: {password: hunter2")
	_, _, err := newClient(t, Options{Env: env("HELM_REPOSITORY_CONFIG", broken)}).RepoByName("@stable")
	if err == nil || !strings.Contains(err.Error(), broken) {
		t.Fatalf("error %v", err)
	}
	noSecrets(t, err, "hunter2")
}
