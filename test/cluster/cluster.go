//go:build e2e_kubernetes && linux

package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Cluster is a Kubernetes that runs for as long as this process.
type Cluster struct {
	Dir        string                // everything that is the cluster's: log/ has what its parts say
	Server     string                // the API server's URL
	CA         []byte                // the certificate that the API server is known by, PEM
	Kubeconfig string                // a file, of an administrator
	Config     *rest.Config          // the same
	Admin      *kubernetes.Clientset // the same

	pki *authority
}

// Image is the reference of the rootless BuildKit that the node has. PullPolicy has to be Never.
const Image = "localhost/buildkit:rootless"

const pauseImage = "localhost/pause:1"

// startTimeout is for all parts together; it takes some ten seconds.
const startTimeout = 3 * time.Minute

func programs() []string {
	return []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet",
		"containerd", "containerd-shim-runc-v2", "ctr", "bridge", "loopback", "host-local", "buildkitd", "buildctl", "rootlesskit"}
}

func start(dir string) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c := &Cluster{Dir: dir, Server: "https://127.0.0.1:6443"}
	for _, step := range []func(context.Context) error{
		func(context.Context) error { return settle() },
		c.identities, c.startControlPlane, c.startContainerd, c.loadImages, c.startKubelet,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// identities makes keys and the kubeconfig files of the cluster's parts.
func (c *Cluster) identities(context.Context) error {
	pki, err := newAuthority(filepath.Join(c.Dir, "pki"))
	if err != nil {
		return err
	}
	c.pki = pki
	for _, err := range []error{
		pki.issue("apiserver", "kube-apiserver", nil, "127.0.0.1", nodeAddress, "10.96.0.1", "localhost", "kubernetes.default.svc"),
		pki.issue("admin", "admin", []string{"system:masters"}),
		pki.issue("kubelet", "system:node:node", []string{"system:nodes"}, nodeAddress, "127.0.0.1", "node"),
		pki.issue("accounts", "accounts", nil), // signs the tokens of service accounts
	} {
		if err != nil {
			return err
		}
	}
	if c.CA, err = os.ReadFile(pki.path("ca.crt")); err != nil {
		return err
	}
	c.Kubeconfig = filepath.Join(c.Dir, "admin.kubeconfig")
	for file, user := range map[string]string{c.Kubeconfig: "admin", filepath.Join(c.Dir, "kubelet.kubeconfig"): "kubelet"} {
		err := c.WriteKubeconfig(file, "default", &api.AuthInfo{ClientCertificate: pki.path(user + ".crt"), ClientKey: pki.path(user + ".key")})
		if err != nil {
			return err
		}
	}
	if c.Config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		return err
	}
	c.Config.QPS, c.Config.Burst = 100, 200
	c.Admin, err = kubernetes.NewForConfig(c.Config)
	return err
}

// WriteKubeconfig writes a kubeconfig file for a user.
func (c *Cluster) WriteKubeconfig(file, namespace string, user *api.AuthInfo) error {
	config := api.NewConfig()
	config.Clusters["test"] = &api.Cluster{Server: c.Server, CertificateAuthorityData: c.CA}
	config.AuthInfos["user"] = user
	config.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: "user", Namespace: namespace}
	config.CurrentContext = "test"
	return clientcmd.WriteToFile(*config, file)
}

func (c *Cluster) startControlPlane(ctx context.Context) error {
	const store = "http://127.0.0.1:2379"
	if _, err := c.run("etcd", "etcd", "--data-dir", filepath.Join(c.Dir, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls", store, "--advertise-client-urls", store, "--listen-peer-urls", "http://127.0.0.1:2380"); err != nil {
		return err
	}
	pki := c.pki
	apiserver, err := c.run("apiserver", "kube-apiserver",
		"--etcd-servers", store, "--bind-address", "0.0.0.0", "--secure-port", "6443", "--advertise-address", nodeAddress,
		"--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.96.0.0/16",
		"--authorization-mode", "Node,RBAC", "--client-ca-file", pki.path("ca.crt"),
		"--tls-cert-file", pki.path("apiserver.crt"), "--tls-private-key-file", pki.path("apiserver.key"),
		"--kubelet-certificate-authority", pki.path("ca.crt"), "--kubelet-preferred-address-types", "InternalIP",
		"--kubelet-client-certificate", pki.path("admin.crt"), "--kubelet-client-key", pki.path("admin.key"),
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", pki.path("accounts.key"),
		"--service-account-signing-key-file", pki.path("accounts.key"))
	if err != nil {
		return err
	}
	if err := apiserver.await(ctx, func(ctx context.Context) error {
		_, err := c.Admin.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	}); err != nil {
		return err
	}
	if _, err := c.run("controllers", "kube-controller-manager", "--kubeconfig", c.Kubeconfig, "--leader-elect=false",
		"--use-service-account-credentials", "--service-account-private-key-file", pki.path("accounts.key"), "--root-ca-file", pki.path("ca.crt"),
		"--allocate-node-cidrs", "--cluster-cidr", "10.244.0.0/16"); err != nil {
		return err
	}
	_, err = c.run("scheduler", "kube-scheduler", "--kubeconfig", c.Kubeconfig, "--leader-elect=false")
	return err
}

func (c *Cluster) startKubelet(ctx context.Context) error {
	config := filepath.Join(c.Dir, "kubelet.yaml")
	if err := os.WriteFile(config, []byte(c.kubeletConfig()), 0o600); err != nil {
		return err
	}
	kubelet, err := c.run("kubelet", "kubelet", "--config", config, "--kubeconfig", filepath.Join(c.Dir, "kubelet.kubeconfig"),
		"--hostname-override", "node", "--node-ip", nodeAddress, "--root-dir", filepath.Join(c.Dir, "kubelet"))
	if err != nil {
		return err
	}
	return kubelet.await(ctx, func(ctx context.Context) error {
		node, err := c.Admin.CoreV1().Nodes().Get(ctx, "node", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, cond := range node.Status.Conditions {
			if cond.Type == corev1.NodeReady && cond.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("the node is not ready: %+v", node.Status.Conditions)
	})
}
