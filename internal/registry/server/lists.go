package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// maxPage is how many names one answer has at most.
const maxPage = 10_000

func itoa(n int) string { return strconv.Itoa(n) }

// page cuts sorted names to what a request wants, and says whether more follow.
func page(names []string, query url.Values) (part []string, more bool, err error) {
	n := maxPage
	if text := query.Get("n"); text != "" {
		n, err = strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, false, refuse(http.StatusBadRequest, codeUnsupported, "n=%.32q is not a number of results", text)
		}
		n = min(n, maxPage)
	}
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearch(names, last)
		if found {
			i++
		}
		names = names[i:]
	}
	if n < len(names) {
		return names[:n], n > 0, nil
	}
	return names, false, nil
}

// next sets the Link to the page after the one that ends with last.
func next(w http.ResponseWriter, r *http.Request, last string) {
	query := r.URL.Query()
	query.Set("last", last)
	w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.EscapedPath(), query.Encode()))
}

func (s *Server) listTags(w http.ResponseWriter, r *http.Request, t target) error {
	known, err := s.disk.exists(path.Join("repos", t.repo, "_manifests"))
	if err != nil {
		return err
	}
	if !known {
		return refuse(http.StatusNotFound, codeNameUnknown, "there is no repository %q", t.repo)
	}
	names, err := s.tags(t.repo)
	if err != nil {
		return err
	}
	part, more, err := page(names, r.URL.Query())
	if err != nil {
		return err
	}
	if more {
		next(w, r, part[len(part)-1])
	}
	return writeJSON(w, "application/json", struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{t.repo, append([]string{}, part...)})
}

// tags lists the tags whose manifest is there.
func (s *Server) tags(repo string) ([]string, error) {
	names, err := s.disk.list(path.Join("repos", repo, "_tags"))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(names, func(tag string) bool {
		text, err := s.disk.read(tagPath(repo, tag), 256)
		d := digest.Digest(text)
		if err != nil || d.Validate() != nil {
			return true
		}
		there, err := s.disk.exists(linkPath(repo, "_manifests", d))
		return err == nil && !there
	}), nil
}

func (s *Server) listRepositories(w http.ResponseWriter, r *http.Request, _ target) error {
	names, err := s.Repositories(r.Context())
	if err != nil {
		return err
	}
	part, more, err := page(names, r.URL.Query())
	if err != nil {
		return err
	}
	if more {
		next(w, r, part[len(part)-1])
	}
	return writeJSON(w, "application/json", struct {
		Repositories []string `json:"repositories"`
	}{append([]string{}, part...)})
}

// Repositories lists the repositories that have a tag, sorted.
func (s *Server) Repositories(ctx context.Context) ([]string, error) {
	var names []string
	err := fs.WalkDir(s.disk.root.FS(), "repos", func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "_") {
			return nil
		}
		if e.Name() == "_tags" {
			name := strings.TrimPrefix(path.Dir(p), "repos/")
			if tags, err := s.tags(name); err == nil && len(tags) > 0 {
				names = append(names, name)
			}
		}
		return fs.SkipDir
	})
	slices.Sort(names)
	return names, err
}

// Tags lists the tags of a repository, sorted; none if it does not exist.
func (s *Server) Tags(repo string) ([]string, error) {
	if err := checkName(repo); err != nil {
		return nil, err
	}
	return s.tags(repo)
}
