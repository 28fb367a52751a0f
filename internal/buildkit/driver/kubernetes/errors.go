package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// ForbiddenError is a right that the account lacks, as the API server names it.
type ForbiddenError struct {
	Verb, Resource, Namespace string // "create", "pods/exec", "team"
	User                      string // "system:serviceaccount:team:ci"; "" if the server does not say
	Message                   string // the server's own words
}

func (e *ForbiddenError) Error() string {
	if e.Verb == "" {
		return "forbidden: " + e.Message
	}
	who := "this account"
	if e.User != "" {
		who = fmt.Sprintf("%q", e.User)
	}
	return fmt.Sprintf("forbidden: %s may not %s %s in namespace %q", who, e.Verb, e.Resource, e.Namespace)
}

// lacks is how the API server's RBAC words a refusal.
var lacks = regexp.MustCompile(`User "([^"]*)" cannot (\S+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?`)

// apiError makes an answer of the API server, or its silence, into an error that a reader can do
// something about. verb and resource are what was asked for.
func (c *Client) apiError(ctx context.Context, op, verb, resource, org string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, context.Cause(ctx))
	}
	out := &driver.Error{Op: op, Err: err}
	var status apierrors.APIStatus
	switch {
	case apierrors.IsForbidden(err):
		out.Hint, out.Err = c.forbidden(verb, resource, org, err)
	case apierrors.IsUnauthorized(err):
		out.Err = fmt.Errorf("the API server %s does not know this account: %w", c.Server, err)
		out.Hint = "the token or certificate has run out or is for another cluster: get a new one, or look at KUBECONFIG"
	case errors.As(err, &status) && status.Status().Code != 0:
		out.Err = &foreignError{err}
		if d := status.Status().Details; gone(err) && d != nil && d.Kind == "namespaces" {
			out.Hint = "name the organisation's namespace with the option namespace, or have it created"
		}
	default:
		var slow net.Error
		if errors.As(err, &slow) && slow.Timeout() {
			err = &silentError{err}
		}
		out.Err = fmt.Errorf("the API server %s cannot be reached: %w", c.Server, err)
		out.Hint = "see whether this machine reaches it, and whether the kubeconfig file names the right address: kubectl cluster-info"
	}
	return out
}

// silentError is a server that does not answer, which net/http words in several ways.
type silentError struct{ err error }

func (e *silentError) Error() string { return "it does not answer in time" }
func (e *silentError) Unwrap() error { return e.err }

// forbidden tells a missing right, by default verb on resource, which a Role mends, from a refusal of what was asked for.
func (c *Client) forbidden(verb, resource, org string, err error) (hint string, _ error) {
	m := lacks.FindStringSubmatch(err.Error())
	if m == nil && admission(err) {
		return "the namespace does not admit this: see its quota and its pod-security.kubernetes.io labels", &foreignError{err}
	}
	e := &ForbiddenError{Verb: verb, Resource: resource, Namespace: c.Namespace, Message: foreign(err.Error())}
	if m != nil {
		e.User, e.Verb, e.Resource = m[1], m[2], m[3]
		if m[4] != "" {
			e.Resource += "." + m[4]
		}
		if m[5] != "" {
			e.Namespace = m[5]
		}
	}
	if org == "" {
		org = "ORG"
	}
	return fmt.Sprintf("chartgate builder rbac --org %s --namespace %s prints a Role with the rights that are needed", org, e.Namespace), e
}

// admission says whether a 403 comes from a quota, Pod Security or another admission check, and
// not from a missing right.
func admission(err error) bool {
	msg := err.Error()
	for _, sign := range []string{"exceeded quota", "violates PodSecurity", "admission webhook", "failed quota", "is being terminated", "denied request"} {
		if strings.Contains(msg, sign) {
			return true
		}
	}
	return false
}

// gone says whether the API server knows no such object.
func gone(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsGone(err) }

// passing says whether the same request may well succeed a little later.
func passing(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		code := status.Status().Code
		return code == http.StatusTooManyRequests || code >= http.StatusInternalServerError
	}
	return err != nil && !errors.Is(err, context.Canceled)
}

// foreignError is an error whose words come from elsewhere and are made fit for a terminal.
type foreignError struct{ err error }

func (e *foreignError) Error() string { return foreign(e.err.Error()) }
func (e *foreignError) Unwrap() error { return e.err }

// maxForeign is how many bytes of one message from outside are repeated.
const maxForeign = 1000

// foreign makes text from outside fit for a line on a terminal.
func foreign(s string) string {
	s = strings.Join(strings.Fields(printable(s)), " ")
	if len(s) > maxForeign {
		s = strings.ToValidUTF8(s[:maxForeign], "") + "…"
	}
	return s
}

// printable leaves out what steers a terminal; lines stay lines.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20 || (r >= 0x7f && r < 0xa0) || r == 0xfffd || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069):
			return -1
		}
		return r
	}, s)
}
