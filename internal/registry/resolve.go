package registry

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// acceptManifests are the forms of manifest that a chart can have.
var acceptManifests = []string{
	ocispec.MediaTypeImageManifest,
	ocispec.MediaTypeImageIndex,
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
}

// Tags lists the tags of a repository in the order that the registry gives them,
// which is lexical as a rule. A repository that does not exist is ErrNotFound.
func (c *Client) Tags(ctx context.Context, repo Reference) ([]string, error) {
	repo.Tag, repo.Digest = "", ""
	if err := needRepository(repo); err != nil {
		return nil, err
	}
	var tags []string
	err := c.run(ctx, "listing the tags of", repo.Host, repo.String(), func(ctx context.Context) error {
		return c.repeat(ctx, func() error {
			tags = nil
			return c.repository(repo).Tags(ctx, "", func(page []string) error {
				for _, tag := range page {
					if tagPattern.MatchString(tag) {
						tags = append(tags, tag)
					}
				}
				if len(tags) > c.opts.Limits.Tags {
					return fmt.Errorf("more than %d tags: %w", c.opts.Limits.Tags, ErrTooLarge)
				}
				return nil
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return tags, nil
}

// Resolve finds what a tag or digest stands for, without fetching it: the digest is
// the registry's word. A manifest or repository that does not exist is
// ErrNotFound.
func (c *Client) Resolve(ctx context.Context, ref Reference) (Descriptor, error) {
	if err := needPointer(ref); err != nil {
		return Descriptor{}, err
	}
	var desc Descriptor
	err := c.run(ctx, "resolving", ref.Host, ref.String(), func(ctx context.Context) (err error) {
		desc, err = c.repository(ref).Manifests().Resolve(ctx, ref.pointer())
		var answered *errcode.ErrorResponse
		if err == nil || errors.As(err, &answered) || errors.Is(err, errdef.ErrNotFound) || ctx.Err() != nil {
			return err
		}
		if _, status, _ := trailOf(ctx).last(); status != http.StatusOK {
			return err
		}
		// The answer to HEAD lacks what the specification asks for.
		m, err := c.fetchManifest(ctx, ref)
		desc = m.desc
		return err
	})
	if err != nil {
		return Descriptor{}, err
	}
	return desc, nil
}

// fetched is a manifest as the registry sent it.
type fetched struct {
	desc Descriptor // digest and size are of the bytes received
	data []byte
}

// fetchManifest gets a manifest by tag or digest. Its digest is computed; it is an
// error if the reference or the registry says otherwise.
func (c *Client) fetchManifest(ctx context.Context, ref Reference) (fetched, error) {
	var m fetched
	err := c.repeat(ctx, func() error {
		req, err := c.manifestRequest(ctx, ref)
		if err != nil {
			return err
		}
		resp, err := c.auth.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := readAll(resp.Body, c.opts.Limits.Manifest)
		if err != nil {
			return fmt.Errorf("reading the manifest: %w", err)
		}
		if resp.StatusCode != http.StatusOK {
			return &httpError{status: resp.StatusCode, answer: parseAnswer(body)}
		}
		if n := resp.ContentLength; n >= 0 && n != int64(len(body)) {
			return fmt.Errorf("reading the manifest: %d of %d bytes: %w", len(body), n, errCut)
		}
		m, err = checkManifest(ref, resp.Header, body)
		return err
	})
	return m, err
}

func (c *Client) manifestRequest(ctx context.Context, ref Reference) (*http.Request, error) {
	ctx = auth.AppendRepositoryScope(ctx, ref.oras(), auth.ActionPull)
	scheme := "https"
	if c.plainHTTP(ref.Host) {
		scheme = "http"
	}
	url := fmt.Sprintf("%s://%s/v2/%s/manifests/%s", scheme, ref.oras().Host(), ref.Repository, ref.pointer())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err == nil {
		req.Header.Set("Accept", strings.Join(acceptManifests, ", "))
	}
	return req, err
}

// checkManifest compares what was received with what was asked for and announced.
func checkManifest(ref Reference, header http.Header, body []byte) (fetched, error) {
	algorithm := digest.Canonical
	said := digest.Digest(header.Get("Docker-Content-Digest"))
	for _, d := range []digest.Digest{said, ref.Digest} {
		if d == "" {
			continue
		}
		if err := d.Validate(); err != nil {
			return fetched{}, fmt.Errorf("the registry names the digest %q: %w", foreign(string(d)), ErrCorrupt)
		}
		algorithm = d.Algorithm()
		if got := algorithm.FromBytes(body); got != d {
			return fetched{}, fmt.Errorf("the manifest received has digest %s, not %s: %w", got, d, ErrCorrupt)
		}
	}
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return fetched{}, fmt.Errorf("the manifest has no usable Content-Type: %w", ErrCorrupt)
	}
	return fetched{data: body, desc: Descriptor{MediaType: mediaType, Digest: algorithm.FromBytes(body), Size: int64(len(body))}}, nil
}

func needRepository(ref Reference) error {
	if ref.Repository == "" {
		return fmt.Errorf("asking %q: the reference names no repository", ref)
	}
	return nil
}

func needPointer(ref Reference) error {
	if err := needRepository(ref); err != nil {
		return err
	}
	if ref.pointer() == "" {
		return fmt.Errorf("asking for %q: the reference has neither tag nor digest", ref)
	}
	return nil
}
