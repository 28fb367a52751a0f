package registry

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCredentialOrder(t *testing.T) {
	dir := t.TempDir()
	helm := writeFile(t, filepath.Join(dir, "helm", "registry", "config.json"), dockerAuth("h:1", "helm", "p"))
	docker := writeFile(t, filepath.Join(dir, "docker", "config.json"), dockerAuth("h:1", "docker", "p"))
	all := []string{
		"CI_REGISTRY", "h:1", "CI_REGISTRY_USER", "job", "CI_REGISTRY_PASSWORD", "p",
		"DOCKER_AUTH_CONFIG", dockerAuth("h:1", "env", "p"),
		"HELM_REGISTRY_CONFIG", helm,
		"DOCKER_CONFIG", filepath.Dir(docker),
	}
	for i, want := range []string{"job", "env", "helm", "docker", ""} {
		skip := []int{0, 6, 8, 10, 10}[i]
		pairs := all[skip:]
		if want == "" {
			pairs = nil
		}
		cred, report := newKeyring(env(pairs...)).lookup(context.Background(), "H:1")
		if cred.Username != want {
			t.Errorf("want %q: got %q; %v", want, cred.Username, report)
		}
	}
}

func TestJobCredentialIsForItsRegistryAlone(t *testing.T) {
	k := newKeyring(env("CI_REGISTRY", "registry.example.com", "CI_REGISTRY_USER", "job", "CI_REGISTRY_PASSWORD", "secret"))
	for host, want := range map[string]bool{
		"registry.example.com": true, "registry.example.com:443": true, "REGISTRY.example.com": true,
		"registry.example.com:5000": false, "registry.example.com.evil.example": false, "evil-registry.example.com": false,
		"gitlab.example.com": false, "example.com": false,
	} {
		cred, report := k.lookup(context.Background(), host)
		if (cred.Password == "secret") != want {
			t.Errorf("%s: given %v", host, !want)
		}
		if strings.Contains(strings.Join(report, " "), "secret") {
			t.Errorf("the report shows the password: %v", report)
		}
	}
	k = newKeyring(env("CI_REGISTRY_USER", "job", "CI_REGISTRY_PASSWORD", "secret"))
	if cred, _ := k.lookup(context.Background(), ""); cred != auth.EmptyCredential {
		t.Error("given to no host while CI_REGISTRY is not set")
	}
}

