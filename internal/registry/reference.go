package registry

import (
	_ "crypto/sha256" // the algorithms of digests
	_ "crypto/sha512"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	orasregistry "oras.land/oras-go/v2/registry"
)

// Scheme is the prefix of a reference to an OCI registry.
const Scheme = "oci://"

const (
	maxReference  = 2048 // bytes of a whole reference
	maxRepository = 255  // bytes of a repository's name, as registries limit it
)

var (
	hostnamePattern   = regexp.MustCompile(`^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?$`)
	repositoryPattern = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

// Reference names a registry, a repository in it, or a manifest in that
// repository. The zero value names nothing.
type Reference struct {
	Host       string        // host or host:port, as written
	Repository string        // path without leading or trailing slash; "" names the registry
	Tag        string        // "" if there is none; never contains '+'
	Digest     digest.Digest // "" if there is none; wins over Tag when reading
}

// IsOCI reports whether a repository URL is one of an OCI registry.
func IsOCI(url string) bool { return strings.HasPrefix(url, Scheme) }

// ParseReference reads oci://host[:port][/path][:tag][@digest]. The scheme may be
// left out where the host cannot be mistaken for a path (it has a dot or a port,
// or is localhost). A tag may be written as a version: '+' becomes '_'.
func ParseReference(s string) (Reference, error) {
	ref, err := parseReference(s)
	if err != nil {
		return Reference{}, fmt.Errorf("parsing reference %q: %w", redactReference(s), err)
	}
	return ref, nil
}

func parseReference(s string) (Reference, error) {
	if len(s) > maxReference {
		return Reference{}, fmt.Errorf("longer than %d bytes", maxReference)
	}
	rest, hasScheme := strings.CutPrefix(s, Scheme)
	if scheme, _, found := strings.Cut(rest, "://"); found && !strings.Contains(scheme, "/") {
		return Reference{}, fmt.Errorf("the scheme is %q, not %q", scheme+"://", Scheme)
	}
	host, path, _ := strings.Cut(rest, "/")
	if strings.Contains(host, "@") {
		return Reference{}, errors.New("a user, password or digest where the host should be: log in to the registry instead")
	}
	if !hasScheme && !looksLikeHost(host) {
		return Reference{}, fmt.Errorf("%q is not the host of a registry: write %shost/path", host, Scheme)
	}
	if err := checkHost(host); err != nil {
		return Reference{}, err
	}
	return parsePath(Reference{Host: host}, path)
}

func parsePath(ref Reference, path string) (Reference, error) {
	path, dig, hasDigest := strings.Cut(path, "@")
	if hasDigest {
		d, err := digest.Parse(dig)
		if err != nil {
			return ref, fmt.Errorf("invalid digest %q: %w", dig, err)
		}
		ref.Digest = d
	}
	path, tag, hasTag := strings.Cut(path, ":")
	if hasTag {
		ref.Tag = TagOf(tag)
		if !tagPattern.MatchString(ref.Tag) {
			return ref, fmt.Errorf("invalid tag %q: letters, digits, '_', '.' and '-', at most 128, not starting with '.' or '-'", tag)
		}
	}
	ref.Repository = strings.TrimSuffix(path, "/")
	if ref.Repository == "" {
		if hasTag || hasDigest {
			return ref, errors.New("a tag or digest needs a repository before it")
		}
		return ref, nil
	}
	return ref, checkRepository(ref.Repository)
}

func looksLikeHost(host string) bool {
	return host == "localhost" || strings.ContainsAny(host, ".:")
}

func checkHost(host string) error {
	name, port := host, ""
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return fmt.Errorf("invalid host %q: no closing bracket", host)
		}
		if a, err := netip.ParseAddr(host[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return fmt.Errorf("invalid host %q: not an IPv6 address in brackets", host)
		}
		name, port = "", host[end+1:]
		if port != "" && port[0] != ':' {
			return fmt.Errorf("invalid host %q", host)
		}
		port = strings.TrimPrefix(port, ":")
		if port == "" {
			return emptyPort(host)
		}
	} else if i := strings.IndexByte(host, ':'); i >= 0 {
		name, port = host[:i], host[i+1:]
		if port == "" {
			return emptyPort(host)
		}
	}
	if name == "" && !strings.HasPrefix(host, "[") {
		return errors.New("the host of the registry is missing")
	}
	if name != "" && !hostnamePattern.MatchString(name) {
		return fmt.Errorf("invalid host %q", host)
	}
	return checkPort(host, port)
}

