package registry

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// dockerHosts are the names of one and the same registry.
var dockerHosts = []string{"docker.io", "index.docker.io", "registry-1.docker.io"}

// dockerConf is what matters here of Docker's config.json.
type dockerConf struct {
	Auths       map[string]dockerEntry `json:"auths"`
	CredsStore  string                 `json:"credsStore"`
	CredHelpers map[string]string      `json:"credHelpers"`
}

type dockerEntry struct {
	Auth          string `json:"auth"`
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

func parseDockerConfig(data []byte) (dockerConf, error) {
	var conf dockerConf
	if len(strings.TrimSpace(string(data))) == 0 {
		return conf, nil
	}
	if err := json.Unmarshal(data, &conf); err != nil {
		return conf, errors.New("is not a configuration in Docker's form: malformed JSON")
	}
	return conf, nil
}

// helper is the suffix of the credential helper for a host, "" if there is none.
func (c dockerConf) helper(host string) string {
	for _, name := range names(host) {
		if h := c.CredHelpers[name]; h != "" {
			return h
		}
	}
	return c.CredsStore
}

// entry is the credential that stands in the configuration itself. An entry
// written exactly as the host wins over one that names a URL at that host.
func (c dockerConf) entry(host string) (auth.Credential, bool, error) {
	wanted := names(host)
	for _, name := range wanted {
		if e, ok := c.Auths[name]; ok {
			return e.credential()
		}
	}
	var keys []string
	for key := range c.Auths {
		if slices.ContainsFunc(wanted, func(n string) bool { return sameHost(entryHost(key), n) }) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return auth.EmptyCredential, false, nil
	}
	return c.Auths[slices.Min(keys)].credential()
}

func (e dockerEntry) credential() (auth.Credential, bool, error) {
	cred := auth.Credential{Username: e.Username, Password: e.Password, RefreshToken: e.IdentityToken, AccessToken: e.RegistryToken}
	if e.Auth != "" {
		plain, err := base64.StdEncoding.DecodeString(e.Auth)
		user, password, ok := strings.Cut(string(plain), ":")
		if err != nil || !ok {
			return auth.EmptyCredential, false, errors.New(`has an entry whose "auth" is not base64 of user:password`)
		}
		cred.Username, cred.Password = user, strings.TrimRight(password, "\x00")
	}
	return cred, cred != auth.EmptyCredential, nil
}

// names are the keys under which a host's credential may be filed.
func names(host string) []string {
	if slices.Contains(dockerHosts, host) {
		return append([]string{credentials.ServerAddressFromRegistry("docker.io")}, dockerHosts...)
	}
	return []string{host}
}

// entryHost is the host of a key such as https://registry.example.com/v2/.
func entryHost(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, _, _ := strings.Cut(key, "/")
	return host
}
