package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/chartgate/chartgate/internal/registry/server"
	authv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/kubernetes/scheme"
)

// fakeAPI answers reviews: every right is granted but those that denied names.
func fakeAPI(t *testing.T, denied ...string) *kubernetes.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
		review, is := object.(*authv1.SelfSubjectAccessReview)
		if r.URL.Path != "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" || err != nil || !is {
			http.Error(w, "what?", http.StatusBadRequest)
			return
		}
		a := review.Spec.ResourceAttributes
		asked := a.Verb + " " + a.Resource
		if a.Subresource != "" {
			asked += "/" + a.Subresource
		}
		review.Status.Allowed = a.Namespace == "team"
		for _, d := range denied {
			if d == asked {
				review.Status.Allowed = false
			}
		}
		w.Header().Set("Content-Type", "application/json")
		review.Kind, review.APIVersion = "SelfSubjectAccessReview", "authorization.k8s.io/v1"
		_ = json.NewEncoder(w).Encode(review)
	}))
	t.Cleanup(srv.Close)
	return connect(t, srv.URL)
}

func connect(t *testing.T, url string) *kubernetes.Client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c", "clusters": [{"name": "c", "cluster": {"server": %q}}],
"users": [{"name": "u", "user": {}}], "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "team"}}]}`, url)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := kubernetes.Connect(file, "", "", driver.Host{Env: func(string) string { return "" }, Log: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKubernetesRights(t *testing.T) {
	for _, c := range []struct {
		name    string
		denied  []string
		options map[string]string
		state   State
		want    []string
		not     string
	}{
		{"all", nil, nil, OK, []string{"all ", `namespace "team"`}, ""},
		{"one without which there is no build", []string{"create pods/exec"}, nil, Problem,
			[]string{"1 of ", "create pods/exec, to reach the daemon over SPDY", "chartgate builder rbac --org acme --namespace team | kubectl apply -f -"}, "use-existing"},
		{"one that makes errors clearer", []string{"list events"}, nil, Warning, []string{"builds work; 1 rights", "list events: errors do not show"}, ""},
		{"those of a kind that is not wanted", []string{"create statefulsets"}, nil, Warning, []string{"builders that are statefulsets cannot be had"}, ""},
		{"those of the kind that is wanted", []string{"create statefulsets"}, map[string]string{"kind": "StatefulSet"}, Problem, []string{"create statefulsets.apps"}, ""},
		{"builders cannot be created", []string{"create deployments"}, nil, Problem, []string{"--driver-opt use-existing=true"}, ""},
		{"builders need not be created", []string{"create deployments"}, map[string]string{"use-existing": "true"}, OK, nil, ""},
		{"using them is not allowed either", []string{"get pods/exec"}, map[string]string{"use-existing": "true"}, Problem, []string{"--form use"}, "use-existing=true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fine()
			client := fakeAPI(t, c.denied...)
			r.services = Services{Org: "acme", Cluster: func() (*kubernetes.Client, error) { return client, nil }}
			m := r.machine()
			m.Options[Kubernetes] = c.options
			if server := probe(t, m, "api-server"); server.State != OK {
				t.Errorf("%s", text(server))
			}
			said := text(probe(t, m, "kubernetes-rights"))
			if !strings.HasPrefix(said, string(c.state)+"\n") || c.not != "" && strings.Contains(said, c.not) {
				t.Errorf("%s", said)
			}
			for _, part := range c.want {
				if !strings.Contains(said, part) {
					t.Errorf("%q is not in\n%s", part, said)
				}
			}
		})
	}
}

func TestClusterThatCannotBeAsked(t *testing.T) {
	refusing := httptest.NewServer(nil)
	refusing.Close()
	for _, c := range []struct {
		name    string
		cluster func() (*kubernetes.Client, error)
		want    string
	}{
		{"an option is wrong", func() (*kubernetes.Client, error) {
			return nil, &driver.OptionError{Driver: Kubernetes, Option: "org", Message: "it is missing", Hint: "--driver-opt org=NAME"}
		}, "--driver-opt org=NAME"},
		{"nobody listens", func() (*kubernetes.Client, error) { return connect(t, refusing.URL), nil }, "cannot be reached"},
	} {
		r := fine()
		r.services = Services{Cluster: c.cluster}
		m := r.machine()
		if got := probe(t, m, "api-server"); got.State != Problem || !strings.Contains(text(got), c.want) {
			t.Errorf("%s: %s", c.name, text(got))
		}
		if got := probe(t, m, "kubernetes-rights"); got.State != Skipped {
			t.Errorf("%s: %s", c.name, text(got))
		}
	}
}

