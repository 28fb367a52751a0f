package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Helm's media types.
const (
	MediaTypeConfig        = "application/vnd.cncf.helm.config.v1+json"
	MediaTypeArchive       = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	MediaTypeProvenance    = "application/vnd.cncf.helm.chart.provenance.v1.prov"
	mediaTypeArchiveLegacy = "application/tar+gzip"
)

const (
	maxLayers    = 64 // of a manifest that may be a chart
	maxManifests = 32 // of an index in which a chart is looked for
)

// chartManifest is what a manifest says of a chart.
type chartManifest struct {
	config, archive Descriptor
	provenance      *Descriptor
	annotations     map[string]string
}

// parseChartManifest reads the manifest of a chart. A manifest of something else
// is ErrNotChart, one that is malformed ErrCorrupt.
func parseChartManifest(data []byte) (chartManifest, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return chartManifest{}, fmt.Errorf("the manifest is no valid JSON object: %w", ErrCorrupt)
	}
	if m.Config.MediaType != MediaTypeConfig {
		return chartManifest{}, fmt.Errorf("its configuration has the media type %q: %w", foreign(m.Config.MediaType), ErrNotChart)
	}
	if len(m.Layers) > maxLayers {
		return chartManifest{}, fmt.Errorf("the manifest has %d layers: %w", len(m.Layers), ErrTooLarge)
	}
	cm := chartManifest{config: m.Config, annotations: m.Annotations}
	found := 0
	for _, l := range m.Layers {
		switch l.MediaType {
		case MediaTypeArchive, mediaTypeArchiveLegacy:
			cm.archive = l
			found++
		case MediaTypeProvenance:
			cm.provenance = &l
		}
	}
	if found != 1 {
		return chartManifest{}, fmt.Errorf("it has %d layers with the media type of a chart archive: %w", found, ErrNotChart)
	}
	return cm, cm.check()
}

func (m chartManifest) check() error {
	all := []Descriptor{m.config, m.archive}
	if m.provenance != nil {
		all = append(all, *m.provenance)
	}
	for _, d := range all {
		if err := d.Digest.Validate(); err != nil {
			return fmt.Errorf("the manifest names the digest %q: %w", foreign(string(d.Digest)), ErrCorrupt)
		}
		if d.Size < 0 {
			return fmt.Errorf("the manifest gives %s the size %d: %w", d.Digest, d.Size, ErrCorrupt)
		}
	}
	return nil
}

// isIndex reports whether a media type is that of a list of manifests.
func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
}

// manifestsOf lists the manifests of an index that may be a chart's.
func manifestsOf(data []byte) ([]Descriptor, error) {
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("the index is no valid JSON object: %w", ErrCorrupt)
	}
	list := slices.DeleteFunc(index.Manifests, func(d Descriptor) bool {
		return d.MediaType != ocispec.MediaTypeImageManifest || d.Digest.Validate() != nil || d.Platform != nil
	})
	if len(list) > maxManifests {
		return nil, fmt.Errorf("the index has %d manifests: %w", len(list), ErrTooLarge)
	}
	return list, nil
}

// ChartPush is a chart to be published.
type ChartPush struct {
	Config      []byte            // Chart.yaml's metadata as JSON
	Archive     []byte            // the .tgz
	Provenance  []byte            // the .tgz.prov, nil if there is none
	Annotations map[string]string // of the manifest; nothing is added to them
}

// Manifest is what PushChart publishes: the bytes of the manifest and its
// descriptor. The same input gives the same bytes; no time is stamped.
func (p ChartPush) Manifest() ([]byte, Descriptor, error) {
	if len(p.Config) == 0 || len(p.Archive) == 0 {
		return nil, Descriptor{}, errors.New("building a manifest: a chart needs a configuration and an archive")
	}
	if !json.Valid(p.Config) {
		return nil, Descriptor{}, errors.New("building a manifest: the configuration is no valid JSON")
	}
	m := ocispec.Manifest{
		Versioned:   specs.Versioned{SchemaVersion: 2},
		MediaType:   ocispec.MediaTypeImageManifest,
		Config:      describe(MediaTypeConfig, p.Config),
		Layers:      []Descriptor{describe(MediaTypeArchive, p.Archive)},
		Annotations: p.Annotations,
	}
	if p.Provenance != nil {
		m.Layers = append(m.Layers, describe(MediaTypeProvenance, p.Provenance))
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, Descriptor{}, fmt.Errorf("building a manifest: %w", err)
	}
	return data, describe(ocispec.MediaTypeImageManifest, data), nil
}

func describe(mediaType string, data []byte) Descriptor {
	return Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}
