package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

const (
	maxConfigFile = 8 << 20
	helperTime    = 20 * time.Second
)

// keySource is one place where a registry's credential may stand.
type keySource struct {
	name string // for people
	get  func(ctx context.Context, host string) (auth.Credential, string, error)
}

// keyring looks credentials up, in the order of its sources; the first that has
// one for the host wins. A source that cannot be read is passed over and named in
// the hint of the refusal that follows.
type keyring struct {
	sources []keySource
	mu      sync.Mutex
	byHost  map[string]*keyCall
}

type keyCall struct {
	once   sync.Once
	cred   auth.Credential
	report []string
}

func newKeyring(env func(string) string) *keyring {
	return &keyring{byHost: map[string]*keyCall{}, sources: []keySource{
		{"CI_REGISTRY_USER and CI_REGISTRY_PASSWORD", gitlabJob(env)},
		{"DOCKER_AUTH_CONFIG", dockerEnv(env)},
		{"Helm's " + show(helmRegistryConfig(env)), dockerFile(helmRegistryConfig(env))},
		{"Docker's " + show(dockerConfig(env)), dockerFile(dockerConfig(env))},
	}}
}

// credential is the one for host:port, empty if no source has any.
func (k *keyring) credential(ctx context.Context, host string) auth.Credential {
	cred, _ := k.lookup(ctx, host)
	return cred
}

// lookup also tells what each source said, without secrets, for a hint.
func (k *keyring) lookup(ctx context.Context, host string) (auth.Credential, []string) {
	host = strings.ToLower(host)
	k.mu.Lock()
	call := k.byHost[host]
	if call == nil {
		call = &keyCall{}
		k.byHost[host] = call
	}
	k.mu.Unlock()
	call.once.Do(func() { call.cred, call.report = k.search(context.WithoutCancel(ctx), host) })
	return call.cred, call.report
}

func (k *keyring) search(ctx context.Context, host string) (auth.Credential, []string) {
	ctx, cancel := context.WithTimeout(ctx, helperTime)
	defer cancel()
	var report []string
	for _, s := range k.sources {
		cred, said, err := s.get(ctx, host)
		if err != nil {
			said = err.Error()
		}
		if cred != auth.EmptyCredential {
			return cred, append(report, s.name+" (used)")
		}
		if said != "" {
			report = append(report, s.name+" ("+said+")")
		}
	}
	return auth.EmptyCredential, report
}

// gitlabJob is the job's own credential, which is for the registry of its GitLab
// and for no other host.
func gitlabJob(env func(string) string) func(context.Context, string) (auth.Credential, string, error) {
	return func(_ context.Context, host string) (auth.Credential, string, error) {
		user, password, registry := env("CI_REGISTRY_USER"), env("CI_REGISTRY_PASSWORD"), env("CI_REGISTRY")
		switch {
		case user == "" || password == "":
			return auth.EmptyCredential, "not set", nil
		case registry == "":
			return auth.EmptyCredential, "not used: CI_REGISTRY is not set", nil
		case !sameHost(host, registry):
			return auth.EmptyCredential, "only for " + foreign(registry), nil
		}
		return auth.Credential{Username: user, Password: password}, "", nil
	}
}

func dockerEnv(env func(string) string) func(context.Context, string) (auth.Credential, string, error) {
	return func(ctx context.Context, host string) (auth.Credential, string, error) {
		text := env("DOCKER_AUTH_CONFIG")
		if text == "" {
			return auth.EmptyCredential, "not set", nil
		}
		return fromDockerConfig(ctx, []byte(text), host)
	}
}

func dockerFile(path string) func(context.Context, string) (auth.Credential, string, error) {
	return func(ctx context.Context, host string) (auth.Credential, string, error) {
		if path == "" {
			return auth.EmptyCredential, "", nil
		}
		data, err := readBounded(path, maxConfigFile)
		if errors.Is(err, fs.ErrNotExist) {
			return auth.EmptyCredential, "no such file", nil
		}
		if err != nil {
			return auth.EmptyCredential, "", errors.New("cannot be read")
		}
		return fromDockerConfig(ctx, data, host)
	}
}

// fromDockerConfig looks a host up in a configuration of Docker's form: a helper
// for that host, else the general helper, else the entries themselves. Nothing of
// the configuration's content is repeated in errors.
func fromDockerConfig(ctx context.Context, data []byte, host string) (auth.Credential, string, error) {
	conf, err := parseDockerConfig(data)
	if err != nil {
		return auth.EmptyCredential, "", err
	}
	none := "no entry for " + host
	helper := conf.helper(host)
	if helper == "" {
		cred, found, err := conf.entry(host)
		if err != nil || found {
			return cred, "", err
		}
		return auth.EmptyCredential, none, nil
	}
	if !helperName.MatchString(helper) {
		return auth.EmptyCredential, "", errors.New("names a credential helper whose name cannot be one")
	}
	cred, err := credentials.NewNativeStore(helper).Get(ctx, credentials.ServerAddressFromRegistry(host))
	if err != nil { // its text may hold what the helper printed
		return auth.EmptyCredential, "", fmt.Errorf("docker-credential-%s failed", helper)
	}
	if cred != auth.EmptyCredential {
		return cred, "", nil
	}
	if cred, found, err := conf.entry(host); err == nil && found {
		return cred, "", nil
	}
	return auth.EmptyCredential, fmt.Sprintf("docker-credential-%s has none for %s", helper, host), nil
}

var helperName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func helmRegistryConfig(env func(string) string) string {
	return helmFile(env, "HELM_REGISTRY_CONFIG", "registry/config.json")
}

// repositoriesPath is where Helm keeps the chart repositories that it knows.
func repositoriesPath(env func(string) string) string {
	return helmFile(env, "HELM_REPOSITORY_CONFIG", "repositories.yaml")
}

// helmFile finds a file as Helm does: its own variable, Helm's home of
// configuration, the XDG one, the system's default.
func helmFile(env func(string) string, variable, rel string) string {
	if path := env(variable); path != "" {
		return path
	}
	if home := env("HELM_CONFIG_HOME"); home != "" {
		return filepath.Join(home, rel)
	}
	base := env("XDG_CONFIG_HOME")
	if base == "" {
		base = configHome(env)
	}
	if base == "" {
		return ""
	}
	return filepath.Join(base, "helm", rel)
}

func configHome(env func(string) string) string {
	home := env("HOME")
	switch {
	case runtime.GOOS == "windows":
		return env("APPDATA")
	case home == "":
		return ""
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Preferences")
	}
	return filepath.Join(home, ".config")
}

func dockerConfig(env func(string) string) string {
	if dir := env("DOCKER_CONFIG"); dir != "" {
		return filepath.Join(dir, "config.json")
	}
	home := env("HOME")
	if runtime.GOOS == "windows" {
		home = env("USERPROFILE")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".docker", "config.json")
}

// show is a path for people, with the home folder shortened.
func show(path string) string {
	if home, err := os.UserHomeDir(); err == nil && home != "/" {
		if rel, ok := strings.CutPrefix(path, home+string(filepath.Separator)); ok {
			return "~" + string(filepath.Separator) + rel
		}
	}
	if path == "" {
		return "configuration"
	}
	return path
}
