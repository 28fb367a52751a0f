//go:build e2e_kubernetes && linux

package cluster

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path"
	"runtime"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// layer is the one layer of an image, as it is written. Its methods do nothing after the first error.
type layer struct {
	buf  bytes.Buffer
	tar  *tar.Writer
	dirs map[string]bool
	err  error
}

func newLayer() *layer {
	l := &layer{dirs: map[string]bool{".": true}}
	l.tar = tar.NewWriter(&l.buf)
	return l
}

// dir makes a folder, and those above it for root.
func (l *layer) dir(name string, mode int64, owner int) {
	if l.dirs[name] {
		return
	}
	l.dir(path.Dir(name), 0o755, 0)
	l.dirs[name] = true
	l.write(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode, Uid: owner, Gid: owner}, nil)
}

func (l *layer) file(name string, mode int64, content []byte) {
	l.dir(path.Dir(name), 0o755, 0)
	l.write(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}, content)
}

func (l *layer) link(name, target string) {
	l.dir(path.Dir(name), 0o755, 0)
	l.write(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}, nil)
}

// program copies a program of this machine.
func (l *layer) program(name, from string) {
	content, err := os.ReadFile(from)
	if err != nil && l.err == nil {
		l.err = err
	}
	l.file(name, 0o755, content)
}

// capable copies a program that is started with one capability, permitted and effective: the extended
// attribute is a struct vfs_cap_data of revision 2.
func (l *layer) capable(name, from string, capability uint) {
	content, err := os.ReadFile(from)
	if err != nil && l.err == nil {
		l.err = err
	}
	l.dir(path.Dir(name), 0o755, 0)
	var data []byte
	for _, word := range []uint32{0x02000001, 1 << capability, 0, 0, 0} {
		data = binary.LittleEndian.AppendUint32(data, word)
	}
	l.write(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(content)), Format: tar.FormatPAX,
		PAXRecords: map[string]string{"SCHILY.xattr.security.capability": string(data)}}, content)
}

func (l *layer) write(h *tar.Header, content []byte) {
	if l.err != nil {
		return
	}
	if l.err = l.tar.WriteHeader(h); l.err == nil {
		_, l.err = l.tar.Write(content)
	}
}

// image writes an OCI archive of an image with this layer.
func (l *layer) image(file, name string, config v1.ImageConfig) error {
	if l.err != nil {
		return l.err
	}
	if err := l.tar.Close(); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	archive := tar.NewWriter(f)
	add := func(name string, content []byte) {
		if err == nil {
			err = archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))})
		}
		if err == nil {
			_, err = archive.Write(content)
		}
	}
	blob := func(mediaType string, content []byte) v1.Descriptor {
		d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
		add("blobs/"+strings.Replace(d.Digest.String(), ":", "/", 1), content)
		return d
	}
	files := blob(v1.MediaTypeImageLayer, l.buf.Bytes())
	image := blob(v1.MediaTypeImageConfig, mustJSON(v1.Image{Platform: v1.Platform{OS: "linux", Architecture: runtime.GOARCH},
		Config: config, RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{files.Digest}}}))
	manifest := blob(v1.MediaTypeImageManifest, mustJSON(v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageManifest, Config: image, Layers: []v1.Descriptor{files}}))
	manifest.Annotations = map[string]string{"io.containerd.image.name": name}
	add("index.json", mustJSON(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []v1.Descriptor{manifest}}))
	add(v1.ImageLayoutFile, mustJSON(v1.ImageLayout{Version: v1.ImageLayoutVersion}))
	if err != nil {
		return err
	}
	return archive.Close()
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data
	}
	return b
}
