// Package kubernetes runs builders as rootless pods of a namespace and reaches them
// through the API server's exec.
package kubernetes

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Driver is the builder of one organisation in one namespace. Its pods are shared by every
// job that wants the same.
type Driver struct {
	o      Options
	client *Client
	host   driver.Host
	clock  func() time.Time
	pace   pace

	starting sync.Mutex // one goroutine at a time looks after the workload

	mu      sync.Mutex
	made    types.UID // of the workload, where this run created it
	madeAt  string    // what that was stamped with
	worked  bool      // one of its pods has been ready
	users   *bool     // what became of hostUsers
	decided bool
	stop    context.CancelFunc // ends what runs beside builds; nil before it does

	open   map[*conn]bool // connections
	spdied bool           // the API server has no WebSocket, which was said

	beside  sync.WaitGroup // the goroutine that stamps
	streams sync.WaitGroup // one for each connection that is open
}

var _ driver.Driver = (*Driver)(nil)

// pace is how often things are looked at; tests hurry.
type pace struct {
	poll  time.Duration // while something is waited for
	stamp time.Duration // between marks of use
	lost  time.Duration // until a pod that ended shows it
	first time.Duration // until a daemon has sent its first byte
}

// New checks the options, spelled as OptionDocs has them, and finds the API server, which it asks
// nothing yet. Errors are *driver.OptionError and *driver.Error.
func New(given map[string]string, host driver.Host) (*Driver, error) {
	o, err := decode(given, host.Env)
	if err != nil {
		return nil, err
	}
	client, err := Connect(o.Kubeconfig, o.Context, o.Namespace, host)
	if err != nil {
		return nil, err
	}
	if !o.Keep && given["builder"] == "" {
		o.Builder = ownName(o.Builder)
	}
	return newDriver(o, client, host), nil
}

func newDriver(o Options, client *Client, host driver.Host) *Driver {
	stamp := 5 * time.Minute
	if o.TTL > 0 && o.TTL/4 < stamp {
		stamp = o.TTL / 4
	}
	return &Driver{o: o, client: client, host: host, clock: time.Now, open: map[*conn]bool{},
		pace: pace{poll: 500 * time.Millisecond, stamp: stamp, lost: 5 * time.Second, first: 30 * time.Second}}
}

// ownName is a name that no other run has.
func ownName(shared string) string {
	b := make([]byte, 3)
	rand.Read(b) // never fails
	return shared + "-" + hex.EncodeToString(b)
}

// Start makes the builder be as the options want it, and returns when one of its pods is ready.
func (d *Driver) Start(ctx context.Context) error {
	if err := d.ready(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stop != nil || d.o.UseExisting {
		return nil
	}
	besideCtx, stop := context.WithCancel(context.WithoutCancel(ctx)) // until Close
	d.stop = stop
	d.beside.Go(func() { d.keepFresh(besideCtx) })
	now := d.clock()
	d.beside.Go(func() { d.prune(besideCtx, now) })
	return nil
}

// prune removes the builders that nobody has used for their time to live, beside the builds. What it may
// not do is left to somebody who may.
func (d *Driver) prune(ctx context.Context, now time.Time) {
	removed, _, _ := d.client.Prune(ctx, now)
	for _, b := range removed {
		d.host.Log(fmt.Sprintf("builder %s: idle since %s: removed", b.Name, FormatTime(b.LastUse)))
	}
}

// ready sees to the workload and waits for a pod.
func (d *Driver) ready(ctx context.Context) error {
	d.starting.Lock()
	defer d.starting.Unlock()
	waiting, cancel := context.WithTimeoutCause(ctx, d.o.Timeout, fmt.Errorf("nothing is ready after %s", d.o.Timeout))
	defer cancel()
	for {
		w, err := d.ensure(waiting)
		if err != nil {
			return err
		}
		switch err := d.await(waiting, ctx, w); {
		case err == nil:
			d.mu.Lock()
			d.worked = true
			d.mu.Unlock()
			return nil
		case errors.Is(err, errWithout):
			d.host.Log(fmt.Sprintf("builder %s: its node has no user namespaces for pods: doing without", d.o.Builder))
		case errors.Is(err, errAgain):
			d.host.Log(fmt.Sprintf("builder %s: somebody removed it: creating it again", d.o.Builder))
		default:
			return err
		}
	}
}

// keepFresh marks the builder as used for as long as the run lasts, so that nobody takes it for
// idle during a long build.
func (d *Driver) keepFresh(ctx context.Context) {
	tick := time.NewTicker(d.pace.stamp)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := d.stamp(ctx); err != nil && ctx.Err() == nil {
				d.host.Log(fmt.Sprintf("builder %s: marking it as used: %s", d.o.Builder, foreign(err.Error())))
			}
		}
	}
}

func (d *Driver) stamp(ctx context.Context) error {
	_, err := d.client.patch(ctx, d.o.Kind, d.o.Builder, types.MergePatchType, stampPatch(d.stamps()))
	return err
}

func (d *Driver) stamps() map[string]string {
	return map[string]string{AnnotationLastUse: FormatTime(d.clock()), AnnotationTTL: d.o.TTL.String()}
}

// Close ends the streams and leaves the builder to other runs, marked as just used. What this run created is
// removed with keep=false, and where it never became ready and nobody else uses it.
func (d *Driver) Close(ctx context.Context) error {
	d.mu.Lock()
	stop, made, madeAt, worked := d.stop, d.made, d.madeAt, d.worked
	d.stop, d.made = nil, ""
	d.mu.Unlock()
	if stop != nil {
		stop()
	}
	d.beside.Wait()
	d.closeStreams(ctx)
	switch {
	case made != "" && !d.o.Keep:
		return d.unmake(ctx, made)
	case made != "" && !worked:
		if w, err := d.client.workload(ctx, d.o.Kind, d.o.Builder); err == nil && w.meta.Annotations[AnnotationLastUse] != madeAt {
			return nil // somebody else waits for it
		}
		return d.unmake(ctx, made)
	case stop != nil:
		if err := d.stamp(ctx); err != nil && !gone(err) {
			d.host.Log(fmt.Sprintf("builder %s: marking it as used: %s", d.o.Builder, foreign(err.Error())))
		}
	}
	return nil
}

// closeStreams closes the connections that are still open, and waits for their ends, but not for ever: client-go does
// not let go of an API server that took a request for SPDY and never answers.
func (d *Driver) closeStreams(ctx context.Context) {
	d.mu.Lock()
	for c := range d.open {
		c.Close()
	}
	d.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		d.streams.Wait()
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, 2*partTime)
	defer cancel()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// unmake removes the workload that this run created.
func (d *Driver) unmake(ctx context.Context, made types.UID) error {
	err := d.client.deleteWorkload(ctx, BuilderInfo{Kind: d.o.Kind, Name: d.o.Builder}, metav1.Preconditions{UID: &made})
	if gone(err) || apierrors.IsConflict(err) { // or another has taken its place
		return nil
	}
	return d.client.apiError(ctx, d.failed("removing", nil, "").Op, "delete", resourceOf(d.o.Kind)+".apps", d.o.Org, err)
}
