//go:build e2e_kubernetes && linux

package cluster

import (
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var it *Cluster

func TestMain(m *testing.M) { os.Exit(Run(m, func(c *Cluster) { it = c })) }

// TestCluster: the parts are of one version, and nothing of the machine around is seen.
func TestCluster(t *testing.T) {
	server, err := it.Admin.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := it.Admin.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes.Items) != 1 || nodes.Items[0].Status.NodeInfo.KubeletVersion != server.GitVersion {
		t.Errorf("server %s, nodes %v", server.GitVersion, nodes.Items)
	}
	if os.Getpid() != 1 {
		t.Errorf("this is process %d, and not the first of its own namespace", os.Getpid())
	}
}
