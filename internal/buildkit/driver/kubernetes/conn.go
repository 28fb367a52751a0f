package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/klog/v2"
)

const (
	maxStderr = 4 << 10         // of what dial-stdio writes there, its end
	partTime  = 2 * time.Second // for the far end to end after its input has
)

// errSilent is a daemon that does not greet.
var errSilent = errors.New("the daemon has not answered")

// remoteError is what went wrong beyond the API server: in the pod or on the way there.
type remoteError struct {
	err    error
	stderr string
}

func (e *remoteError) Error() string {
	if e.stderr == "" {
		return e.err.Error()
	}
	return fmt.Sprintf("%v: %s", e.err, e.stderr)
}

func (e *remoteError) Unwrap() error { return e.err }

// conn is the standard input and output of a command in a pod, as a connection. Deadlines
// do nothing: closing it ends what is under way.
type conn struct {
	name      string
	in        *io.PipeReader // what the command reads
	inW       *io.PipeWriter
	out       *io.PipeReader // what the command writes
	outW      *io.PipeWriter
	err       *tail
	first     chan struct{} // closed when the command has written something
	firstOnce sync.Once
	done      chan struct{} // closed when the stream has ended, with ended as why
	ended     error
	cancel    context.CancelFunc
	ctx       context.Context
	closing   sync.Once
}

func newConn(name string) *conn {
	c := &conn{name: name, err: &tail{}, first: make(chan struct{}), done: make(chan struct{})}
	c.in, c.inW = io.Pipe()
	c.out, c.outW = io.Pipe()
	// What client-go would print about a stream that ends is in the error as well.
	c.ctx, c.cancel = context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	return c
}

// run is the stream, from its beginning to its end.
func (c *conn) run(executor remotecommand.Executor) {
	defer c.cancel()
	err := executor.StreamWithContext(c.ctx, remotecommand.StreamOptions{Stdin: c.in, Stdout: (*firstByte)(c), Stderr: c.err})
	switch stderr := foreign(c.err.String()); {
	case err != nil:
		c.ended = &remoteError{answer(err), stderr}
	case stderr != "":
		c.ended = &remoteError{errors.New("the connection ended"), stderr}
	default:
		c.ended = io.EOF
	}
	close(c.done)
	c.in.CloseWithError(c.ended) // first: who has read the end is not to write any more
	c.outW.CloseWithError(c.ended)
}

// firstByte is the conn's output; it notices the first byte.
type firstByte conn

func (f *firstByte) Write(p []byte) (int, error) {
	if len(p) > 0 {
		f.firstOnce.Do(func() { close(f.first) })
	}
	return f.outW.Write(p)
}

// awaitFirst returns nil when the command has written something.
func (c *conn) awaitFirst(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-c.first:
		return nil
	case <-c.done:
		if errors.Is(c.ended, io.EOF) {
			return &remoteError{err: errors.New("the connection ended before the daemon answered")}
		}
		return c.ended
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return fmt.Errorf("%w within %s", errSilent, most)
	}
}

func (c *conn) Read(p []byte) (int, error)  { return c.out.Read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.inW.Write(p) }

// CloseWrite ends what the command reads; what it still writes can be read.
func (c *conn) CloseWrite() error { return c.inW.Close() }

// CloseRead throws away what the command still writes.
func (c *conn) CloseRead() error { return c.out.Close() }

// Close returns at once. The command is given a moment to end by itself, so that the stream
// ends in good order, before it is cut off.
func (c *conn) Close() error {
	c.closing.Do(func() {
		c.inW.CloseWithError(io.EOF)
		c.out.CloseWithError(net.ErrClosed)
		go func() {
			select {
			case <-c.done:
			case <-time.After(partTime):
				c.cancel()
			}
		}()
	})
	return nil
}

// abort cuts the stream off.
func (c *conn) abort() {
	c.cancel()
	c.Close()
}

func (c *conn) LocalAddr() net.Addr              { return addr("chartgate") }
func (c *conn) RemoteAddr() net.Addr             { return addr(c.name) }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

type addr string

func (a addr) Network() string { return "kubernetes" }
func (a addr) String() string  { return string(a) }

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > maxStderr {
		t.b = append(t.b[:0], t.b[len(t.b)-maxStderr:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
