//go:build linux

package local

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

const (
	// Between SIGTERM, at which the daemon ends its steps and closes its databases, and
	// SIGKILL. Where its state is kept, that is worth more of a wait.
	scrapGrace = 2 * time.Second
	keptGrace  = 15 * time.Second
	// closeBound is how long Close waits for the supervisor: the grace, the end of what was
	// killed, and the removal of a large state.
	closeBound = keptGrace + endBound + removeBound
	// lostBound is how long after an error of transport the end of the daemon may come to be known.
	lostBound = 2 * time.Second
)

// builderName is the builder's in messages.
const builderName = "the local buildkitd"

// Builder is the daemon, whatever the key.
func (d *Driver) Builder(context.Context, string) (*driver.Builder, error) {
	return &driver.Builder{Name: builderName, Dial: d.dial, Lost: d.lost}, nil
}

// notStarted is the error of a daemon that does not answer; err is nil when it ended.
func (d *Driver) notStarted(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.log.all()
	e := &driver.Error{Op: "starting buildkitd", Err: err, Detail: last(lines)}
	var oom bool
	switch {
	case err != nil:
		e.Hint = "give it more time with --driver-opt timeout=2m"
	case d.failed != "":
		e.Err = errors.New(d.failed)
		switch {
		case strings.Contains(d.failed, usesRoot):
			e.Hint = "give the job a root of its own, or more time with --driver-opt root-wait=30m"
		case d.failed == noSandbox:
			e.Hint = "most containers hide parts of proc: have that of this job unmasked (procMount, systempaths=unconfined), or leave process-sandbox at auto"
		}
	case d.ended != nil:
		var status string
		status, oom = d.ended.told(lines)
		e.Err = fmt.Errorf("it ended: %s", status)
	default:
		e.Err = fmt.Errorf("its supervisor ended: %s", d.cmd.ProcessState)
		e.Detail = strings.TrimSpace(e.Detail + "\n" + strings.TrimSpace(d.mishap.String()))
	}
	if hint := hintOf(lines, oom); hint != "" {
		e.Hint = hint
	}
	return e
}

// lost says how the daemon ended, if it did.
func (d *Driver) lost(ctx context.Context) *driver.LostError {
	select {
	case <-d.dead:
	case <-d.stopped:
	case <-ctx.Done():
	case <-time.After(lostBound):
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.log.all()
	e := &driver.LostError{Builder: builderName, Detail: last(lines)}
	switch {
	case d.ended != nil:
		status, oom := d.ended.told(lines)
		e.Reason, e.Hint = "buildkitd ended: "+status, hintOf(lines, oom)
	case d.gone():
		e.Reason = fmt.Sprintf("its supervisor ended: %s", d.cmd.ProcessState)
	default:
		return nil
	}
	return e
}

func (d *Driver) gone() bool {
	select {
	case <-d.stopped:
		return true
	default:
		return false
	}
}

// Close ends the daemon and returns when nothing of it is left.
func (d *Driver) Close(ctx context.Context) error {
	if d.hold == nil {
		return nil // it was not started
	}
	d.hold.Close()
	ctx, cancel := context.WithTimeout(ctx, closeBound)
	defer cancel()
	select {
	case <-d.stopped:
	case <-ctx.Done():
		// The supervisor goes on by itself: nothing is gained by ending it before its work is done.
		return &driver.Error{Op: "stopping buildkitd", Err: ctx.Err(), Detail: fmt.Sprintf("  process %d is still at it, and removes %s", d.cmd.Process.Pid, d.at.run)}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left != "" {
		return &driver.Error{Op: "removing the folders of buildkitd", Err: errors.New(d.left), Hint: "they may be removed by root"}
	}
	return nil
}
