package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	appsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	connectTimeout = 10 * time.Second // until the API server has taken a connection
	requestTimeout = 30 * time.Second // until it has answered; streams have bounds of their own
)

// serviceAccount is where a pod finds what its service account may be known by.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// Client is the way to one namespace behind one API server.
type Client struct {
	Namespace string
	Server    string // the API server's URL

	apps   appsv1.AppsV1Interface
	core   corev1.CoreV1Interface
	config *rest.Config
}

// Connect finds the API server: in the kubeconfig file named, in those of the variable
// KUBECONFIG or ~/.kube/config, else, in a pod, by its service account. Empty arguments are
// the file's own context and namespace. Nothing is asked of the server yet.
func Connect(kubeconfig, kubecontext, namespace string, host driver.Host) (*Client, error) {
	config, ns, err := restConfig(kubeconfig, kubecontext, host.Env)
	if err != nil {
		return nil, err
	}
	if namespace != "" {
		ns = namespace
	}
	config.UserAgent = "chartgate"
	config.Timeout = requestTimeout
	config.QPS, config.Burst = 50, 100
	config.Dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	config.WarningHandlerWithContext = &warnings{log: host.Log}
	return newClient(config, ns)
}

func newClient(config *rest.Config, namespace string) (*Client, error) {
	c := &Client{Namespace: namespace, Server: config.Host, config: config}
	var err error
	if c.apps, err = appsv1.NewForConfig(config); err == nil {
		c.core, err = corev1.NewForConfig(config)
	}
	if err != nil {
		return nil, &driver.Error{Op: fmt.Sprintf("preparing to ask the API server %q", config.Host), Err: err,
			Hint: "look at the kubeconfig file: kubectl config view --minify"}
	}
	return c, nil
}

// restConfig is how to reach and convince the API server, and the namespace that goes with it.
func restConfig(kubeconfig, kubecontext string, env func(string) string) (*rest.Config, string, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}
	if kubeconfig == "" {
		if list := env("KUBECONFIG"); list != "" {
			rules.Precedence = filepath.SplitList(list)
		} else if home := env("HOME"); home != "" {
			rules.Precedence = []string{filepath.Join(home, ".kube", "config")}
		}
	}
	raw, err := rules.Load()
	if err != nil {
		return nil, "", &driver.Error{Op: "reading the kubeconfig file", Err: err, Hint: "name another with the option kubeconfig or the variable KUBECONFIG"}
	}
	if len(raw.Clusters) == 0 && kubeconfig == "" && kubecontext == "" {
		if config, ns, err := inCluster(env); err == nil || !errors.Is(err, errNotInCluster) {
			return config, ns, err
		}
		return nil, "", &driver.Error{Op: "looking for a Kubernetes cluster", Err: errors.New("there is no kubeconfig file, and this is no pod with a service account"),
			Hint: "set KUBECONFIG or the option kubeconfig, or give the job's pod a service account whose token is mounted"}
	}
	clients := clientcmd.NewNonInteractiveClientConfig(*raw, kubecontext, &clientcmd.ConfigOverrides{}, rules)
	config, err := clients.ClientConfig()
	if err != nil {
		hint := "look at the kubeconfig file: kubectl config view"
		if kubecontext != "" || raw.CurrentContext == "" {
			hint = "name one of its contexts with the option context: kubectl config get-contexts"
		}
		return nil, "", &driver.Error{Op: "reading the kubeconfig file", Err: err, Hint: hint}
	}
	ns, _, err := clients.Namespace()
	return config, ns, err
}

var errNotInCluster = errors.New("not in a pod")

func inCluster(env func(string) string) (*rest.Config, string, error) {
	host, port := env("KUBERNETES_SERVICE_HOST"), env("KUBERNETES_SERVICE_PORT")
	tokenFile := filepath.Join(serviceAccount, "token")
	if _, err := os.Stat(tokenFile); host == "" || port == "" || err != nil {
		return nil, "", errNotInCluster
	}
	ns := "default"
	if b, err := os.ReadFile(filepath.Join(serviceAccount, "namespace")); err == nil {
		ns = strings.TrimSpace(string(b))
	}
	return &rest.Config{Host: "https://" + net.JoinHostPort(host, port), BearerTokenFile: tokenFile,
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(serviceAccount, "ca.crt")}}, ns, nil
}

// warnings passes on what the API server warns of, such as pods that a stricter Pod Security
// level would refuse.
type warnings struct {
	log  func(string)
	mu   sync.Mutex
	said map[string]bool
}

// maxWarnings bounds how many different ones are passed on.
const maxWarnings = 20

func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if code != 299 || text == "" || w.said[text] || len(w.said) >= maxWarnings {
		return
	}
	if w.said == nil {
		w.said = map[string]bool{}
	}
	w.said[text] = true
	w.log("the API server warns: " + foreign(text))
}
