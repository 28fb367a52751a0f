package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"
)

const (
	maxToken     = 1 << 20 // bytes of a realm's answer
	tokenMargin  = 15 * time.Second
	clientID     = "chartgate"
	maxTokenLife = 24 * time.Hour
)

// realmError is a realm's refusal. It keeps the realm's host, which is not the
// registry's.
type realmError struct {
	host   string
	status int
	answer answer
}

func (e *realmError) Error() string {
	s := fmt.Sprintf("the token realm at %s answered %s", e.host, statusLine(e.status))
	if text := e.answer.String(); text != "" {
		s += ": " + text
	}
	return s
}

func (e *realmError) Unwrap() error {
	if e.status == http.StatusUnauthorized || e.status == http.StatusForbidden {
		return ErrDenied
	}
	return nil
}

// fetchToken asks the realm of a demand for a token: with the credential of the
// registry's host if there is one, else anonymously.
func (a *authClient) fetchToken(ctx context.Context, d demand) (token, error) {
	cred := a.keys.credential(ctx, d.url.Host)
	if cred.AccessToken != "" {
		return token{value: cred.AccessToken}, nil
	}
	realm, err := url.Parse(d.challenge.params["realm"])
	if err != nil {
		return token{}, errors.New("the registry's token realm is not a URL")
	}
	private, err := a.realms.allow(realm, d.url, d.peer)
	if err != nil {
		return token{}, err
	}
	req, err := tokenRequest(ctx, realm, d, cred)
	if err != nil {
		return token{}, err
	}
	client := a.ask[0]
	if private {
		client = a.ask[1]
	}
	asked := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return token{}, fmt.Errorf("asking the token realm at %s: %w", realm.Host, err)
	}
	defer discard(resp)
	body, err := readAll(resp.Body, maxToken)
	if err != nil {
		return token{}, fmt.Errorf("reading the answer of the token realm at %s: %w", realm.Host, err)
	}
	if resp.StatusCode != http.StatusOK {
		return token{}, &realmError{host: realm.Host, status: resp.StatusCode, answer: parseAnswer(body)}
	}
	return parseToken(realm.Host, body, asked)
}

// tokenRequest is the form that the distribution project documents: GET with the
// scopes as parameters, and for an identity token the OAuth2 form.
func tokenRequest(ctx context.Context, realm *url.URL, d demand, cred auth.Credential) (*http.Request, error) {
	u := *realm
	u.User, u.Fragment = nil, ""
	service := d.challenge.params["service"]
	if cred.RefreshToken != "" {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {cred.RefreshToken},
			"service": {service}, "client_id": {clientID}, "scope": {strings.Join(d.scopes, " ")}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return req, err
	}
	query := u.Query()
	if service != "" {
		query.Set("service", service)
	}
	for _, s := range d.scopes {
		query.Add("scope", s)
	}
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err == nil && (cred.Username != "" || cred.Password != "") {
		req.SetBasicAuth(cred.Username, cred.Password)
	}
	return req, err
}

// parseToken reads a realm's answer. Keys are matched exactly, unlike in
// encoding/json: the answers of other services than token realms use similar ones.
func parseToken(host string, body []byte, asked time.Time) (token, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return token{}, fmt.Errorf("the token realm at %s did not answer with a JSON object", host)
	}
	var tok token
	for _, key := range []string{"access_token", "token"} {
		if json.Unmarshal(fields[key], &tok.value) == nil && tok.value != "" {
			break
		}
	}
	if tok.value == "" || strings.ContainsFunc(tok.value, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return token{}, fmt.Errorf("the token realm at %s answered without a usable token", host)
	}
	var seconds float64
	if json.Unmarshal(fields["expires_in"], &seconds) == nil && seconds > 0 {
		life := time.Duration(min(seconds, maxTokenLife.Seconds())) * time.Second
		tok.expires = asked.Add(max(life-tokenMargin, life/2))
	}
	return tok, nil
}
