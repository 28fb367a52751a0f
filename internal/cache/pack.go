package cache

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	maxPacked   = 8 << 20  // bytes of an entry in a repository
	maxUnpacked = 32 << 20 // bytes of an entry
	entryFile   = "entry"
)

// errPacked says that a layer does not hold an entry.
var errPacked = errors.New("the layer holds no entry")

// pack makes the only layer of an image, a gzipped tar with one file, and the image's
// configuration. The same data gives the same bytes.
func pack(data []byte) (layer, config []byte, err error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	err = w.WriteHeader(&tar.Header{Name: entryFile, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatUSTAR})
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, nil, fmt.Errorf("packing an entry: %w", err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(archive.Bytes())
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, nil, fmt.Errorf("packing an entry: %w", err)
	}
	config, err = json.Marshal(ocispec.Image{
		Platform: ocispec.Platform{Architecture: "amd64", OS: "linux"},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(archive.Bytes())}},
	})
	return packed.Bytes(), config, err
}

// unpack reads the entry that is in a layer.
func unpack(layer []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		return nil, errPacked
	}
	r := tar.NewReader(io.LimitReader(z, maxUnpacked+8192))
	h, err := r.Next()
	if err != nil || h.Name != entryFile || h.Typeflag != tar.TypeReg || h.Size > maxUnpacked {
		return nil, errPacked
	}
	data, err := io.ReadAll(io.LimitReader(r, maxUnpacked))
	if err != nil || int64(len(data)) != h.Size {
		return nil, errPacked
	}
	return data, nil
}
