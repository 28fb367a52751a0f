package publish

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chartgate/chartgate/internal/archive"
	"github.com/chartgate/chartgate/internal/registry"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// maxManifest is the size of a manifest, in bytes, that every registry takes.
const maxManifest = 4 << 20

// pack is a chart as it is pushed.
type pack struct {
	files    []archive.File // as they are read back
	push     registry.ChartPush
	manifest registry.Descriptor
}

// packItem makes the archive, the configuration and the manifest of a chart: the same bytes for the same files.
//
// The configuration is what Helm reads out of the archive, not what is known of the chart otherwise: so whoever pulls the chart can load
// it, and configuration and archive say the same.
func packItem(it *Item) (*pack, error) {
	if it.Files == nil {
		return nil, errors.New("its files are not known")
	}
	files, err := it.Files()
	if err != nil {
		return nil, err
	}
	if twice := archive.Duplicates(files); len(twice) > 0 {
		return nil, fmt.Errorf("two dependencies have the same name: %q is there more than once, one of %d such files", twice[0], len(twice))
	}
	var tgz bytes.Buffer
	if err := archive.Write(&tgz, it.Name, files); err != nil {
		return nil, err
	}
	c, files, err := readBack(tgz.Bytes())
	if err != nil {
		return nil, fmt.Errorf("reading the archive back: %w", err)
	}
	if c.Metadata.Name != it.Name || c.Metadata.Version != it.Version {
		return nil, fmt.Errorf("the archive holds %s %s, not %s %s", c.Metadata.Name, c.Metadata.Version, it.Name, it.Version)
	}
	config, err := json.Marshal(c.Metadata)
	if err != nil {
		return nil, fmt.Errorf("marshalling the configuration: %w", err)
	}
	p := &pack{files: files, push: registry.ChartPush{Config: config, Archive: tgz.Bytes(), Annotations: annotations(c.Metadata)}}
	data, desc, err := p.push.Manifest()
	if err != nil {
		return nil, err
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("the manifest has %d bytes, and registries take %d: shorten the description or the annotations in Chart.yaml",
			len(data), maxManifest)
	}
	p.manifest = desc
	return p, nil
}

// readBack loads an archive as those who pull it will.
func readBack(tgz []byte) (*helmchart.Chart, []archive.File, error) {
	_, files, err := archive.Read(bytes.NewReader(tgz), archive.Limits{})
	if err != nil {
		return nil, nil, err
	}
	c, err := archive.Load(files, archive.Limits{})
	return c, files, err
}

// compare returns the files at which the pack differs from a chart that was pulled. The error says why what was pulled cannot be read.
func (p *pack) compare(there *registry.PulledChart) ([]archive.Change, error) {
	_, files, err := archive.Read(bytes.NewReader(there.Archive), archive.Limits{})
	if err != nil {
		return nil, err
	}
	return archive.Compare(files, p.files), nil
}
