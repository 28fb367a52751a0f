package registry

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"
)

// errCut: less was received than was announced. It counts as a broken connection.
var errCut = fmt.Errorf("the answer is cut off: %w", io.ErrUnexpectedEOF)

// PulledChart is a chart as it stands in a registry. Every digest has been
// verified.
type PulledChart struct {
	ManifestDigest digest.Digest
	Manifest       []byte
	Annotations    map[string]string // of the manifest
	Config         []byte            // metadata as JSON
	Archive        []byte            // the .tgz
	ArchiveDigest  digest.Digest
	Provenance     []byte // nil if the chart has none
}

// PullChart fetches a chart by tag or digest. Something else than a chart is
// ErrNotChart; content that is not what its digest says, ErrCorrupt.
func (c *Client) PullChart(ctx context.Context, ref Reference) (*PulledChart, error) {
	if err := needPointer(ref); err != nil {
		return nil, err
	}
	var pulled *PulledChart
	err := c.run(ctx, "pulling", ref.Host, ref.String(), func(ctx context.Context) (err error) {
		pulled, err = c.pull(ctx, ref)
		return err
	})
	if err != nil {
		return nil, err
	}
	return pulled, nil
}

func (c *Client) pull(ctx context.Context, ref Reference) (*PulledChart, error) {
	m, cm, err := c.chartManifest(ctx, ref)
	if err != nil {
		return nil, err
	}
	p := &PulledChart{ManifestDigest: m.desc.Digest, Manifest: m.data, Annotations: cm.annotations, ArchiveDigest: cm.archive.Digest}
	if p.Config, err = c.fetchBlob(ctx, ref, cm.config, c.opts.Limits.Config); err != nil {
		return nil, fmt.Errorf("fetching its configuration: %w", err)
	}
	if p.Archive, err = c.fetchBlob(ctx, ref, cm.archive, c.opts.Limits.Archive); err != nil {
		return nil, fmt.Errorf("fetching its archive: %w", err)
	}
	if cm.provenance != nil {
		if p.Provenance, err = c.fetchBlob(ctx, ref, *cm.provenance, c.opts.Limits.Config); err != nil {
			return nil, fmt.Errorf("fetching its provenance file: %w", err)
		}
	}
	return p, nil
}

// chartManifest fetches the manifest that a reference points at, through an index
// if need be: the first chart in it.
func (c *Client) chartManifest(ctx context.Context, ref Reference) (fetched, chartManifest, error) {
	m, err := c.fetchManifest(ctx, ref)
	if err != nil {
		return m, chartManifest{}, err
	}
	if !isIndex(m.desc.MediaType) {
		cm, err := parseChartManifest(m.data)
		return m, cm, err
	}
	list, err := manifestsOf(m.data)
	if err != nil {
		return m, chartManifest{}, err
	}
	for _, d := range list {
		ref.Digest = d.Digest
		child, err := c.fetchManifest(ctx, ref)
		if err != nil {
			return child, chartManifest{}, err
		}
		cm, err := parseChartManifest(child.data)
		if !errors.Is(err, ErrNotChart) {
			return child, cm, err
		}
	}
	return m, chartManifest{}, fmt.Errorf("no manifest in its index is a chart's: %w", ErrNotChart)
}

// fetchBlob gets a blob and verifies it. Memory grows with what arrives, not with
// what the manifest announces.
func (c *Client) fetchBlob(ctx context.Context, ref Reference, desc Descriptor, limit int64) ([]byte, error) {
	if desc.Size > limit {
		return nil, fmt.Errorf("%d bytes, more than %d: %w", desc.Size, limit, ErrTooLarge)
	}
	var data []byte
	err := c.repeat(ctx, func() error {
		body, err := c.repository(ref).Blobs().Fetch(ctx, desc)
		if errors.Is(err, errdef.ErrNotFound) {
			return fmt.Errorf("the registry lacks %s, which the manifest names: %w", desc.Digest, ErrCorrupt)
		}
		if err != nil {
			return err
		}
		defer body.Close()
		data, err = io.ReadAll(io.LimitReader(body, desc.Size+1))
		if err != nil {
			return err
		}
		return verify(data, desc)
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func verify(data []byte, desc Descriptor) error {
	switch n := int64(len(data)); {
	case n < desc.Size:
		return fmt.Errorf("%d of %d bytes: %w", n, desc.Size, errCut)
	case n > desc.Size:
		return fmt.Errorf("more than the %d bytes that the manifest announces: %w", desc.Size, ErrCorrupt)
	}
	if got := desc.Digest.Algorithm().FromBytes(data); got != desc.Digest {
		return fmt.Errorf("the content received has digest %s, not %s: %w", got, desc.Digest, ErrCorrupt)
	}
	return nil
}
