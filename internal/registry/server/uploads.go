package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strconv"

	"github.com/opencontainers/go-digest"
)

// startUpload begins an upload, or does the whole of it: by mounting, or with the
// content in this very request.
func (s *Server) startUpload(w http.ResponseWriter, r *http.Request, t target) error {
	query := r.URL.Query()
	if mount := query.Get("mount"); mount != "" {
		d, err := parseDigest(mount)
		if err != nil {
			return err
		}
		if from := query.Get("from"); from != "" {
			if done, err := s.mount(t.repo, from, d); err != nil {
				return err
			} else if done {
				return created(w, t.repo, d)
			}
		}
	} else if whole := query.Get("digest"); whole != "" {
		d, err := parseDigest(whole)
		if err != nil {
			return err
		}
		return s.keep(w, r, t.repo, d, nil)
	}
	s.sweepIfDue()
	id, err := s.newUpload(t.repo)
	if err != nil {
		return err
	}
	return uploadAnswer(w, t.repo, id, 0, http.StatusAccepted)
}

func (s *Server) newUpload(repo string) (string, error) {
	under, err := s.disk.list("uploads")
	if err != nil {
		return "", err
	}
	if len(under) >= s.opts.MaxUploads {
		return "", refuse(http.StatusTooManyRequests, codeTooMany, "%d uploads are under way", len(under))
	}
	id := randomID()
	if err := s.disk.root.Mkdir("uploads/"+id, 0o755); err != nil {
		return "", err
	}
	if err := s.disk.root.WriteFile("uploads/"+id+"/repo", []byte(repo), 0o644); err != nil {
		return "", err
	}
	return id, s.disk.root.WriteFile("uploads/"+id+"/data", nil, 0o644)
}

// openUpload takes an upload of a repository and opens what it has so far.
func (s *Server) openUpload(ctx context.Context, t target) (f *os.File, size int64, release func(), err error) {
	unlock, err := s.locks.take(ctx, t.ref)
	if err != nil {
		return nil, 0, nil, err
	}
	unknown := refuse(http.StatusNotFound, codeUploadUnknown, "the repository has no such upload")
	owner, err := s.disk.read("uploads/"+t.ref+"/repo", maxName)
	if err == nil && string(owner) != t.repo {
		err = unknown
	}
	if err == nil {
		f, err = s.disk.root.OpenFile("uploads/"+t.ref+"/data", os.O_RDWR|os.O_APPEND, 0)
	}
	if err == nil {
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		if f != nil {
			_ = f.Close()
		}
		unlock()
		if errors.Is(err, fs.ErrNotExist) {
			err = unknown
		}
		return nil, 0, nil, err
	}
	return f, size, func() { _ = f.Close(); unlock() }, nil
}

func (s *Server) uploadStatus(w http.ResponseWriter, r *http.Request, t target) error {
	_, size, release, err := s.openUpload(r.Context(), t)
	if err != nil {
		return err
	}
	defer release()
	return uploadAnswer(w, t.repo, t.ref, size, http.StatusNoContent)
}

