// Package server is a registry of the OCI distribution specification, version
// 1.1, that keeps its contents in a folder. It is what `chartgate serve` and the
// embedded publish target run, on loopback and without accounts.
//
// # On disk
//
//	oci-layout                                   the mark of an image layout
//	blobs/ALGORITHM/HEX                          contents, each named by its digest
//	repos/NAME/_blobs/ALGORITHM/HEX              which contents a repository has
//	repos/NAME/_manifests/ALGORITHM/HEX          its manifests; the file holds the media type
//	repos/NAME/_tags/TAG                         the digest that a tag stands for
//	repos/NAME/_referrers/ALGORITHM/HEX/FILE     what refers to a subject, as descriptors
//	uploads/ID/                                  uploads under way
//	tmp/                                         files being written
//
// A file is written under tmp, synchronised and renamed into place, so that it is
// there whole or not at all, whatever happens to the process. Contents are
// hashed while they are copied into a file that no other request can reach, so
// several processes may serve one folder. Contents whose last repository let go of
// them stay on disk: removing them safely would need a lock over all processes.
package server

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options configure a [Server]. The zero value is usable.
type Options struct {
	MaxBlob     int64         // bytes of one content; default 1 GiB
	MaxManifest int64         // bytes of one manifest; default 4 MiB
	MaxUploads  int           // uploads under way at once; default 128
	UploadTTL   time.Duration // an upload that nothing was added to for so long is removed; default 1 hour
	AnyAddress  bool          // let Start listen beyond loopback, and answer to any host name
	Log         *slog.Logger  // one line a request; nil for none
}

func (o Options) withDefaults() Options {
	if o.MaxBlob == 0 {
		o.MaxBlob = 1 << 30
	}
	if o.MaxManifest == 0 {
		o.MaxManifest = 4 << 20
	}
	if o.MaxUploads == 0 {
		o.MaxUploads = 128
	}
	if o.UploadTTL == 0 {
		o.UploadTTL = time.Hour
	}
	return o
}

// Server serves the contents of one folder. It is safe for concurrent use.
type Server struct {
	opts  Options
	disk  *disk
	locks uploadLocks

	sweepMu sync.Mutex
	swept   time.Time
}

// New opens a folder, made if need be, and removes what earlier processes left
// unfinished. Close releases it.
func New(root string, opts Options) (*Server, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("opening registry folder %q: %w", root, err)
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("opening registry folder %q: %w", root, err)
	}
	s := &Server{opts: opts.withDefaults(), disk: &disk{root: dir}}
	s.locks.turns = map[string]chan struct{}{}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening registry folder %q: %w", root, err), dir.Close())
	}
	return s, nil
}

func (s *Server) prepare() error {
	for _, name := range []string{"tmp", "uploads", "blobs", "repos"} {
		if err := s.disk.root.MkdirAll(name, 0o755); err != nil {
			return err
		}
	}
	if _, err := s.disk.root.Stat("oci-layout"); errors.Is(err, fs.ErrNotExist) {
		if err := s.disk.write("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
			return err
		}
	}
	s.sweep(time.Now())
	return nil
}

// Close releases the folder. Requests under way fail.
func (s *Server) Close() error { return s.disk.root.Close() }

// Handler answers the requests of the distribution specification under /v2/.
func (s *Server) Handler() http.Handler {
	table := s.routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		rec := &recorder{ResponseWriter: w}
		rec.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
		rec.Header().Set("X-Content-Type-Options", "nosniff")
		if err := dispatch(table, rec, r); err != nil {
			writeError(rec, err)
		}
		if s.opts.Log != nil {
			s.opts.Log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path,
				"status", rec.status, "took", time.Since(began).Round(time.Microsecond))
		}
	})
}

// recorder remembers the status for the log, and whether an error can still be
// written.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(code int) {
	if r.status == 0 {
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
