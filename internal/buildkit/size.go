package buildkit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/moby/buildkit/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	maxManifest = 8 << 20 // bytes
	sizeTime    = 10 * time.Second
)

// imageSize adds up what a result's manifests, configurations and layers take, as the
// daemon keeps them; 0 where it does not tell.
func imageSize(ctx context.Context, c *client.Client, response map[string]string) int64 {
	var root ocispecs.Descriptor
	text, err := base64.StdEncoding.DecodeString(response["containerimage.descriptor"])
	if err != nil || json.Unmarshal(text, &root) != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, sizeTime)
	defer cancel()
	store := proxy.NewContentStore(c.ContentClient())
	var total int64
	todo := []ocispecs.Descriptor{root}
	for n := 0; len(todo) > 0 && n < 1000; n++ {
		d := todo[0]
		todo = todo[1:]
		total += d.Size
		if !images.IsIndexType(d.MediaType) && !images.IsManifestType(d.MediaType) {
			continue
		}
		below, err := children(ctx, store, d)
		if err != nil {
			return 0
		}
		todo = append(todo, below...)
	}
	return total
}

func children(ctx context.Context, store content.Provider, d ocispecs.Descriptor) ([]ocispecs.Descriptor, error) {
	if d.Size > maxManifest {
		return nil, fmt.Errorf("the manifest %s has %d bytes", d.Digest, d.Size)
	}
	data, err := content.ReadBlob(ctx, store, d)
	if err != nil {
		return nil, err
	}
	var m struct {
		Config            *ocispecs.Descriptor
		Layers, Manifests []ocispecs.Descriptor
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	out := append(m.Layers, m.Manifests...)
	if m.Config != nil {
		out = append(out, *m.Config)
	}
	return out, nil
}
