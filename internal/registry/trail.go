package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"
)

// maxTrail is how many attempts an error lists.
const maxTrail = 12

// trail records the requests of one operation that did not succeed.
type trail struct {
	mu      sync.Mutex
	lines   []string
	repeats int // of the last line
	status  int
	host    string
}

type trailKey struct{}

func withTrail(ctx context.Context, t *trail) context.Context {
	return context.WithValue(ctx, trailKey{}, t)
}

// trailOf is the trail of the operation that ctx belongs to, or one that nobody
// reads.
func trailOf(ctx context.Context) *trail {
	if t, ok := ctx.Value(trailKey{}).(*trail); ok {
		return t
	}
	return &trail{}
}

// note records the outcome of one request. The 401 that begins every
// authentication is not a failure yet and is left to its end.
func note(ctx context.Context, req *http.Request, resp *http.Response, err error) {
	t := trailOf(ctx)
	what := req.Method + " " + showURL(req.URL)
	switch {
	case err != nil:
		t.outcome(req.URL.Host, 0, what+": "+rootCause(err))
	case resp.StatusCode >= 400 && !(resp.StatusCode == http.StatusUnauthorized && req.Header.Get("Authorization") == ""):
		line := fmt.Sprintf("%s: %d", what, resp.StatusCode)
		if after := resp.Header.Get("Retry-After"); after != "" {
			line += ", retry after " + foreign(after)
		}
		t.outcome(req.URL.Host, resp.StatusCode, line)
	default:
		t.outcome(req.URL.Host, resp.StatusCode, "")
	}
}

func (t *trail) outcome(host string, status int, line string) {
	t.mu.Lock()
	t.host, t.status = host, status
	t.mu.Unlock()
	if line != "" {
		t.add(line)
	}
}

func (t *trail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.lines); n > 0 && t.lines[n-1] == line {
		t.repeats++
		return
	}
	t.flush()
	t.lines = append(t.lines, line)
}

// flush writes the number of repeats into the last line.
func (t *trail) flush() {
	if n := len(t.lines); n > 0 && t.repeats > 0 {
		t.lines[n-1] += fmt.Sprintf(" (%d times)", t.repeats+1)
	}
	t.repeats = 0
	if len(t.lines) >= maxTrail {
		t.lines = append(t.lines[:maxTrail/2], t.lines[maxTrail/2+1:]...)
	}
}

// last gives the host and HTTP status of the last request, and all lines.
func (t *trail) last() (host string, status int, lines []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	return t.host, t.status, t.lines
}

// urlSecrets finds what may be secret in the URLs of a text: users and queries.
var urlSecrets = regexp.MustCompile(`(https?://)(?:[^\s/"@]*@)?([^\s"?#]*)(?:[?#][^\s"]*)?`)

// rootCause is an error's text without the URL that net/http writes around it, and
// with other URLs shortened: oras repeats them too, and the query of one that a
// registry redirects to holds a signature.
func rootCause(err error) string {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return foreign(urlSecrets.ReplaceAllString(err.Error(), "$1$2"))
}
