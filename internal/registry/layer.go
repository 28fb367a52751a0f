package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// maxEmbedded is how large a layer may be that the manifest holds too, which spares readers a request.
const maxEmbedded = 8 << 10

// PushLayer publishes an image of one layer, a gzipped tar, under the reference's tag. It is an image
// rather than an artifact of a type of its own since some registries know no others. A tag that
// exists is moved.
func (c *Client) PushLayer(ctx context.Context, ref Reference, config, layer []byte) error {
	if err := needRepository(ref); err != nil {
		return err
	}
	if ref.Tag == "" {
		return fmt.Errorf("pushing %q: the reference has no tag", ref)
	}
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: describe(ocispec.MediaTypeImageConfig, config), Layers: []Descriptor{describe(ocispec.MediaTypeImageLayerGzip, layer)}}
	blobs := []blob{{"configuration", m.Config, config}, {"layer", m.Layers[0], layer}}
	if len(layer) <= maxEmbedded {
		m.Layers[0].Data = layer
	}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("building a manifest: %w", err)
	}
	return c.run(ctx, "pushing", ref.Host, ref.String(), func(ctx context.Context) error {
		repo := c.repository(ref)
		ctx = auth.AppendRepositoryScope(ctx, ref.oras(), auth.ActionPull, auth.ActionPush)
		for _, b := range blobs {
			if err := c.pushBlob(ctx, repo, b.desc, b.data); err != nil {
				return fmt.Errorf("uploading its %s: %w", b.what, err)
			}
		}
		return repo.Manifests().PushReference(ctx, describe(ocispec.MediaTypeImageManifest, data), bytes.NewReader(data), ref.Tag)
	})
}

// PullLayer fetches the layer of an image that PushLayer published, of at most limit bytes. Anything
// else is ErrCorrupt.
func (c *Client) PullLayer(ctx context.Context, ref Reference, limit int64) ([]byte, error) {
	if err := needPointer(ref); err != nil {
		return nil, err
	}
	var layer []byte
	err := c.run(ctx, "pulling", ref.Host, ref.String(), func(ctx context.Context) error {
		m, err := c.fetchManifest(ctx, ref)
		if err != nil {
			return err
		}
		desc, err := onlyLayer(m.data)
		if err != nil {
			return err
		}
		if len(desc.Data) > 0 && int64(len(desc.Data)) <= limit && verify(desc.Data, desc) == nil {
			layer = desc.Data
			return nil
		}
		layer, err = c.fetchBlob(ctx, ref, desc, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return layer, nil
}

// onlyLayer reads the manifest of an image of one layer.
func onlyLayer(data []byte) (Descriptor, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Descriptor{}, fmt.Errorf("the manifest is no valid JSON object: %w", ErrCorrupt)
	}
	if len(m.Layers) != 1 {
		return Descriptor{}, fmt.Errorf("the manifest has %d layers, not one: %w", len(m.Layers), ErrCorrupt)
	}
	d := m.Layers[0]
	if err := d.Digest.Validate(); err != nil || d.Size < 0 {
		return Descriptor{}, fmt.Errorf("the manifest describes its layer wrongly: %w", ErrCorrupt)
	}
	return d, nil
}
