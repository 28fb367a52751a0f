package server

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxReferrersPage is how many bytes of descriptors one answer has, about. Clients
// refuse answers of more than 4 MiB.
const maxReferrersPage = 2 << 20

func referrersPath(repo string, subject digest.Digest) string {
	return path.Join("repos", repo, "_referrers", subject.Algorithm().String(), subject.Encoded())
}

// addReferrer notes that a manifest refers to its subject, which may come later or
// never.
func (s *Server) addReferrer(repo string, d digest.Digest, mediaType string, size int64, m manifest) error {
	artifact := m.ArtifactType
	if artifact == "" && m.Config != nil {
		artifact = m.Config.MediaType
	}
	entry, err := json.Marshal(ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: size, ArtifactType: artifact, Annotations: m.Annotations})
	if err != nil {
		return err
	}
	file := d.Algorithm().String() + "-" + d.Encoded()
	return s.disk.write(path.Join(referrersPath(repo, m.Subject.Digest), file), entry)
}

// listReferrers answers with an index of what refers to a subject, page by page.
func (s *Server) listReferrers(w http.ResponseWriter, r *http.Request, t target) error {
	subject, err := parseDigest(t.ref)
	if err != nil {
		return err
	}
	folder := referrersPath(t.repo, subject)
	files, err := s.disk.list(folder)
	if err != nil {
		return err
	}
	if last := r.URL.Query().Get("last"); last != "" {
		i, found := slices.BinarySearch(files, last)
		if found {
			i++
		}
		files = files[i:]
	}
	wanted, size := r.URL.Query().Get("artifactType"), 0
	list := []ocispec.Descriptor{}
	for i, file := range files {
		desc, n, err := s.referrer(t.repo, folder, file)
		if err != nil {
			return err
		}
		if desc == nil || (wanted != "" && desc.ArtifactType != wanted) {
			continue
		}
		if size += n; size > maxReferrersPage && len(list) > 0 {
			next(w, r, files[i-1])
			break
		}
		list = append(list, *desc)
	}
	if wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	return writeJSON(w, ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: list})
}

// referrer reads one descriptor; nil if its manifest has been deleted.
func (s *Server) referrer(repo, folder, file string) (*ocispec.Descriptor, int, error) {
	algorithm, encoded, _ := strings.Cut(file, "-")
	d, err := parseDigest(algorithm + ":" + encoded)
	if err != nil {
		return nil, 0, nil // not a file of ours
	}
	there, err := s.disk.exists(linkPath(repo, "_manifests", d))
	if err != nil || !there {
		return nil, 0, err
	}
	data, err := s.disk.read(path.Join(folder, file), s.opts.MaxManifest+4096)
	if err != nil {
		return nil, 0, err
	}
	var desc ocispec.Descriptor
	if err := json.Unmarshal(data, &desc); err != nil {
		return nil, 0, nil
	}
	return &desc, len(data), nil
}
