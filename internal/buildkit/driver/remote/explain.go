package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The steps to a daemon, as errors name them.
const (
	opLookup  = "looking up the host"
	opConnect = "connecting"
	opTLS     = "agreeing on TLS"
	opAsk     = "asking for BuildKit"
)

var errSilent = errors.New("no answer in time")

// fail makes the error of a step, with a hint where one is known.
func (d *Driver) fail(op string, err error) *driver.Error {
	e := &driver.Error{Op: op, Builder: d.at.String(), Err: err}
	var (
		lookup  *net.DNSError
		ended   *sshError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		plain   tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &lookup):
		e.Op, e.Hint = opLookup, "is the name right, and can this runner look it up?"
	case errors.As(err, &ended):
		e.Err, e.Detail, e.Hint = errors.New(ended.status), ended.said, ended.hint()
	case refusedClient(err):
		e.Op, e.Hint = opTLS, d.certificateHint()
	case errors.As(err, &host):
		e.Hint = "if that is the right daemon, say which name its certificate is for with servername=NAME"
	case errors.As(err, &unknown):
		e.Hint = "name the certificates that sign the daemon's with cacert=FILE"
	case errors.As(err, &invalid):
		e.Hint = "the certificate is the daemon's: it has to be renewed there"
	case errors.As(err, &plain):
		e.Err, e.Hint = errors.New("it does not speak TLS"), "is that the right port? A daemon without TLS is reached without cacert, cert, key and servername"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Hint = "does the daemon run, and listen there?"
	case errors.Is(err, os.ErrNotExist):
		e.Hint = "is there a daemon, and is that its socket?"
	case errors.Is(err, os.ErrPermission):
		e.Hint = "this user may not use the daemon's socket"
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		e.Err, e.Hint = errSilent, fmt.Sprintf("does a firewall or a network policy let this runner through? timeout=… waits longer than %s", d.options.Timeout)
	case op == opTLS && hungUp(err):
		e.Err, e.Hint = errors.New("it hung up"), "is that the right port? A daemon without TLS is reached without cacert, cert, key and servername"
	}
	return e
}

// refusedClient says whether the other side sent an alert: it is not content with this one.
func refusedClient(err error) bool { return strings.Contains(err.Error(), "remote error: tls: ") }

func (d *Driver) certificateHint() string {
	if d.options.Cert == "" {
		return "the daemon wants to see a certificate: name yours with cert=FILE and key=FILE"
	}
	return fmt.Sprintf("the daemon does not accept the certificate in %q: is it signed by the authority that the daemon was started with?", d.options.Cert)
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// unanswered explains a question that failed on an open connection.
func (d *Driver) unanswered(ctx context.Context, err error, conn *watched) *driver.Error {
	first, read := conn.seen()
	if d.tls != nil && len(first) == 0 && read != nil && !refusedClient(read) {
		if said := d.refusal(ctx); said != nil {
			read = said
		}
	}
	var ended *sshError
	switch {
	case read != nil && (refusedClient(read) || errors.As(read, &ended)):
		return d.fail(opAsk, read)
	case bytes.HasPrefix(first, []byte("HTTP/1.")):
		return &driver.Error{Op: opAsk, Builder: d.at.String(), Err: errors.New("it is a web server, not BuildKit"), Hint: "is that the right port?"}
	case len(first) > 2 && first[0] == 0x15 && first[1] == 3: // a record that holds an alert
		return &driver.Error{Op: opAsk, Builder: d.at.String(), Err: errors.New("it speaks TLS only"), Hint: d.wantsTLS()}
	case status.Code(err) == codes.Unimplemented:
		return &driver.Error{Op: opAsk, Builder: d.at.String(), Err: errors.New("it speaks gRPC, but is not BuildKit"), Hint: "is that the right port?"}
	case len(first) == 0 && read != nil && hungUp(read):
		e := &driver.Error{Op: opAsk, Builder: d.at.String(), Err: errors.New("it hung up")}
		if d.at.scheme == "tcp" && d.tls == nil {
			e.Hint = d.wantsTLS()
		}
		return e
	case len(first) > 0 && first[0] != 0: // HTTP/2 begins with the length of a frame, of which the first byte is 0
		return &driver.Error{Op: opAsk, Builder: d.at.String(), Err: errors.New("it does not speak gRPC, so it is not BuildKit"), Hint: "is that the right port?"}
	case status.Code(err) == codes.DeadlineExceeded:
		return d.fail(opAsk, context.DeadlineExceeded)
	}
	return d.fail(opAsk, errors.New(status.Convert(err).Message()))
}

func (d *Driver) wantsTLS() string {
	return "the daemon may want TLS: name cacert, cert and key"
}

// mayPass says whether an error may be that of a daemon which is only just starting.
func mayPass(err *driver.Error) bool {
	return errors.Is(err.Err, syscall.ECONNREFUSED) || errors.Is(err.Err, os.ErrNotExist) && err.Op == opConnect
}
