package registry

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// authClient sends requests to registries and answers their challenges. It stands
// where the library's own auth client would, which refuses every token realm at a
// private address on another host and so cannot work with a GitLab on a private
// network. What it allows is set out in the package's documentation.
type authClient struct {
	http   *http.Client
	keys   *keyring
	tokens tokenCache
	realms realmPolicy
	ask    [2]*http.Client // for tokens: [0] at public addresses only, [1] also at private ones
}

func newAuthClient(c *Client) *authClient {
	base := c.wire.transport(c.tlsConfig(), nil)
	return &authClient{
		http:   c.newHTTP(base),
		keys:   c.keys,
		tokens: tokenCache{grants: map[tokenKey]*grant{}, schemes: map[string]string{}},
		realms: realmPolicy{env: c.opts.Env, hosts: c.opts.TokenHosts},
		ask:    [2]*http.Client{c.newTokenHTTP(c.tlsConfig(), refuseInternal), c.newTokenHTTP(c.tlsConfig(), refuseMetadata)},
	}
}

func (c *Client) newTokenHTTP(conf *tls.Config, refuse dialControl) *http.Client {
	client := c.newHTTP(c.wire.transport(conf, refuse))
	client.CheckRedirect = realmRedirect
	return client
}

// Do implements the library's client interface. It sends the request with the
// grant that is known for its origin and scopes; where the server then asks for
// another, it gets one and sends the request once more. The last answer is
// returned as it is, a 401 too.
func (a *authClient) Do(orig *http.Request) (*http.Response, error) {
	origin := orig.URL.Scheme + "://" + hostPort(orig.URL)
	scopes := auth.GetAllScopesForHost(orig.Context(), orig.URL.Host)
	known := a.tokens.known(origin, scopes)
	resp, peer, err := a.send(orig, known)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !sameOrigin(orig.URL, resp.Request.URL) {
		return resp, err
	}
	all, err := parseChallenges(resp.Header.Values("Www-Authenticate"))
	if err != nil {
		discard(resp)
		return nil, err
	}
	want, ok := pick(all)
	if !ok || !rewindable(orig) {
		return resp, nil
	}
	header, err := a.authorize(orig.Context(), demand{url: orig.URL, origin: origin, peer: peer, scopes: scopes, challenge: want, refused: known})
	if err != nil {
		discard(resp)
		return nil, err
	}
	if header == "" {
		return resp, nil
	}
	discard(resp)
	resp, _, err = a.send(orig, header)
	return resp, err
}

// send sends the request with the Authorization header given, none if it is "",
// and tells the address that answered.
func (a *authClient) send(orig *http.Request, header string) (*http.Response, netip.Addr, error) {
	var peer netip.Addr
	ctx := httptrace.WithClientTrace(orig.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if !peer.IsValid() { // the first connection is to the registry, later ones to where it redirects
			peer = addrOf(info.Conn.RemoteAddr())
		}
	}})
	req := orig.Clone(ctx)
	// The library copies the header of one request into the next of an upload; a
	// token may have expired in between.
	req.Header.Del("Authorization")
	if header != "" {
		req.Header.Set("Authorization", header)
	}
	if orig.GetBody != nil {
		body, err := orig.GetBody()
		if err != nil {
			return nil, peer, err
		}
		req.Body = body
	}
	resp, err := a.http.Do(req)
	return resp, peer, err
}

// demand is a challenge together with what it was raised for.
type demand struct {
	url       *url.URL   // of the request
	origin    string     // its origin, the key of caches
	peer      netip.Addr // the address that answered, invalid if unknown
	scopes    []string   // what the operation needs
	challenge challenge
	refused   string // the Authorization header that the server did not accept, "" if none was sent
}

// authorize gives the Authorization header that answers a challenge, "" if there
// is nothing to answer it with.
func (a *authClient) authorize(ctx context.Context, d demand) (string, error) {
	if d.challenge.scheme == "basic" {
		cred := a.keys.credential(ctx, d.url.Host)
		if cred.Username == "" || cred.Password == "" {
			return "", nil
		}
		header := "Basic " + base64.StdEncoding.EncodeToString([]byte(cred.Username+":"+cred.Password))
		if header == d.refused {
			return "", nil
		}
		a.tokens.setBasic(d.origin, header)
		return header, nil
	}
	if hinted := d.challenge.params["scope"]; hinted != "" {
		d.scopes = auth.CleanScopes(append(append([]string(nil), d.scopes...), strings.Fields(hinted)...))
	}
	if d.challenge.params["realm"] == "" {
		return "", errors.New("the registry wants a bearer token but names no realm that issues one")
	}
	return a.tokens.bearer(ctx, d, a.fetchToken)
}
