package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"
)

// RepoEntry is a chart repository in Helm's repositories.yaml.
type RepoEntry struct {
	Name                  string `json:"name"`
	URL                   string `json:"url"`
	Username              string `json:"username"`
	Password              string `json:"password"`
	CertFile              string `json:"certFile"`
	KeyFile               string `json:"keyFile"`
	CAFile                string `json:"caFile"`
	InsecureSkipTLSVerify bool   `json:"insecure_skip_tls_verify"`
	PassCredentialsAll    bool   `json:"pass_credentials_all"`
}

// String names the repository, without its credentials, so that printing an entry
// by mistake reveals nothing.
func (e RepoEntry) String() string { return fmt.Sprintf("%s (%s)", e.Name, showRepo(e.URL)) }

// GoString is String.
func (e RepoEntry) GoString() string { return e.String() }

// repoFile is Helm's repositories.yaml, read when first needed.
type repoFile struct {
	path    string
	once    sync.Once
	entries []RepoEntry
	err     error
}

func (f *repoFile) load() ([]RepoEntry, error) {
	f.once.Do(func() {
		if f.path == "" {
			return
		}
		data, err := readBounded(f.path, maxConfigFile)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err == nil {
			f.entries, err = parseRepositories(data)
		}
		if err != nil {
			f.err = fmt.Errorf("reading Helm's repositories file %q: %w", f.path, err)
		}
	})
	return f.entries, f.err
}

// parseRepositories reads a repositories.yaml. The text of a YAML error may quote
// the file, which holds passwords, so only its first line's position is kept.
func parseRepositories(data []byte) ([]RepoEntry, error) {
	var file struct {
		Repositories []*RepoEntry `json:"repositories"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, errors.New("it is not a repositories file in Helm's form")
	}
	var entries []RepoEntry
	for _, e := range file.Repositories {
		if e != nil {
			entries = append(entries, *e)
		}
	}
	return entries, nil
}

// RepoByName finds the repository that a dependency calls "@name" or
// "alias:name"; both forms and the bare name are understood. It is an error if
// Helm's repositories file cannot be read, or has the name without a URL.
func (c *Client) RepoByName(name string) (RepoEntry, bool, error) {
	bare, _ := TrimAlias(name)
	entries, err := c.repos.load()
	if err != nil {
		return RepoEntry{}, false, err
	}
	for _, e := range entries {
		if e.Name != bare {
			continue
		}
		if e.URL == "" {
			return RepoEntry{}, false, fmt.Errorf("reading Helm's repositories file %q: repository %q has no URL", c.repos.path, bare)
		}
		return e, true, nil
	}
	return RepoEntry{}, false, nil
}

// TrimAlias is the name behind "@name" or "alias:name"; false if the repository of
// a dependency is not such a name.
func TrimAlias(repository string) (string, bool) {
	for _, prefix := range []string{"@", "alias:"} {
		if name, ok := strings.CutPrefix(repository, prefix); ok {
			return name, true
		}
	}
	return repository, false
}

// entryFor is the entry for a repository's URL. One that is not known has no
// credentials but those in the URL itself.
func (c *Client) entryFor(repoURL *url.URL) (RepoEntry, error) {
	entries, err := c.repos.load()
	if err != nil {
		return RepoEntry{}, err
	}
	entry := RepoEntry{URL: repoURL.String()}
	for _, e := range entries {
		if u, err := url.Parse(e.URL); err == nil && sameRepo(u, repoURL) {
			entry = e
			entry.URL = repoURL.String()
			break
		}
	}
	if user := repoURL.User; user != nil {
		entry.Username = user.Username()
		entry.Password, _ = user.Password()
	}
	return entry, nil
}

// sameRepo compares URLs as Helm does, and does not mind the case of the host or
// a port that the scheme implies. A user in the URL makes no difference.
func sameRepo(a, b *url.URL) bool {
	clean := func(p string) string { return path.Clean("/" + p) }
	return sameOrigin(a, b) && clean(a.Path) == clean(b.Path) && a.RawQuery == b.RawQuery
}

// showRepo is a repository's URL fit to be shown.
func showRepo(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "a URL that cannot be read"
	}
	return showURL(u)
}
