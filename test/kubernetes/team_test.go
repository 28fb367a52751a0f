//go:build e2e_kubernetes && linux

// Package kubernetes runs the Kubernetes driver in a real cluster, as a service account that is bound to
// nothing but the Role that chartgate builder rbac prints.
package kubernetes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/chartgate/chartgate/test/cluster"
	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd/api"
)

var it *cluster.Cluster

func TestMain(m *testing.M) { os.Exit(cluster.Run(m, func(c *cluster.Cluster) { it = c })) }

const account = "ci"

// team is an organisation with a namespace, and the kubeconfig file of its jobs.
type team struct {
	t          *testing.T
	org, ns    string
	kubeconfig string
	log        *said
	admin      *kube.Client // as an administrator
	jobs       *kube.Client // as the jobs themselves
}

var teams atomic.Int32

// newTeam makes a namespace with labels, and the Role of a form in it.
func newTeam(t *testing.T, form kube.Form, labels ...string) *team {
	t.Helper()
	m := &team{t: t, org: "acme", ns: fmt.Sprintf("m-%d", teams.Add(1)), log: &said{t: t}}
	t.Cleanup(m.log.stop)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.ns, Labels: map[string]string{}}}
	for _, label := range labels {
		k, v, _ := strings.Cut(label, "=")
		ns.Labels[k] = v
	}
	_, err := it.Admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		now := int64(0)
		_ = it.Admin.CoreV1().Namespaces().Delete(context.Background(), m.ns, metav1.DeleteOptions{GracePeriodSeconds: &now})
		_ = it.Admin.CoreV1().Pods(m.ns).DeleteCollection(context.Background(), metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{})
	})
	m.admin, err = kube.Connect(it.Kubeconfig, "", m.ns, m.host())
	must(t, err)
	m.bind(form)
	return m
}

// bind applies the Role of a form and writes the kubeconfig file of the account that it is for.
func (m *team) bind(form kube.Form) {
	m.t.Helper()
	docs, err := kube.RBAC(m.org, m.ns, account, form)
	must(m.t, err)
	applied, err := m.admin.Apply(m.t.Context(), docs)
	must(m.t, err)
	if len(applied) != 3 {
		m.t.Fatalf("applied %v", applied)
	}
	token, err := it.Admin.CoreV1().ServiceAccounts(m.ns).CreateToken(m.t.Context(), account, tokenFor(time.Hour), metav1.CreateOptions{})
	must(m.t, err)
	m.kubeconfig = filepath.Join(m.t.TempDir(), "kubeconfig")
	must(m.t, it.WriteKubeconfig(m.kubeconfig, m.ns, &api.AuthInfo{Token: token.Status.Token}))
	m.jobs, err = kube.Connect(m.kubeconfig, "", "", m.host())
	must(m.t, err)
	m.await("the Role to be known", 20*time.Second, func() error { return m.reviewed(kube.Rights(form)) })
}

func tokenFor(d time.Duration) *authv1.TokenRequest {
	seconds := int64(d.Seconds())
	return &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
}

// reviewed says whether the jobs have these rights, of those that there are, and no other.
func (m *team) reviewed(want []kube.Right) error {
	answers, err := m.jobs.Review(m.t.Context(), kube.FormAdmin)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if granted := slices.ContainsFunc(want, func(r kube.Right) bool { return r.String() == a.Right.String() }); granted != a.Allowed {
			return fmt.Errorf("%s: %v", a.Right, a.Allowed)
		}
	}
	return nil
}

// without takes one right out of the Role, for as long as the test lasts.
func (m *team) without(t *testing.T, right kube.Right) {
	t.Helper()
	roles := it.Admin.RbacV1().Roles(m.ns)
	whole, err := roles.Get(t.Context(), kube.RoleName(kube.FormAdmin), metav1.GetOptions{})
	must(t, err)
	less := whole.DeepCopy()
	for i, rule := range less.Rules {
		if rule.APIGroups[0] == right.Group && rule.Resources[0] == right.Resource {
			less.Rules[i].Verbs = slices.DeleteFunc(rule.Verbs, func(verb string) bool { return verb == right.Verb })
		}
	}
	less.Rules = slices.DeleteFunc(less.Rules, func(r rbacRule) bool { return len(r.Verbs) == 0 })
	less, err = roles.Update(t.Context(), less, metav1.UpdateOptions{})
	must(t, err)
	rest := slices.DeleteFunc(kube.Rights(kube.FormAdmin), func(r kube.Right) bool { return r.String() == right.String() })
	m.await("the right to be gone", 20*time.Second, func() error { return m.reviewed(rest) })
	t.Cleanup(func() {
		whole.ResourceVersion = less.ResourceVersion
		_, err := roles.Update(context.Background(), whole, metav1.UpdateOptions{})
		must(t, err)
	})
}

func (m *team) host() driver.Host {
	return driver.Host{Env: func(string) string { return "" }, Log: m.log.say}
}

// options are those of the tests, and more: KEY=VALUE.
func (m *team) options(more ...string) map[string]string {
	o := map[string]string{"kubeconfig": m.kubeconfig, "org": m.org, "image": cluster.Image, "image-pull-policy": "Never",
		"host-users": "true", "timeout": "60s"}
	for _, pair := range more {
		k, v, _ := strings.Cut(pair, "=")
		o[k] = v
	}
	return o
}

// driver is one job's, not started.
func (m *team) driver(more ...string) *kube.Driver {
	m.t.Helper()
	d, err := kube.New(m.options(more...), m.host())
	must(m.t, err)
	return d
}

// started is one job's driver, which the test's end closes.
func (m *team) started(t *testing.T, more ...string) *kube.Driver {
	t.Helper()
	d := m.driver(more...)
	t.Cleanup(func() { must(t, d.Close(context.Background())) })
	must(t, d.Start(t.Context()))
	return d
}

// pods are the builders' pods, as an administrator sees them.
func (m *team) pods() []corev1.Pod {
	m.t.Helper()
	list, err := it.Admin.CoreV1().Pods(m.ns).List(m.t.Context(), metav1.ListOptions{LabelSelector: kube.Selector()})
	must(m.t, err)
	return list.Items
}

// await asks until check returns nil.
func (m *team) await(what string, most time.Duration, check func() error) {
	m.t.Helper()
	var err error
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	m.t.Fatalf("waited %s in vain for %s: %v", most, what, err)
}

// annotate sets annotations of a builder's Deployment.
func (m *team) annotate(name string, annotations map[string]string) {
	m.t.Helper()
	deployments := it.Admin.AppsV1().Deployments(m.ns)
	m.await("annotating "+name, 10*time.Second, func() error {
		d, err := deployments.Get(m.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		maps.Copy(d.Annotations, annotations)
		_, err = deployments.Update(m.t.Context(), d, metav1.UpdateOptions{})
		return err
	})
}

// told is an error with what the driver says besides, as a user sees it.
func told(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%v\nhint: %s", err, cmp.Or(driver.HintOf(err), "none"))
}

func isForbidden(err error, right kube.Right) bool {
	var f *kube.ForbiddenError
	return errors.As(err, &f) && f.Verb == right.Verb && f.Resource == right.Name()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(told(err))
	}
}

// said keeps what a driver says, and puts it into the test's log while that lasts.
type said struct {
	mu   sync.Mutex
	t    *testing.T
	text strings.Builder
	over bool
}

func (s *said) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text.WriteString(line + "\n"); !s.over {
		s.t.Log(line)
	}
}

// Write takes a build's progress.
func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *said) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}
