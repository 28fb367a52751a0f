package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/chartgate/chartgate/internal/git"
	"github.com/chartgate/chartgate/internal/registry"
)

func registries(ctx context.Context, m *Machine) Result {
	if len(m.References) == 0 {
		return skipped("neither the configuration nor CI_REGISTRY_IMAGE names one")
	}
	var (
		fine, bad, details []string
		fixes              []Fix
	)
	for _, ref := range m.References {
		asked := ref
		if asked.Tag == "" {
			asked.Tag = "latest"
		}
		_, err := m.Registry.Resolve(ctx, asked)
		login := m.Registry.Credential(ctx, ref.Host)
		known := login.Username != "" || login.RefreshToken != "" || login.AccessToken != ""
		switch {
		case err != nil && !errors.Is(err, registry.ErrNotFound):
			bad = append(bad, ref.Host)
			details = append(details, err.Error())
			if hint := registry.HintOf(err); hint != "" {
				fixes = append(fixes, Fix{"what to do", []string{hint}})
			}
			if errors.Is(err, registry.ErrDenied) {
				fixes = append(fixes, m.login(ref.Host))
			}
		case !known:
			fine = append(fine, ref.Host+" without a login")
		default:
			fine = append(fine, ref.Host+" with a login")
		}
	}
	if len(bad) == 0 {
		return ok("read access to %s", strings.Join(fine, ", "))
	}
	r := warning("no access to %s: builds work, pushing does not", strings.Join(bad, ", "))
	if m.Env("CI") == "true" {
		r = problem("no access to %s", strings.Join(bad, ", "))
	}
	return r.because("%s", strings.Join(details, "\n")).mend(fixes...)
}

// login is how a registry is logged in to.
func (m *Machine) login(host string) Fix {
	if m.Env("GITLAB_CI") == "true" {
		return Fix{"the CI/CD variables of the project or group, masked, as a file or a variable DOCKER_AUTH_CONFIG (the job's own token is for $CI_REGISTRY alone)",
			[]string{fmt.Sprintf(`{"auths": {%q: {"auth": "BASE64 OF USER:TOKEN"}}}`, host)}}
	}
	return Fix{"a shell of the user who builds", []string{"docker login " + host, "# or: helm registry login " + host}}
}

func clone(ctx context.Context, m *Machine) Result {
	repo, err := git.Open(ctx, m.Repository)
	switch {
	case errors.Is(err, git.ErrNotRepository):
		return warning("this is no git repository: images are not reproducible, and nothing can be compared")
	case err != nil:
		return warning("%v", err).mend(m.asRoot("apt-get install git"))
	}
	_, how, err := git.Base(ctx, repo, m.Env)
	var missing *git.NoBaseError
	switch {
	case errors.As(err, &missing):
		r := warning("%v", err).because("--changed-since and version-check need it")
		if m.Env("GITLAB_CI") == "true" {
			return r.mend(Fix{".gitlab-ci.yml", []string{"variables:", `  GIT_DEPTH: "0"`}})
		}
		return r.mend(Fix{"the repository", []string{missing.Hint}})
	case errors.Is(err, git.ErrNoParent):
		return ok("there is nothing to compare with: no earlier commit")
	case err != nil:
		return warning("%v", err)
	}
	if shallow, err := repo.IsShallow(ctx); err == nil && shallow {
		return ok("it is shallow, and deep enough: compared with %s", how)
	}
	return ok("it is complete: compared with %s", how)
}