func TestRemoteBuilder(t *testing.T) {
	r := fine()
	r.env["BUILDKIT_HOST"] = "tcp://builder:1234"
	r.services.Remote = func(context.Context) error { return nil }
	if got := probe(t, r.machine(), "remote-builder"); got.State != OK || !strings.Contains(got.Finding, "tcp://builder:1234") {
		t.Errorf("%s", text(got))
	}
	r.services.Remote = func(context.Context) error {
		return &driver.Error{Op: "connecting", Err: errors.New("refused"), Detail: "line", Hint: "does it run?"}
	}
	if got := probe(t, r.machine(), "remote-builder"); got.State != Problem || got.Detail != "line" || !strings.Contains(text(got), "does it run?") {
		t.Errorf("%s", text(got))
	}
}

func TestRegistries(t *testing.T) {
	srv, err := server.New(t.TempDir(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	running, err := srv.Start(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close(context.WithoutCancel(t.Context()))
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
		if _, password, _ := r.BasicAuth(); password == "right-secret" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer locked.Close()
	lockedHost := strings.TrimPrefix(locked.URL, "http://")
	for _, c := range []struct {
		name, host, password string
		ci                   bool
		state                State
		want                 string
	}{
		{"open, and nothing there yet", running.Addr, "", true, OK, "without a login"},
		{"a login that is right", lockedHost, "right-secret", true, OK, "with a login"},
		{"a login that is wrong", lockedHost, "wrong-secret", true, Problem, "DOCKER_AUTH_CONFIG"},
		{"no login, on a desk", lockedHost, "", false, Warning, "docker login " + lockedHost},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fine()
			home := t.TempDir()
			r.env["HOME"], r.env["DOCKER_CONFIG"] = home, home
			if c.password != "" {
				r.env["CI_REGISTRY"], r.env["CI_REGISTRY_USER"], r.env["CI_REGISTRY_PASSWORD"] = c.host, "user-name", c.password
			}
			if c.ci {
				r.env["CI"], r.env["GITLAB_CI"] = "true", "true"
			}
			client, err := registry.New(registry.Options{PlainHTTP: true, Env: func(k string) string { return r.env[k] }, Retries: -1})
			if err != nil {
				t.Fatal(err)
			}
			ref, err := registry.ParseReference(c.host + "/group/project")
			if err != nil {
				t.Fatal(err)
			}
			r.services = Services{Registry: client, References: []registry.Reference{ref}}
			said := text(probe(t, r.machine(), "registries"))
			if !strings.HasPrefix(said, string(c.state)+"\n") || !strings.Contains(said, c.want) {
				t.Errorf("%s", said)
			}
			for _, secret := range []string{"right-secret", "wrong-secret", "user-name"} {
				if strings.Contains(said, secret) {
					t.Errorf("%q is shown:\n%s", secret, said)
				}
			}
		})
	}
	r := fine()
	if got := probe(t, r.machine(), "registries"); got.State != Skipped {
		t.Errorf("%s", text(got))
	}
}

func TestClone(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git here")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	dir := t.TempDir()
	git := func(at string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", at, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	origin := filepath.Join(dir, "origin")
	git(dir, "init", "-q", "-b", "main", origin)
	for _, m := range []string{"one", "two"} {
		git(origin, "commit", "-q", "--allow-empty", "-m", m)
	}
	git(origin, "checkout", "-q", "-b", "feature")
	for _, m := range []string{"three", "four"} {
		git(origin, "commit", "-q", "--allow-empty", "-m", m)
	}
	git(origin, "checkout", "-q", "main")
	shallow, whole := filepath.Join(dir, "shallow"), filepath.Join(dir, "whole")
	git(dir, "clone", "-q", "--depth=1", "--branch=feature", "file://"+origin, shallow)
	git(dir, "clone", "-q", "--branch=feature", "file://"+origin, whole)
	for _, c := range []struct {
		folder string
		gitlab bool
		state  State
		want   string
	}{
		{whole, false, OK, "it is complete: compared with merge base with origin/main"},
		{shallow, true, Warning, `GIT_DEPTH: "0"`},
		{dir, false, Warning, "no git repository"},
	} {
		r := fine()
		if c.gitlab {
			r.env["GITLAB_CI"], r.env["CI_COMMIT_BRANCH"], r.env["CI_DEFAULT_BRANCH"] = "true", "feature", "main"
		}
		r.services.Repository = c.folder
		if got := probe(t, r.machine(), "clone"); got.State != c.state || !strings.Contains(text(got), c.want) {
			t.Errorf("%s: %s", c.folder, text(got))
		}
	}
}
