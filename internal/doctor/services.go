package doctor

import (
	"context"

	"github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	"github.com/chartgate/chartgate/internal/registry"
)

// Services are what a build needs beyond its machine.
type Services struct {
	// Cluster checks the options of the Kubernetes driver and finds the API server; it asks it
	// nothing yet.
	Cluster func() (*kubernetes.Client, error)
	Org     string // whom builders in the cluster serve; may be empty
	// Remote checks the options of the remote driver and has the daemon say who it is.
	Remote func(context.Context) error

	Registry   *registry.Client
	References []registry.Reference // repositories that are pushed to
	Repository string               // the folder of the repository
}
