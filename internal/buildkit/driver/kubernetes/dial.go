package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
)

// target is one pod, as it was when it was chosen.
type target struct {
	namespace, pod, node string
	uid                  types.UID
	restarts             int32
}

func targetOf(p *corev1.Pod) target {
	return target{namespace: p.Namespace, pod: p.Name, node: p.Spec.NodeName, uid: p.UID, restarts: stateOf(p).restarts}
}

func (t target) name() string { return fmt.Sprintf("pod %s/%s", t.namespace, t.pod) }

// maxDials is how often a connection is tried that a passing fault prevents.
const maxDials = 3

// dial connects to the daemon of a pod, and returns when that has sent its first byte: gRPC servers
// speak first, and until then nobody knows whether the exec went well.
func (d *Driver) dial(ctx context.Context, t target) (net.Conn, error) {
	var err error
	for try := range maxDials {
		if try > 0 && !sleep(ctx, time.Duration(try)*d.pace.poll) {
			break
		}
		var conn *conn
		if conn, err = d.dialOnce(ctx, t); err == nil {
			return conn, nil
		}
		if ctx.Err() != nil || !worthAnother(err) {
			break
		}
	}
	return nil, d.dialError(ctx, t, err)
}

// worthAnother is a fault on the way to the pod, not in it: a kubelet that does not listen yet, or whose
// certificate is not approved yet. The API server tells of it in words only.
func worthAnother(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) && passing(err) {
		return true
	}
	for _, sign := range []string{"error dialing backend", "tls: internal error", "connection refused", "connection reset"} {
		if strings.Contains(err.Error(), sign) {
			return true
		}
	}
	return false
}

func (d *Driver) dialError(ctx context.Context, t target, err error) error {
	op := "connecting to " + t.name()
	if ctx.Err() != nil {
		return &driver.Error{Op: op, Err: context.Cause(ctx)}
	}
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return d.client.apiError(ctx, op, "create", "pods/exec", d.o.Org, err)
	}
	if lost := d.lost(ctx, t, 0); lost != nil {
		return lost
	}
	out := &driver.Error{Op: op, Err: &foreignError{err}, Hint: "see whether buildctl debug workers answers in the pod: kubectl -n " + t.namespace + " exec " + t.pod + " -- buildctl debug workers"}
	if worthAnother(err) {
		out.Hint = "the API server does not reach the pod's node: see its state with kubectl get nodes"
	}
	return out
}

// dialOnce tries WebSocket, and SPDY where the API server does not speak that.
func (d *Driver) dialOnce(ctx context.Context, t target) (*conn, error) {
	d.mu.Lock()
	spdied := d.spdied
	d.mu.Unlock()
	if spdied || d.o.Transport == transportSPDY {
		return d.exec(ctx, t, d.spdy)
	}
	c, err := d.exec(ctx, t, d.webSocket)
	if err == nil || d.o.Transport == transportWebSocket || !withoutWebSocket(err) {
		return c, err
	}
	d.mu.Lock()
	spdied, d.spdied = d.spdied, true
	d.mu.Unlock()
	if !spdied {
		d.host.Log(fmt.Sprintf("%s: no WebSocket (%s): using SPDY", t.name(), foreign(err.Error())))
	}
	return d.exec(ctx, t, d.spdy)
}

// withoutWebSocket is an API server, or a proxy before it, that does not speak it. An answer of the API server's
// own is none: a refusal on one transport must not be hidden by trying the other.
func withoutWebSocket(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "pgrade request required") // a proxy took the header away
	}
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

// answer is the API server's own answer to a request for an upgrade, where there is one: over WebSocket it is in an error
// that does not unwrap, over SPDY its words are all that is left.
func answer(err error) error {
	var up *httpstream.UpgradeFailureError
	var status *apierrors.StatusError
	if errors.As(err, &up) {
		if errors.As(up.Cause, &status) {
			return status
		}
		return err
	}
	words, ok := strings.CutPrefix(err.Error(), "unable to upgrade connection: ")
	switch {
	case ok && strings.Contains(words, " is forbidden: "):
		return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: words}}
	case ok && words == "Unauthorized":
		return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusUnauthorized, Reason: metav1.StatusReasonUnauthorized, Message: words}}
	}
	return err
}

func (d *Driver) webSocket(t target) (remotecommand.Executor, error) {
	return remotecommand.NewWebSocketExecutor(d.client.config, "GET", d.execRequest("GET", t).String())
}

func (d *Driver) spdy(t target) (remotecommand.Executor, error) {
	return remotecommand.NewSPDYExecutor(d.client.config, "POST", d.execRequest("POST", t))
}

// exec runs dial-stdio in the pod and waits for the daemon's first byte.
func (d *Driver) exec(ctx context.Context, t target, transport func(target) (remotecommand.Executor, error)) (*conn, error) {
	executor, err := transport(t)
	if err != nil {
		return nil, err
	}
	c := newConn(t.name())
	d.mu.Lock()
	d.open[c] = true
	d.mu.Unlock()
	d.streams.Go(func() {
		c.run(executor)
		d.mu.Lock()
		delete(d.open, c)
		d.mu.Unlock()
	})
	if err := c.awaitFirst(ctx, d.pace.first); err != nil {
		c.abort()
		return nil, err
	}
	return c, nil
}

func (d *Driver) execRequest(verb string, t target) *url.URL {
	return d.client.core.RESTClient().Verb(verb).Namespace(t.namespace).Resource("pods").Name(t.pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: containerName, Command: []string{"buildctl", "dial-stdio"}, Stdin: true, Stdout: true, Stderr: true},
			scheme.ParameterCodec).URL()
}