func TestDockerConfig(t *testing.T) {
	pair := base64.StdEncoding.EncodeToString([]byte("bob:pass:word"))
	cases := []struct{ name, config, host, user, password string }{
		{"exact", `{"auths":{"h:1":{"auth":"` + pair + `"}}}`, "h:1", "bob", "pass:word"},
		{"another port", `{"auths":{"h:1":{"auth":"` + pair + `"}}}`, "h:2", "", ""},
		{"a URL", `{"auths":{"https://h/v2/":{"auth":"` + pair + `"}}}`, "h", "bob", "pass:word"},
		{"exact before URL", `{"auths":{"https://h/":{"username":"x","password":"y"},"h":{"auth":"` + pair + `"}}}`, "h", "bob", "pass:word"},
		{"user and password apart", `{"auths":{"h":{"username":"bob","password":"p"}}}`, "h", "bob", "p"},
		{"Docker Hub", `{"auths":{"https://index.docker.io/v1/":{"auth":"` + pair + `"}}}`, "registry-1.docker.io", "bob", "pass:word"},
		{"Docker Hub by name", `{"auths":{"docker.io":{"auth":"` + pair + `"}}}`, "registry-1.docker.io", "bob", "pass:word"},
		{"prefix of a host", `{"auths":{"h":{"auth":"` + pair + `"}}}`, "h.evil.example", "", ""},
		{"empty", ``, "h", "", ""},
		{"no auths", `{}`, "h", "", ""},
		{"empty entry", `{"auths":{"h":{}}}`, "h", "", ""},
	}
	for _, c := range cases {
		cred, _, err := fromDockerConfig(context.Background(), []byte(c.config), c.host)
		if err != nil || cred.Username != c.user || cred.Password != c.password {
			t.Errorf("%s: %q %q, %v", c.name, cred.Username, cred.Password, err)
		}
	}
	for name, config := range map[string]string{
		"no JSON": `{"auths":`, "auth no base64": `{"auths":{"h":{"auth":"c2Vj~~"}}}`,
		"auth no pair":  `{"auths":{"h":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("supersecret")) + `"}}}`,
		"helper a path": `{"credHelpers":{"h":"../../bin/sh"}}`,
	} {
		cred, said, err := fromDockerConfig(context.Background(), []byte(config), "h")
		if err == nil || cred != auth.EmptyCredential {
			t.Errorf("%s: %v %v", name, cred, err)
			continue
		}
		if strings.Contains(said+err.Error(), "supersecret") {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
}

// helper puts a credential helper of Docker's protocol on PATH.
func helper(t *testing.T, name, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the helper is a shell script")
	}
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "docker-credential-"+name), "#!/bin/sh\nread host\n"+script)
	if err := os.Chmod(file, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestCredentialHelpers(t *testing.T) {
	helper(t, "vault", `case "$host" in
h:1) echo '{"ServerURL":"h:1","Username":"bob","Secret":"from-helper"}' ;;
t:1) echo '{"ServerURL":"t:1","Username":"<token>","Secret":"identity"}' ;;
broken:1) echo "cannot open the vault: top-secret-detail"; exit 1 ;;
*) echo "credentials not found in native keychain"; exit 1 ;;
esac
`)
	host := serve(t, behindBasic(store(t), "file", "p"))
	config := fmt.Sprintf(`{"credsStore":"vault","auths":{"h:1":{},%q:{"username":"file","password":"p"}}}`, host)
	k := newKeyring(env("DOCKER_AUTH_CONFIG", config))
	if cred := k.credential(context.Background(), "h:1"); cred.Username != "bob" || cred.Password != "from-helper" {
		t.Errorf("helper: %q", cred.Username)
	}
	if cred := k.credential(context.Background(), "t:1"); cred.RefreshToken != "identity" {
		t.Error("the helper's token was not understood")
	}
	cred, report := k.lookup(context.Background(), "broken:1")
	if text := strings.Join(report, " "); cred != auth.EmptyCredential || !strings.Contains(text, "docker-credential-vault failed") || strings.Contains(text, "top-secret") {
		t.Errorf("broken helper: %v", report)
	}
	if _, report := newKeyring(env("DOCKER_AUTH_CONFIG", `{"credHelpers":{"h:1":"is-not-here"}}`)).lookup(context.Background(), "h:1"); !strings.Contains(strings.Join(report, " "), "docker-credential-is-not-here failed") {
		t.Errorf("missing helper: %v", report)
	}
	push(t, newClient(t, Options{PlainHTTP: true, Env: env("DOCKER_AUTH_CONFIG", config)}), "oci://"+host+"/charts/app:1.0.0")
}

func TestConfigPaths(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the defaults of Linux")
	}
	cases := []struct {
		env                   func(string) string
		registry, repo, other string
	}{
		{env("HOME", "/h"), "/h/.config/helm/registry/config.json", "/h/.config/helm/repositories.yaml", "/h/.docker/config.json"},
		{env("HOME", "/h", "XDG_CONFIG_HOME", "/x"), "/x/helm/registry/config.json", "/x/helm/repositories.yaml", "/h/.docker/config.json"},
		{env("HOME", "/h", "XDG_CONFIG_HOME", "/x", "HELM_CONFIG_HOME", "/c"), "/c/registry/config.json", "/c/repositories.yaml", "/h/.docker/config.json"},
		{env("HELM_REGISTRY_CONFIG", "/r", "HELM_REPOSITORY_CONFIG", "/p", "HELM_CONFIG_HOME", "/c", "DOCKER_CONFIG", "/d"), "/r", "/p", "/d/config.json"},
		{env(), "", "", ""},
	}
	for i, c := range cases {
		if got := []string{helmRegistryConfig(c.env), repositoriesPath(c.env), dockerConfig(c.env)}; got[0] != c.registry || got[1] != c.repo || got[2] != c.other {
			t.Errorf("%d: %q", i, got)
		}
	}
}

func FuzzDockerConfig(f *testing.F) {
	f.Add([]byte(dockerAuth("h", "a", "b")), "h")
	f.Add([]byte(`{"auths":{"https://h/":{"auth":"="}}}`), "h")
	f.Fuzz(func(t *testing.T, data []byte, host string) {
		conf, err := parseDockerConfig(data)
		if err != nil {
			return
		}
		if cred, found, _ := conf.entry(strings.ToLower(host)); found && cred == auth.EmptyCredential {
			t.Fatal("found nothing")
		}
	})
}
