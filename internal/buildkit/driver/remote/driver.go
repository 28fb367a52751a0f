package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/moby/buildkit/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Driver reaches one daemon. It is safe for several goroutines.
type Driver struct {
	options options
	at      endpoint
	tls     *tls.Config // nil where TLS is not spoken
	host    driver.Host
}

// New reads the options and the files that they name. Nothing is connected.
func New(given map[string]string, host driver.Host) (*Driver, error) {
	o, at, err := decode(given, host.Env)
	if err != nil {
		return nil, err
	}
	config, err := o.tlsConfig(at.host, time.Now())
	if err != nil {
		return nil, err
	}
	return &Driver{options: *o, at: at, tls: config, host: host}, nil
}

// pause is between attempts to reach a daemon that may only just be starting.
const pause = 200 * time.Millisecond

// Start returns when the daemon answers.
func (d *Driver) Start(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	for told := false; ; told = true {
		err := d.ask(within)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !mayPass(err):
			return err
		}
		if !told {
			d.host.Log(fmt.Sprintf("waiting for %s: %v", d.at, err.Err))
		}
		select {
		case <-within.Done():
			return err // of the last attempt: it says more than that time is up
		case <-time.After(pause):
		}
	}
}

// Builder is the daemon, whatever the key.
func (d *Driver) Builder(context.Context, string) (*driver.Builder, error) {
	return &driver.Builder{Name: d.at.String(), Dial: d.dial, Lost: d.lost}, nil
}

// Close does nothing: the daemon is not ours, and connections are their users'.
func (*Driver) Close(context.Context) error { return nil }

func (d *Driver) dial(ctx context.Context) (net.Conn, error) {
	conn, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// lostBound is how long the daemon may take to show that it is well.
const lostBound = 5 * time.Second

// lost asks the daemon whether it is there. One that answers is well, as far as can be
// told from here: the connection broke.
func (d *Driver) lost(ctx context.Context) *driver.LostError {
	ctx, cancel := context.WithTimeout(ctx, lostBound)
	defer cancel()
	err := d.ask(ctx)
	if err == nil {
		return nil
	}
	return &driver.LostError{Builder: d.at.String(), Reason: fmt.Sprintf("it does not answer any more: %s: %v", err.Op, err.Err), Detail: err.Detail, Hint: err.Hint}
}

// ask connects and asks the daemon who it is.
func (d *Driver) ask(ctx context.Context) *driver.Error {
	conn, err := d.connect(ctx)
	if err != nil {
		var e *driver.Error
		if errors.As(err, &e) {
			return e
		}
		return d.fail(opConnect, err)
	}
	defer conn.Close()
	var used atomic.Bool
	c, err := client.New(ctx, "passthrough:///builder", client.WithContextDialer(func(context.Context, string) (net.Conn, error) {
		if used.Swap(true) {
			return nil, errors.New("the connection ended")
		}
		return conn, nil
	}))
	if err != nil {
		return d.fail(opAsk, err)
	}
	defer c.Close()
	_, err = c.Info(ctx)
	if status.Code(err) == codes.Unimplemented { // before v0.12 there was no such question
		_, err = c.ListWorkers(ctx)
	}
	if err != nil {
		return d.unanswered(ctx, err, conn)
	}
	return nil
}
