package server

import (
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"
)

// hasBlob reports whether a repository has a content.
func (s *Server) hasBlob(repo string, d digest.Digest) (bool, error) {
	linked, err := s.disk.exists(linkPath(repo, "_blobs", d))
	if err != nil || !linked {
		return false, err
	}
	return s.disk.exists(blobPath(d))
}

// getBlob answers GET and HEAD; the standard library does ranges and conditions.
func (s *Server) getBlob(w http.ResponseWriter, r *http.Request, t target) error {
	d, err := parseDigest(t.ref)
	if err != nil {
		return err
	}
	if there, err := s.hasBlob(t.repo, d); err != nil {
		return err
	} else if !there {
		return refuse(http.StatusNotFound, codeBlobUnknown, "the repository has no content %s", d)
	}
	f, err := s.disk.root.Open(blobPath(d))
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Etag", `"`+d.String()+`"`)
	h.Set("Cache-Control", "max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// deleteBlob takes a content from a repository; others keep it.
func (s *Server) deleteBlob(w http.ResponseWriter, _ *http.Request, t target) error {
	d, err := parseDigest(t.ref)
	if err != nil {
		return err
	}
	removed, err := s.disk.remove(linkPath(t.repo, "_blobs", d))
	if err != nil {
		return err
	}
	if !removed {
		return refuse(http.StatusNotFound, codeBlobUnknown, "the repository has no content %s", d)
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// mount gives a repository a content that another has; false if that has it not.
func (s *Server) mount(repo, from string, d digest.Digest) (bool, error) {
	if err := checkName(from); err != nil {
		return false, err
	}
	there, err := s.hasBlob(from, d)
	if err != nil || !there {
		return false, err
	}
	return true, s.disk.write(linkPath(repo, "_blobs", d), nil)
}

// created answers that a content is there now.
func created(w http.ResponseWriter, repo string, d digest.Digest) error {
	w.Header().Set("Location", "/v2/"+repo+"/blobs/"+d.String())
	w.Header().Set("Docker-Content-Digest", d.String())
	w.WriteHeader(http.StatusCreated)
	return nil
}
