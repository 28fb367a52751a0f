package deps

import (
	"context"

	"github.com/Masterminds/semver/v3"
	"github.com/chartgate/chartgate/internal/registry"
	"github.com/opencontainers/go-digest"
)

// fetchOCI finds a chart in a registry. An archive that the store has is fetched again only if the registry now has another under the tag.
func (r *Resolver) fetchOCI(ctx context.Context, q query) (fetched, error) {
	base, err := registry.ParseReference(q.repository)
	if err != nil {
		return fetched{}, asked(q.repository, err)
	}
	repo, err := base.Join(q.name)
	if err != nil {
		return fetched{}, asked(q.repository, err)
	}
	version, err := r.ociVersion(ctx, repo, q.version)
	if err != nil {
		return fetched{}, err
	}
	ref, err := repo.WithVersion(version)
	if err != nil {
		return fetched{}, asked(q.repository, err)
	}
	got := fetched{version: version, from: ref.String()}
	got.blob, err = r.known(ctx, ref)
	if err != nil || got.blob != "" {
		return got, err
	}
	var pulled *registry.PulledChart
	err = r.request(ctx, func() (err error) {
		pulled, err = r.opt.Registry.PullChart(ctx, ref)
		return err
	})
	if err != nil {
		return got, asked(ref.String(), err)
	}
	got.blob, err = r.keep(ctx, "oci "+ref.String(), pulled.Archive, map[string]string{"manifest": pulled.ManifestDigest.String()})
	return got, err
}

// known finds the archive of a tag in the store, if the registry says that the tag has not moved. "" if it has to be fetched.
func (r *Resolver) known(ctx context.Context, ref registry.Reference) (blob digest.Digest, err error) {
	note, err := r.opt.Store.GetRef(ctx, "oci "+ref.String())
	if err != nil || !r.opt.Store.Has(note.Digest) {
		return "", ctx.Err() // whatever is wrong with the store, the registry has it
	}
	var now registry.Descriptor
	err = r.request(ctx, func() (err error) {
		now, err = r.opt.Registry.Resolve(ctx, ref)
		return err
	})
	if err != nil {
		return "", asked(ref.String(), err)
	}
	if now.Digest.String() != note.Metadata["manifest"] {
		return "", nil
	}
	return note.Digest, nil
}

// ociVersion chooses a version as Helm does: a version that is given is taken at its word, for a range the newest of the tags that are
// versions is.
func (r *Resolver) ociVersion(ctx context.Context, repo registry.Reference, want string) (string, error) {
	if _, err := semver.NewVersion(want); err == nil {
		return want, nil
	}
	constraint, err := parseConstraint(want)
	if err != nil {
		return "", err
	}
	tags, err := r.tags.do(ctx, repo.String(), func(ctx context.Context) (tags []string, err error) {
		err = r.request(ctx, func() (err error) {
			tags, err = r.opt.Registry.Tags(ctx, repo)
			return err
		})
		if err != nil {
			return nil, asked(repo.String(), err)
		}
		versions := make([]string, len(tags))
		for i, t := range tags {
			versions[i] = registry.VersionOf(t)
		}
		return newest(versions), nil
	})
	if err != nil {
		return "", err
	}
	for _, t := range tags {
		if v, err := semver.NewVersion(t); err == nil && constraint.Check(v) {
			return t, nil
		}
	}
	return "", noVersion(want, repo.String(), tags)
}
