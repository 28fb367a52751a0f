package deps

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chartgate/chartgate/internal/registry"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// errOutOfStep is in the chain of errors about a lock that does not fit Chart.yaml.
var errOutOfStep = errors.New("the lock is out of step")

// lockDigest is the digest that Helm 3 writes into a lock: over Chart.yaml's dependencies, names of repositories replaced by their URLs, and the lock's.
func lockDigest(req, locked []*helmchart.Dependency) (string, error) {
	return jsonDigest([2][]*helmchart.Dependency{req, locked})
}

// legacyDigest is the digest that Helm 2 wrote into a requirements.lock: over the requirements as they are written.
func legacyDigest(req []*helmchart.Dependency) (string, error) {
	return jsonDigest(map[string][]*helmchart.Dependency{"dependencies": req})
}

func jsonDigest(v any) (string, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// checkLock fails if the lock was not made from these dependencies. resolved are the dependencies after names of repositories were replaced.
func checkLock(md *helmchart.Metadata, resolved []*helmchart.Dependency, lock *helmchart.Lock) error {
	for i, d := range lock.Dependencies {
		if d == nil {
			return fmt.Errorf("entry %d of the lock is empty: %w", i, errOutOfStep)
		}
	}
	if sum, err := lockDigest(resolved, lock.Dependencies); err == nil && sum == lock.Digest {
		return nil
	}
	file, from := lockFiles(md)
	if md.APIVersion == helmchart.APIVersionV1 {
		if sum, err := legacyDigest(md.Dependencies); err == nil && sum == lock.Digest {
			return nil
		}
	}
	return &outOfStepError{lock: file, from: from}
}

// outOfStepError speaks with Helm's words.
type outOfStepError struct{ lock, from string }

func (e *outOfStepError) Error() string {
	return fmt.Sprintf("the lock file (%s) is out of sync with the dependencies file (%s)", e.lock, e.from)
}

func (e *outOfStepError) Is(target error) bool { return target == errOutOfStep }

// lockFiles are the names of a chart's lock and of the file that it locks.
func lockFiles(md *helmchart.Metadata) (lock, from string) {
	if md.APIVersion == helmchart.APIVersionV1 {
		return "requirements.lock", "requirements.yaml"
	}
	return "Chart.lock", "Chart.yaml"
}

// withURLs copies dependencies with "@name" and "alias:name" replaced by the URLs that Helm's repositories.yaml has for them. A name that it does not
// have stays, its index is in missing.
func (r *Resolver) withURLs(deps []*helmchart.Dependency) (out []*helmchart.Dependency, missing map[int]error) {
	out = make([]*helmchart.Dependency, len(deps))
	if deps == nil {
		out = nil // Helm's digest tells null from an empty list
	}
	missing = map[int]error{}
	for i, d := range deps {
		if d == nil {
			continue
		}
		c := *d
		out[i] = &c
		name, ok := registry.TrimAlias(d.Repository)
		if !ok {
			continue
		}
		url, err := r.repositoryURL(name, d.Repository)
		if err != nil {
			missing[i] = err
			continue
		}
		c.Repository = url
	}
	return out, missing
}

// repositoryURL is the URL of a repository that was added with `helm repo add`.
func (r *Resolver) repositoryURL(name, written string) (string, error) {
	if r.opt.Registry == nil {
		return "", errors.New("there is no client for repositories")
	}
	entry, ok, err := r.opt.Registry.RepoByName(name)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", &fault{kind: KindLocation, field: "repository", err: fmt.Errorf("no repository definition for %q", written),
			hint: fmt.Sprintf("add it with `helm repo add %s URL`, or write its URL into Chart.yaml", shellWord(name))}
	}
	return entry.URL, nil
}

// shellWord quotes a name for a line to paste.
func shellWord(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./", r))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
