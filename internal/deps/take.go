package deps

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/chartgate/chartgate/internal/registry"
)

// take finds one dependency.
func (r *Resolver) take(ctx context.Context, n *node, p *plan, s step) result {
	switch {
	case s.present != nil:
		return result{dep: s.present.dependency(s.index, s.declared), entry: s.present.entry}
	case s.err != nil && r.mirrorOf(s.repository) == nil:
		return result{err: s.err}
	case s.url == "":
		return p.takeVendored(s)
	case strings.HasPrefix(s.url, "file://"):
		return r.takeFile(ctx, n, s)
	}
	if _, err := parseConstraint(s.version); err != nil {
		return result{err: err}
	}
	if res, ok := r.takeTree(ctx, n, s); ok {
		return res
	}
	to, err := r.place(s)
	if err != nil {
		return result{err: err}
	}
	if to.folder {
		return r.takeFolder(ctx, n, s, to)
	}
	return r.takeRemote(ctx, n, s, to)
}

// place is where a dependency is looked for.
type place struct {
	url     string // of an OCI registry's path or a chart repository; a path if folder
	folder  bool
	standIn bool
}

// place applies the mirrors.
func (r *Resolver) place(s step) (place, error) {
	for _, written := range []string{s.url, s.repository} {
		if m := r.mirrorOf(written); m != nil {
			return m.place(written), nil
		}
	}
	to := place{url: normalize(s.url)}
	return to, checkURL(to.url)
}

// checkURL reports why a repository cannot be asked.
func checkURL(repository string) error {
	if registry.IsOCI(repository) {
		return nil // the registry's room has its own, stricter say
	}
	u, err := url.ParseRequestURI(repository)
	f := &fault{kind: KindLocation, field: "repository", hint: `a repository is an oci:// or https:// URL, a file:// path, or "@NAME" of one that was added with helm repo add`}
	switch {
	case err != nil:
		f.err = fmt.Errorf("%q is not the URL of a repository", show(repository))
	case u.Scheme != "https" && u.Scheme != "http":
		f.err = fmt.Errorf("%q is neither an oci:// nor an https:// URL", show(repository))
	case u.Host == "":
		f.err = fmt.Errorf("%q has no host", show(repository))
	default:
		return nil
	}
	return f
}
