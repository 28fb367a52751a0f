package buildkit

import (
	"context"

	"github.com/docker/cli/cli/config/types"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
)

// Credential is what a registry is logged in to with. The zero value is none.
type Credential struct{ Username, Password, IdentityToken, RegistryToken string }

// credentials hands the daemon the credential of a registry when it asks for it: the
// one host that it is for, and over the build's own connection only.
func (r *Run) credentials() session.Attachable {
	return authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		AuthConfigProvider: func(ctx context.Context, host string, _ []string, _ authprovider.ExpireCachedAuthCheck) (types.AuthConfig, error) {
			if host == authprovider.DockerHubRegistryHost {
				host = "docker.io"
			}
			if r.Credentials == nil {
				return types.AuthConfig{}, nil
			}
			c := r.Credentials(ctx, host)
			return types.AuthConfig{ServerAddress: host, Username: c.Username, Password: c.Password,
				IdentityToken: c.IdentityToken, RegistryToken: c.RegistryToken}, nil
		},
	})
}
