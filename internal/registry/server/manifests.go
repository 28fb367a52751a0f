package server

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// manifestTypes are the forms that can be stored.
var manifestTypes = []string{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, dockerManifest, dockerList}

// manifest is what the registry itself needs to know of one.
type manifest struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	ArtifactType  string               `json:"artifactType"`
	Config        *ocispec.Descriptor  `json:"config"`
	Layers        []ocispec.Descriptor `json:"layers"`
	Manifests     []ocispec.Descriptor `json:"manifests"`
	Subject       *ocispec.Descriptor  `json:"subject"`
	Annotations   map[string]string    `json:"annotations"`
}

// point finds the manifest that a tag or digest stands for, and its media type.
func (s *Server) point(repo, ref string) (digest.Digest, string, error) {
	unknown := refuse(http.StatusNotFound, codeManifestUnknown, "the repository has no manifest %.160q", ref)
	d := digest.Digest(ref)
	if tagPattern.MatchString(ref) {
		text, err := s.disk.read(tagPath(repo, ref), 256)
		if errors.Is(err, fs.ErrNotExist) {
			return "", "", unknown
		}
		if err != nil {
			return "", "", err
		}
		d = digest.Digest(text)
	}
	d, err := parseDigest(string(d))
	if err != nil {
		return "", "", err
	}
	mediaType, err := s.disk.read(linkPath(repo, "_manifests", d), 256)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", unknown
	}
	return d, string(mediaType), err
}

func (s *Server) getManifest(w http.ResponseWriter, r *http.Request, t target) error {
	d, mediaType, err := s.point(t.repo, t.ref)
	if err != nil {
		return err
	}
	data, err := s.disk.read(blobPath(d), s.opts.MaxManifest)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Etag", `"`+d.String()+`"`)
	if r.Header.Get("If-None-Match") == h.Get("Etag") {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Length", itoa(len(data)))
	_, _ = w.Write(data)
	return nil
}

// putManifest stores a manifest, everything that it refers to being there, and
// then, last of all, moves the tag.
func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, t target) error {
	tag, d := t.ref, digest.Digest("")
	if !tagPattern.MatchString(t.ref) {
		var err error
		if d, err = parseDigest(t.ref); err != nil {
			return err
		}
		tag = ""
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.opts.MaxManifest))
	if err != nil {
		return uploadFault(err)
	}
	if d == "" {
		d = digest.FromBytes(data)
	} else if d.Algorithm().FromBytes(data) != d {
		return refuse(http.StatusBadRequest, codeDigestInvalid, "the manifest has another digest than %s", d)
	}
	m, mediaType, err := parseManifest(data, r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if err := s.checkParts(t.repo, m); err != nil {
		return err
	}
	if err := s.storeManifest(t.repo, tag, d, mediaType, data, m); err != nil {
		return err
	}
	if m.Subject != nil {
		w.Header().Set("OCI-Subject", m.Subject.Digest.String())
	}
	w.Header().Set("Location", "/v2/"+t.repo+"/manifests/"+d.String())
	w.Header().Set("Docker-Content-Digest", d.String())
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (s *Server) storeManifest(repo, tag string, d digest.Digest, mediaType string, data []byte, m manifest) error {
	if err := s.disk.putBlob(d, data); err != nil {
		return err
	}
	if err := s.disk.write(linkPath(repo, "_manifests", d), []byte(mediaType)); err != nil {
		return err
	}
	if m.Subject != nil {
		if err := s.addReferrer(repo, d, mediaType, int64(len(data)), m); err != nil {
			return err
		}
	}
	if tag == "" {
		return nil
	}
	return s.disk.write(tagPath(repo, tag), []byte(d))
}

// parseManifest reads a manifest as far as the registry is concerned.
func parseManifest(data []byte, contentType string) (manifest, string, error) {
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return m, "", refuse(http.StatusBadRequest, codeManifestInvalid, "the manifest is no valid JSON object")
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if contentType == "" {
		mediaType = m.MediaType
	} else if err != nil {
		return m, "", refuse(http.StatusBadRequest, codeManifestInvalid, "the Content-Type cannot be read")
	}
	switch {
	case !slices.Contains(manifestTypes, mediaType):
		return m, "", refuse(http.StatusBadRequest, codeManifestInvalid, "manifests of the media type %.128q are not stored here", mediaType)
	case m.MediaType != "" && m.MediaType != mediaType:
		return m, "", refuse(http.StatusBadRequest, codeManifestInvalid, "the manifest says it is %.128q, the Content-Type %.128q", m.MediaType, mediaType)
	case m.SchemaVersion != 2:
		return m, "", refuse(http.StatusBadRequest, codeManifestInvalid, "the schema version is %d, not 2", m.SchemaVersion)
	}
	list := mediaType == ocispec.MediaTypeImageIndex || mediaType == dockerList
	if list == (m.Config != nil) {
		return m, "", refuse(http.StatusBadRequest, codeManifestInvalid, "the manifest has not the fields of %s", mediaType)
	}
	if m.Subject != nil {
		if _, err := parseDigest(string(m.Subject.Digest)); err != nil {
			return m, "", err
		}
	}
	return m, mediaType, nil
}

// checkParts makes sure that a repository has what a manifest refers to. Layers
// that name other places to get them from need not be here.
func (s *Server) checkParts(repo string, m manifest) error {
	parts := m.Layers
	if m.Config != nil {
		parts = append([]ocispec.Descriptor{*m.Config}, parts...)
	}
	for _, p := range parts {
		d, err := parseDigest(string(p.Digest))
		if err != nil {
			return err
		}
		there, err := s.hasBlob(repo, d)
		if err != nil {
			return err
		}
		if !there && len(p.URLs) == 0 {
			return refuse(http.StatusBadRequest, codeManifestBlobUnknown, "the repository has no content %s", d)
		}
	}
	for _, p := range m.Manifests {
		d, err := parseDigest(string(p.Digest))
		if err != nil {
			return err
		}
		there, err := s.disk.exists(linkPath(repo, "_manifests", d))
		if err != nil {
			return err
		}
		if !there {
			return refuse(http.StatusBadRequest, codeManifestBlobUnknown, "the repository has no manifest %s", d)
		}
	}
	return nil
}

// deleteManifest takes a tag from a repository, or a manifest with all its tags.
func (s *Server) deleteManifest(w http.ResponseWriter, _ *http.Request, t target) error {
	if tagPattern.MatchString(t.ref) {
		removed, err := s.disk.remove(tagPath(t.repo, t.ref))
		if err != nil {
			return err
		}
		if !removed {
			return refuse(http.StatusNotFound, codeManifestUnknown, "the repository has no tag %q", t.ref)
		}
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	d, _, err := s.point(t.repo, t.ref)
	if err != nil {
		return err
	}
	tags, err := s.disk.list(path.Join("repos", t.repo, "_tags"))
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if text, err := s.disk.read(tagPath(t.repo, tag), 256); err == nil && digest.Digest(text) == d {
			if _, err := s.disk.remove(tagPath(t.repo, tag)); err != nil {
				return err
			}
		}
	}
	if _, err := s.disk.remove(linkPath(t.repo, "_manifests", d)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
