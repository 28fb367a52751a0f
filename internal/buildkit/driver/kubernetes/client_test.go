package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func kubeconfig(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	write(t, path, fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q}}]
users: [{name: u, user: {token: secret-token}}]
contexts:
- {name: one, context: {cluster: c, user: u, namespace: first}}
- {name: two, context: {cluster: c, user: u}}
current-context: one
`, server))
	return path
}

func host(env map[string]string) driver.Host {
	return driver.Host{Env: func(name string) string { return env[name] }, Log: func(string) {}}
}

func TestConnect(t *testing.T) {
	file := kubeconfig(t, "https://api.example:6443")
	for _, c := range []struct {
		kubeconfig, context, namespace string
		env                            map[string]string
		want                           string // namespace
		fails                          string
	}{
		{kubeconfig: file, want: "first"},
		{kubeconfig: file, context: "two", want: "default"},
		{kubeconfig: file, context: "two", namespace: "mine", want: "mine"},
		{env: map[string]string{"KUBECONFIG": filepath.Join(t.TempDir(), "none") + ":" + file}, want: "first"},
		{kubeconfig: file, context: "three", fails: "context was not found for specified context: three"},
		{kubeconfig: filepath.Join(t.TempDir(), "none"), fails: "no such file"},
		{fails: "there is no kubeconfig file, and this is no pod"},
	} {
		client, err := Connect(c.kubeconfig, c.context, c.namespace, host(c.env))
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) || driver.HintOf(err) == "" {
				t.Errorf("%+v: %v, hint %q", c, err, driver.HintOf(err))
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", c, err)
		} else if client.Namespace != c.want || client.Server != "https://api.example:6443" {
			t.Errorf("%+v: %+v", c, client)
		}
	}
}

// An API server that is not there, or never answers, is named, with the reason, in bounded time.
func TestUnreachable(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	for server, want := range map[string]string{"http://" + closed.Addr().String(): "connection refused", silent.URL: "does not answer in time"} {
		d, err := New(given("org", "acme", "kubeconfig", kubeconfig(t, server)), host(nil))
		if err != nil {
			t.Fatal(err)
		}
		d.client.config.Timeout = 100 * time.Millisecond
		if d.client, err = newClient(d.client.config, d.client.Namespace); err != nil {
			t.Fatal(err)
		}
		err = d.Start(t.Context())
		var e *driver.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), server) || !strings.Contains(err.Error(), want) || !strings.Contains(e.Hint, "reaches it") || strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%v, hint %q", err, driver.HintOf(err))
		}
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status     metav1.Status
		want, hint string
	}{
		{metav1.Status{Code: 401, Reason: metav1.StatusReasonUnauthorized, Message: "Unauthorized"}, "does not know this account", "run out"},
		{metav1.Status{Code: 403, Reason: metav1.StatusReasonForbidden, Message: `deployments.apps "b" is forbidden: User "ci" cannot get resource "deployments" in API group "apps" in the namespace "team"`},
			`forbidden: "ci" may not get deployments.apps in namespace "team"`, "chartgate builder rbac --org acme --namespace team"},
		{metav1.Status{Code: 403, Reason: metav1.StatusReasonForbidden, Message: `exceeded quota: count/deployments.apps=0`}, "exceeded quota", "does not admit"},
		{metav1.Status{Code: 404, Reason: metav1.StatusReasonNotFound, Message: `namespaces "team" not found`, Details: &metav1.StatusDetails{Name: "team", Kind: "namespaces"}}, `namespaces "team" not found`, "option namespace"},
		{metav1.Status{Code: 400, Reason: metav1.StatusReasonBadRequest, Message: "no\x1b[2J\n way"}, "no[2J way", ""},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status := c.status; r.Method == http.MethodPost || status.Code != 404 {
				answerStatus(w, &status)
				return
			}
			answerStatus(w, &metav1.Status{Code: 404, Reason: metav1.StatusReasonNotFound})
		}))
		d, err := New(given("org", "acme", "namespace", "team", "kubeconfig", kubeconfig(t, srv.URL)), host(nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(driver.HintOf(err), c.hint) {
			t.Errorf("%v, hint %q", err, driver.HintOf(err))
		}
		srv.Close()
	}
}

// What the API server warns of is said once, and a bounded number of times.
func TestWarnings(t *testing.T) {
	said := &logged{}
	w := &warnings{log: said.add}
	for i := range 100 {
		w.HandleWarningHeaderWithContext(t.Context(), 299, "", fmt.Sprintf("would violate\x1b[2J %d", i/2))
		w.HandleWarningHeaderWithContext(t.Context(), 100, "", "other")
	}
	if len(said.lines) != maxWarnings || said.lines[0] != "the API server warns: would violate[2J 0" {
		t.Errorf("%d: %q", len(said.lines), said.lines[0])
	}
}