func emptyPort(host string) error {
	if strings.HasSuffix(host, ":") {
		return fmt.Errorf("invalid host %q: no port after ':'", host)
	}
	return nil
}

func checkPort(host, port string) error {
	if port == "" {
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '+' {
		return fmt.Errorf("invalid host %q: %q is not a port", host, port)
	}
	return nil
}

func checkRepository(name string) error {
	switch {
	case len(name) > maxRepository:
		return fmt.Errorf("invalid repository: longer than %d bytes", maxRepository)
	case repositoryPattern.MatchString(name):
		return nil
	case strings.ToLower(name) != name:
		return fmt.Errorf("invalid repository %q: names in a registry are lower case", name)
	}
	return fmt.Errorf("invalid repository %q: lower-case letters and digits, separated by '/', '.', '_' or '-'", name)
}

// redactReference keeps what stands before an '@' in the host out of messages,
// where somebody may have written a password.
func redactReference(s string) string {
	if len(s) > maxReference {
		s = s[:64] + "…"
	}
	rest, hasScheme := strings.CutPrefix(s, Scheme)
	prefix := ""
	if hasScheme {
		prefix = Scheme
	} else if i := strings.Index(rest, "://"); i >= 0 {
		prefix, rest = rest[:i+3], rest[i+3:]
	}
	host, path, found := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = "***" + host[i:]
	}
	if found {
		host += "/"
	}
	return prefix + host + path
}

// String is the reference in full, beginning with oci://.
func (r Reference) String() string {
	s := Scheme + r.Host
	if r.Repository != "" {
		s += "/" + r.Repository
	}
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest.String()
	}
	return s
}

// Name is the last element of the repository's path: a chart's name, for Helm.
func (r Reference) Name() string {
	return r.Repository[strings.LastIndexByte(r.Repository, '/')+1:]
}

// Join is the repository NAME below r, without tag and digest. The name is
// checked as ParseReference would.
func (r Reference) Join(name string) (Reference, error) {
	child := Reference{Host: r.Host, Repository: strings.Trim(name, "/")}
	if r.Repository != "" {
		child.Repository = r.Repository + "/" + child.Repository
	}
	if err := checkRepository(child.Repository); err != nil {
		return Reference{}, fmt.Errorf("naming %q below %q: %w", name, r, err)
	}
	return child, nil
}

// WithVersion is r tagged as Helm tags a chart of that version.
func (r Reference) WithVersion(version string) (Reference, error) {
	r.Tag, r.Digest = TagOf(version), ""
	if !tagPattern.MatchString(r.Tag) {
		return Reference{}, fmt.Errorf("tagging %q: version %q cannot be a tag", r, version)
	}
	return r, nil
}

// TagOf is the tag of a chart's version: '+', which a tag cannot contain, is
// written '_', as Helm does.
func TagOf(version string) string { return strings.ReplaceAll(version, "+", "_") }

// VersionOf is the chart version that a tag stands for, the inverse of [TagOf].
func VersionOf(tag string) string { return strings.ReplaceAll(tag, "_", "+") }

// pointer is what a manifest is asked for by.
func (r Reference) pointer() string {
	if r.Digest != "" {
		return r.Digest.String()
	}
	return r.Tag
}

// oras is the same reference in the library's terms.
func (r Reference) oras() orasregistry.Reference {
	return orasregistry.Reference{Registry: r.Host, Repository: r.Repository, Reference: r.pointer()}
}
