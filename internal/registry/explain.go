package registry

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// answer is the error that a registry puts into its body.
type answer struct{ code, message string }

// String joins code and message.
func (a answer) String() string {
	return strings.Trim(a.code+": "+a.message, ": ")
}

// parseAnswer reads the JSON form of the distribution specification, also the
// shorter ones that token realms use; anything else gives nothing.
func parseAnswer(body []byte) answer {
	var form struct {
		Errors  json.RawMessage `json:"errors"`
		Error   string          `json:"error"`
		Message string          `json:"message"`
		Details string          `json:"details"`
		Desc    string          `json:"error_description"`
	}
	if json.Unmarshal(body, &form) != nil {
		return answer{}
	}
	var list []struct{ Code, Message string }
	if json.Unmarshal(form.Errors, &list) == nil && len(list) > 0 {
		return answer{foreign(list[0].Code), foreign(list[0].Message)}
	}
	for _, text := range []string{form.Desc, form.Message, form.Details} {
		if text != "" {
			return answer{foreign(form.Error), foreign(text)}
		}
	}
	return answer{code: foreign(form.Error)}
}

// explain makes an *Error of whatever ended an operation.
func (c *Client) explain(op, host, ref string, t *trail, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	asked, status, tried := t.last()
	e := &Error{Op: op, Host: host, Ref: ref, Tried: tried, Err: err}
	var refused *realmError
	var page *httpError
	var resp *errcode.ErrorResponse
	switch {
	case errors.As(err, &refused):
		e.Err, e.Code, e.Message = fmt.Errorf("%w: %w", ErrDenied, refused), refused.answer.code, refused.answer.message
		if refused.Unwrap() == nil {
			e.Err = refused
		}
	case errors.As(err, &resp):
		e.Status = resp.StatusCode
		if len(resp.Errors) > 0 {
			e.Code, e.Message = foreign(resp.Errors[0].Code), foreign(resp.Errors[0].Message)
		}
		e.Err = statusError(resp.StatusCode)
	case errors.As(err, &page):
		e.Status, e.Code, e.Message, e.Err = page.status, page.answer.code, page.answer.message, statusError(page.status)
	case errors.Is(err, errdef.ErrNotFound) || errors.Is(err, ErrNotFound):
		e.Err = ErrNotFound
		if status == http.StatusNotFound {
			e.Status = status
		}
	default:
		e.Err = plainCause(err)
	}
	if e.Status != 0 && asked != "" {
		e.Host = asked
	}
	e.Hint = c.hint(e, err)
	return e
}

// httpError is an answer of a chart repository that is not a success.
type httpError struct {
	status int
	answer answer
}

func (e *httpError) Error() string { return statusLine(e.status) }

func statusError(status int) error {
	switch status {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	}
	return errors.New(statusLine(status))
}

// causeError shows a cleaned text and keeps the chain for errors.Is.
type causeError struct {
	text string
	err  error
}

func (e *causeError) Error() string { return e.text }
func (e *causeError) Unwrap() error { return e.err }

// plainCause leaves out the URLs that the standard library and oras write into
// their errors, whose query may hold a signature.
func plainCause(err error) error {
	return &causeError{text: rootCause(err), err: err}
}

// hint is what the reader can do, "" if we do not know better than the error.
func (c *Client) hint(e *Error, err error) string {
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errRealm):
		return "the registry names a place to get tokens from that is not asked; if that is right in your network, name the realm's host among the token hosts"
	case errors.Is(e.Err, ErrDenied):
		return c.deniedHint(e)
	case errors.As(err, &record) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the server speaks HTTP: add --plain-http"
	case strings.Contains(err.Error(), "malformed HTTP response"), e.Status == http.StatusBadRequest && e.Code == "" && c.plainHTTP(e.Host):
		return "the server seems to speak HTTPS: leave --plain-http out"
	case errors.As(err, &cert):
		return "the server's certificate is not trusted: name its authority with --ca-file"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at " + e.Host + ": check host and port"
	case e.Status == http.StatusTooManyRequests:
		return "the server limits how often it is asked: try again later, or log in for a higher limit"
	case errors.Is(err, context.DeadlineExceeded):
		return "the server was too slow, or cannot be reached from here"
	}
	return ""
}

// deniedHint tells where credentials were looked for, never what was found there.
func (c *Client) deniedHint(e *Error) string {
	if !IsOCI(e.Ref) {
		entry := "has no user and password for this URL"
		if c.knownRepo(e.Ref) {
			entry = "has a user and password for it, which the server does not accept"
		}
		path := c.repos.path
		if path == "" {
			path = "repositories.yaml"
		}
		return fmt.Sprintf("Helm's %s %s: see helm repo add --username --password-stdin", show(path), entry)
	}
	host := e.Ref[len(Scheme):]
	host, _, _ = strings.Cut(host, "/")
	_, report := c.keys.lookup(context.Background(), registryHost(host))
	return "credentials for " + host + " were looked for in " + strings.Join(report, ", ")
}

// registryHost is the host that a registry is reached at.
func registryHost(host string) string {
	return Reference{Host: host, Repository: "x"}.oras().Host()
}