func (s *Server) cancelUpload(w http.ResponseWriter, r *http.Request, t target) error {
	_, _, release, err := s.openUpload(r.Context(), t)
	if err != nil {
		return err
	}
	defer release()
	if err := s.disk.root.RemoveAll("uploads/" + t.ref); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// appendUpload adds a chunk. What arrived of a chunk that broke off stays; the
// client can ask how much that is.
func (s *Server) appendUpload(w http.ResponseWriter, r *http.Request, t target) error {
	f, size, release, err := s.openUpload(r.Context(), t)
	if err != nil {
		return err
	}
	defer release()
	if err := checkRange(w, r, t, size); err != nil {
		return err
	}
	n, err := io.Copy(f, http.MaxBytesReader(w, r.Body, s.opts.MaxBlob-size))
	if err != nil {
		return uploadFault(err)
	}
	return uploadAnswer(w, t.repo, t.ref, size+n, http.StatusAccepted)
}

// uploadFault tells a body that broke off from a disk that failed.
func uploadFault(err error) error {
	var path *fs.PathError
	var large *http.MaxBytesError
	if errors.As(err, &path) || errors.As(err, &large) {
		return err
	}
	return refuse(http.StatusBadRequest, codeUploadInvalid, "the body broke off")
}

var contentRange = regexp.MustCompile(`^(?:bytes )?([0-9]{1,18})-([0-9]{1,18})(?:/(?:[0-9]+|\*))?$`)

// checkRange holds a chunk against what is there: chunks come in order, without
// gaps.
func checkRange(w http.ResponseWriter, r *http.Request, t target, size int64) error {
	header := r.Header.Get("Content-Range")
	if header == "" {
		return nil
	}
	m := contentRange.FindStringSubmatch(header)
	if m == nil {
		return refuse(http.StatusBadRequest, codeUploadInvalid, "Content-Range %.64q cannot be read", header)
	}
	first, _ := strconv.ParseInt(m[1], 10, 64) // at most 18 digits: cannot overflow
	last, _ := strconv.ParseInt(m[2], 10, 64)
	if first != size {
		uploadHeaders(w, t.repo, t.ref, size)
		return refuse(http.StatusRequestedRangeNotSatisfiable, codeUploadInvalid, "the next chunk begins at %d, not at %d", size, first)
	}
	if r.ContentLength >= 0 && last-first+1 != r.ContentLength {
		return refuse(http.StatusBadRequest, codeSizeInvalid, "Content-Range says %d bytes, Content-Length %d", last-first+1, r.ContentLength)
	}
	return nil
}

// finishUpload closes an upload, with the last or only chunk in its body.
func (s *Server) finishUpload(w http.ResponseWriter, r *http.Request, t target) error {
	d, err := parseDigest(r.URL.Query().Get("digest"))
	if err != nil {
		return err
	}
	f, size, release, err := s.openUpload(r.Context(), t)
	if err != nil {
		return err
	}
	defer release()
	if err := checkRange(w, r, t, size); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := s.keep(w, r, t.repo, d, io.LimitReader(f, size)); err != nil {
		return err
	}
	return s.disk.root.RemoveAll("uploads/" + t.ref)
}

// keep copies begun, if any, and the body into a file of its own while hashing,
// and makes that the content d of a repository. Nobody else can change the file
// between the hashing and the naming.
func (s *Server) keep(w http.ResponseWriter, r *http.Request, repo string, d digest.Digest, begun io.Reader) error {
	body := io.Reader(http.MaxBytesReader(w, r.Body, s.opts.MaxBlob))
	if begun != nil {
		body = io.MultiReader(begun, body)
	}
	f, err := s.disk.stage()
	if err != nil {
		return err
	}
	hash := d.Algorithm().Hash()
	n, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(body, s.opts.MaxBlob+1))
	switch {
	case err != nil:
		err = uploadFault(err)
	case n > s.opts.MaxBlob:
		err = refuse(http.StatusRequestEntityTooLarge, codeSizeInvalid, "more than %d bytes", s.opts.MaxBlob)
	case digest.NewDigest(d.Algorithm(), hash) != d:
		err = refuse(http.StatusBadRequest, codeDigestInvalid, "the content has another digest than %s", d)
	}
	if err != nil {
		return errors.Join(err, s.disk.drop(f))
	}
	if err := s.disk.commit(f, blobPath(d)); err != nil {
		return err
	}
	if err := s.disk.write(linkPath(repo, "_blobs", d), nil); err != nil {
		return err
	}
	return created(w, repo, d)
}

func uploadHeaders(w http.ResponseWriter, repo, id string, size int64) {
	w.Header().Set("Location", "/v2/"+repo+"/blobs/uploads/"+id)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
	w.Header().Set("Docker-Upload-UUID", id)
}

func uploadAnswer(w http.ResponseWriter, repo, id string, size int64, status int) error {
	uploadHeaders(w, repo, id, size)
	w.WriteHeader(status)
	return nil
}
