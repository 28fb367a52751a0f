package remote

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// keepAlive finds out that the other host is gone while a step prints nothing.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 4}

// connect opens a connection to the daemon, TLS included.
func (d *Driver) connect(ctx context.Context) (*watched, error) {
	switch d.at.scheme {
	case "ssh":
		conn, err := dialSSH(ctx, d.at)
		if err != nil {
			return nil, d.fail(opConnect, err)
		}
		return &watched{Conn: conn}, nil
	case "unix":
		conn, err := new(net.Dialer).DialContext(ctx, "unix", d.at.socket)
		if err != nil {
			return nil, d.fail(opConnect, err)
		}
		return &watched{Conn: conn}, nil
	}
	dialer := net.Dialer{KeepAliveConfig: keepAlive}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(d.at.host, d.at.port))
	if err != nil {
		return nil, d.fail(opConnect, err)
	}
	if d.tls == nil {
		return &watched{Conn: conn}, nil
	}
	secured := tls.Client(conn, d.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, d.fail(opTLS, err)
	}
	return &watched{Conn: secured}, nil
}

// watched is a connection that remembers how the other side began, and what failed
// first: gRPC tells either in its own words, or not at all.
type watched struct {
	net.Conn
	mu    sync.Mutex
	first []byte
	err   error
}

// firstBytes tell a TLS alert, HTTP/1 and HTTP/2 apart.
const firstBytes = 9

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	if missing := firstBytes - len(w.first); missing > 0 && n > 0 {
		w.first = append(w.first, p[:min(n, missing)]...)
	}
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err == nil {
			w.err = err
		}
	}
	return n, err
}

func (w *watched) seen() (first []byte, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first, w.err
}

// alertBound is how long a refusal may take that TLS 1.3 sends after it was agreed upon.
const alertBound = time.Second

// refusal connects again and only listens: what is written to a connection that the other
// side has closed destroys what it said before. It is nil where nothing is said.
func (d *Driver) refusal(ctx context.Context) error {
	conn, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(alertBound))
	if _, err = conn.Read(make([]byte, 1)); err != nil && refusedClient(err) {
		return err
	}
	return nil
}
