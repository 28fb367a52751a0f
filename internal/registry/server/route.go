package server

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// target is what a path names.
type target struct {
	repo string
	ref  string // tag, digest or upload
}

type handler func(w http.ResponseWriter, r *http.Request, t target) error

// route binds a form of path to its methods. A repository's name may contain the
// words that follow it, so patterns are greedy: the last one counts.
type route struct {
	pattern *regexp.Regexp // group 1 the repository, group 2 the rest
	methods map[string]handler
}

func (s *Server) routes() []route {
	return []route{
		{regexp.MustCompile(`^/v2/?$`), map[string]handler{"GET": hello, "HEAD": hello}},
		{regexp.MustCompile(`^/v2/_catalog$`), map[string]handler{"GET": s.listRepositories}},
		{regexp.MustCompile(`^/v2/(.+)/blobs/uploads/?$`), map[string]handler{"POST": s.startUpload}},
		{regexp.MustCompile(`^/v2/(.+)/blobs/uploads/([0-9a-f]{32})$`), map[string]handler{
			"GET": s.uploadStatus, "PATCH": s.appendUpload, "PUT": s.finishUpload, "DELETE": s.cancelUpload}},
		{regexp.MustCompile(`^/v2/(.+)/blobs/([^/]+)$`), map[string]handler{
			"GET": s.getBlob, "HEAD": s.getBlob, "DELETE": s.deleteBlob}},
		{regexp.MustCompile(`^/v2/(.+)/manifests/([^/]+)$`), map[string]handler{
			"GET": s.getManifest, "HEAD": s.getManifest, "PUT": s.putManifest, "DELETE": s.deleteManifest}},
		{regexp.MustCompile(`^/v2/(.+)/tags/list$`), map[string]handler{"GET": s.listTags}},
		{regexp.MustCompile(`^/v2/(.+)/referrers/([^/]+)$`), map[string]handler{"GET": s.listReferrers}},
	}
}

func dispatch(table []route, w http.ResponseWriter, r *http.Request) error {
	for _, rt := range table {
		m := rt.pattern.FindStringSubmatch(r.URL.Path)
		if m == nil {
			continue
		}
		h := rt.methods[r.Method]
		if h == nil {
			allowed := make([]string, 0, len(rt.methods))
			for method := range rt.methods {
				allowed = append(allowed, method)
			}
			slices.Sort(allowed)
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			return refuse(http.StatusMethodNotAllowed, codeUnsupported, "%s is not possible here", r.Method)
		}
		var t target
		if len(m) > 1 {
			t.repo = m[1]
			if err := checkName(t.repo); err != nil {
				return err
			}
		}
		if len(m) > 2 {
			t.ref = m[2]
		}
		return h(w, r, t)
	}
	return refuse(http.StatusNotFound, codeUnsupported, "there is nothing at this path")
}

func hello(w http.ResponseWriter, _ *http.Request, _ target) error {
	return writeJSON(w, "application/json", struct{}{})
}

var (
	namePattern = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

const maxName = 255

func checkName(name string) error {
	if len(name) > maxName || !namePattern.MatchString(name) {
		return refuse(http.StatusBadRequest, codeNameInvalid, "%.64q is not the name of a repository", name)
	}
	return nil
}

// parseDigest accepts the algorithms that the image specification registers.
func parseDigest(s string) (digest.Digest, error) {
	d, err := digest.Parse(s)
	if err != nil || (d.Algorithm() != digest.SHA256 && d.Algorithm() != digest.SHA512) {
		return "", refuse(http.StatusBadRequest, codeDigestInvalid, "%.160q is not a SHA-256 or SHA-512 digest", s)
	}
	return d, nil
}
