package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// PushChart publishes a chart under the reference's tag. Contents go first and
// what the registry has already is not sent again; the manifest, which makes the
// chart visible, goes last and only when everything else is there. The result is
// the descriptor of the manifest. Whether the tag exists already is the caller's
// concern: it would be moved.
func (c *Client) PushChart(ctx context.Context, ref Reference, push ChartPush) (Descriptor, error) {
	return c.PushChartIf(ctx, ref, push, func(context.Context) error { return nil })
}

// PushChartIf is PushChart, but for asking once more when all contents are there,
// which may have taken minutes: the manifest follows only if ok returns nil. An
// error of ok is in the chain of the error that is returned.
func (c *Client) PushChartIf(ctx context.Context, ref Reference, push ChartPush, ok func(context.Context) error) (Descriptor, error) {
	if err := needRepository(ref); err != nil {
		return Descriptor{}, err
	}
	if ref.Tag == "" {
		return Descriptor{}, fmt.Errorf("pushing %q: the reference has no tag", ref)
	}
	data, desc, err := push.Manifest()
	if err != nil {
		return Descriptor{}, fmt.Errorf("pushing %q: %w", ref, err)
	}
	if ref.Digest != "" && ref.Digest != desc.Digest {
		return Descriptor{}, fmt.Errorf("pushing %q: the chart's manifest has digest %s", ref, desc.Digest)
	}
	ref.Digest = ""
	err = c.run(ctx, "pushing", ref.Host, ref.String(), func(ctx context.Context) error {
		repo := c.repository(ref)
		ctx = auth.AppendRepositoryScope(ctx, ref.oras(), auth.ActionPull, auth.ActionPush)
		for _, blob := range push.blobs() {
			if err := c.pushBlob(ctx, repo, blob.desc, blob.data); err != nil {
				return fmt.Errorf("uploading its %s: %w", blob.what, err)
			}
		}
		if err := ok(ctx); err != nil {
			return err
		}
		return repo.Manifests().PushReference(ctx, desc, bytes.NewReader(data), ref.Tag)
	})
	if err != nil {
		return Descriptor{}, err
	}
	return desc, nil
}

type blob struct {
	what string
	desc Descriptor
	data []byte
}

func (p ChartPush) blobs() []blob {
	all := []blob{
		{"archive", describe(MediaTypeArchive, p.Archive), p.Archive},
		{"configuration", describe(MediaTypeConfig, p.Config), p.Config},
	}
	if p.Provenance != nil {
		all = append(all, blob{"provenance file", describe(MediaTypeProvenance, p.Provenance), p.Provenance})
	}
	return all
}

// pushBlob uploads a blob unless it is there. An upload that broke off in the
// middle is begun anew: its session may be lost, or have been completed without
// our seeing the answer.
func (c *Client) pushBlob(ctx context.Context, repo *remote.Repository, desc Descriptor, data []byte) error {
	var failed error
	for attempt := 0; ; attempt++ {
		there, err := repo.Blobs().Exists(ctx, desc)
		if err != nil {
			return errors.Join(failed, err)
		}
		if there {
			return nil
		}
		failed = repo.Blobs().Push(ctx, desc, bytes.NewReader(data))
		if failed == nil || attempt >= c.retry.retries || !lostUpload(failed) {
			return failed
		}
		wait, _ := c.retry.wait(attempt, nil)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// lostUpload reports whether an upload failed in a way that a new one may not.
func lostUpload(err error) bool {
	var resp *errcode.ErrorResponse
	if errors.As(err, &resp) {
		return resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable
	}
	return transient(err)
}
