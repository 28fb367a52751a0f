package registry

import (
	"context"
	"strings"
	"sync"
	"time"
)

// maxGrants bounds the tokens kept; a run over hundreds of repositories has that
// many scopes.
const maxGrants = 10_000

type tokenKey struct{ origin, scopes string }

// grant is a token and the right to renew it: whoever holds turn fetches, others
// that want the same wait for the outcome.
type grant struct {
	turn    chan struct{}
	header  string // "" until fetched
	expires time.Time
}

// token is what a realm issued.
type token struct {
	value   string
	expires time.Time // zero: unknown, used until it is refused
}

// tokenCache keeps what each origin has accepted, bearer tokens by scope.
type tokenCache struct {
	mu      sync.Mutex
	grants  map[tokenKey]*grant
	schemes map[string]string // origin → Basic header
}

// known is the Authorization header to begin with, "" if there is none.
func (t *tokenCache) known(origin string, scopes []string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if header := t.schemes[origin]; header != "" {
		return header
	}
	g := t.grants[tokenKey{origin, strings.Join(scopes, " ")}]
	if g == nil || (!g.expires.IsZero() && time.Now().After(g.expires)) {
		return ""
	}
	return g.header
}

func (t *tokenCache) setBasic(origin, header string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.schemes[origin] = header
}

// bearer fetches a token for a demand unless another goroutine has just done so.
// Only the one that fetches is bound by its own context; the others stop waiting
// when theirs ends.
func (t *tokenCache) bearer(ctx context.Context, d demand, fetch func(context.Context, demand) (token, error)) (string, error) {
	g := t.slot(tokenKey{d.origin, strings.Join(d.scopes, " ")})
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-g.turn }()
	t.mu.Lock()
	header, expired := g.header, !g.expires.IsZero() && time.Now().After(g.expires)
	t.mu.Unlock()
	if header != "" && header != d.refused && !expired {
		return header, nil
	}
	tok, err := fetch(ctx, d)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	g.header, g.expires = "Bearer "+tok.value, tok.expires
	return g.header, nil
}

func (t *tokenCache) slot(key tokenKey) *grant {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.grants[key]
	if g == nil {
		if len(t.grants) >= maxGrants {
			clear(t.grants)
		}
		g = &grant{turn: make(chan struct{}, 1)}
		t.grants[key] = g
	}
	return g
}
