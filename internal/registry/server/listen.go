package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Running is a server that accepts connections.
type Running struct {
	Addr string // host:port, the port that was chosen if 0 was asked for

	http *http.Server
	done chan struct{}
	err  error
}

// Start listens on a loopback address such as "127.0.0.1:0" and serves until the
// context ends or Close is called. Listening elsewhere is refused unless the
// options say AnyAddress, since everybody who can connect can write.
func (s *Server) Start(ctx context.Context, addr string) (*Running, error) {
	if err := s.checkAddress(addr); err != nil {
		return nil, err
	}
	var conf net.ListenConfig
	l, err := conf.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("starting the registry: %w", err)
	}
	handler := s.Handler()
	if !s.opts.AnyAddress {
		handler = localOnly(handler)
	}
	r := &Running{Addr: l.Addr().String(), done: make(chan struct{}), http: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       15 * time.Minute,
		WriteTimeout:      15 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0),
	}}
	stop := context.AfterFunc(ctx, func() { _ = r.Close(context.WithoutCancel(ctx)) })
	go r.serve(l, stop)
	return r, nil
}

func (s *Server) checkAddress(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("starting the registry at %q: an address is HOST:PORT", addr)
	}
	if !s.opts.AnyAddress && !loopback(host) {
		return fmt.Errorf("starting the registry at %q: only loopback is served, such as 127.0.0.1:5000", addr)
	}
	return nil
}

func loopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// localOnly refuses requests that name a host other than loopback: a page in a
// browser can have its own name resolve to this machine, and write here.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !loopback(host) {
			writeError(&recorder{ResponseWriter: w}, refuse(http.StatusForbidden, codeDenied, "this registry answers to loopback names only"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (r *Running) serve(l net.Listener, stop func() bool) {
	defer close(r.done)
	defer stop()
	if err := r.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		r.err = fmt.Errorf("serving the registry: %w", err)
	}
}

// Wait returns when the server has ended, with what ended it; nil after Close.
func (r *Running) Wait() error {
	<-r.done
	return r.err
}

// Close stops listening and gives requests under way five seconds to finish, less
// if ctx ends earlier. It may be called more than once.
func (r *Running) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := r.http.Shutdown(ctx); err != nil {
		err = r.http.Close()
		<-r.done
		return err
	}
	<-r.done
	return nil
}
