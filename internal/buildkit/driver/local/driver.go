//go:build linux

package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/moby/buildkit/client"
)

// etc is where users and their subordinate ids are listed.
const etc = "/etc"

// errEnded is a connection to a daemon that is gone.
var errEnded = errors.New("the daemon ended")

// Driver starts one daemon. It is safe for several goroutines once it started.
type Driver struct {
	options options
	host    driver.Host

	at      place
	cmd     *exec.Cmd
	noProc  bool     // do as where proc cannot be mounted
	hold    *os.File // the end of the supervisor's pipe: closing it ends the daemon
	log     tail
	began   chan struct{} // closed when the daemon was started
	dead    chan struct{} // closed when the daemon ended
	stopped chan struct{} // closed when the supervisor is gone
	mishap  bytes.Buffer  // the supervisor's own errors

	mu     sync.Mutex
	start  *start
	ended  *end
	failed string
	left   string
}

// New reads the options. Nothing is started.
func New(given map[string]string, host driver.Host) (*Driver, error) {
	o, err := decode(given)
	if err != nil {
		return nil, err
	}
	return &Driver{options: *o, host: host, began: make(chan struct{}), dead: make(chan struct{}), stopped: make(chan struct{})}, nil
}

// Start starts the daemon and returns when it answers. What it began ends with Close, or
// with this process.
func (d *Driver) Start(ctx context.Context) error {
	who, err := accountOf(d.options.User, etc)
	if err != nil {
		return err
	}
	path := searchPath(d.host.Env)
	programs, err := d.options.programs(path)
	if err != nil {
		return err
	}
	if err := checkIDs(who, etc, path, d.host.Log); err != nil {
		return err
	}
	if d.options.Config != "" {
		if f, err := os.Open(d.options.Config); err != nil {
			return wrong("buildkitd-config", err.Error(), "")
		} else {
			f.Close()
		}
	}
	if d.at, err = makePlace(&d.options, d.host.Env, who); err != nil {
		return err
	}
	if err := d.supervise(who, programs); err != nil {
		return err
	}
	return d.ready(ctx)
}

// supervise starts the supervisor.
func (d *Driver) supervise(who account, programs map[string]string) error {
	if len(d.host.Self) == 0 {
		return d.unmade(errors.New("it is not known how to run this program again"))
	}
	rootlesskit, buildkitd := d.options.commands(programs, d.at.run, d.at.state)
	p := plan{Rootlesskit: rootlesskit, Buildkitd: buildkitd, Sandbox: d.options.ProcessSandbox,
		Run: d.at.run, State: d.at.state, Temporary: d.at.temporary, LockWait: d.options.RootWait, Grace: scrapGrace, NoProc: d.noProc}
	if !p.Temporary {
		p.Grace = keptGrace
	}
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing the plan of a builder: %w", err)
	}
	d.cmd = exec.Command(d.host.Self[0], append(append([]string(nil), d.host.Self[1:]...), actServe, string(data))...)
	d.cmd.Dir, d.cmd.Env, d.cmd.Stderr = "/", environment(d.host.Env, who, d.at.run), &d.mishap
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if who.Switch {
		d.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(who.UID), Gid: uint32(who.GID)}
	}
	read, hold, err := os.Pipe()
	if err != nil {
		return d.unmade(err)
	}
	defer read.Close()
	d.cmd.Stdin = read
	reports, err := d.cmd.StdoutPipe()
	if err == nil {
		err = d.cmd.Start()
	}
	if err != nil {
		hold.Close()
		return d.unmade(err)
	}
	d.hold = hold
	go func() {
		readReports(reports, d.heard)
		_ = d.cmd.Wait()
		close(d.stopped)
	}()
	return nil
}

// unmade takes the folders away when there is no supervisor to do it.
func (d *Driver) unmade(err error) error {
	os.RemoveAll(d.at.run)
	if d.at.temporary {
		os.RemoveAll(d.at.state)
	}
	e := &driver.Error{Op: "starting the supervisor of buildkitd", Err: err}
	if errors.Is(err, os.ErrPermission) {
		e.Hint = "the user that the daemon runs as must be able to execute chartgate: install it where everybody may"
	}
	return e
}

func (d *Driver) heard(r report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case r.Started != nil:
		d.start = r.Started
		close(d.began)
	case r.Ended != nil:
		d.ended = r.Ended
		close(d.dead)
	case r.Waiting != "":
		d.host.Log(fmt.Sprintf("waiting for another run that uses %s", r.Waiting))
	case r.Failed != "":
		d.failed = r.Failed
	case r.Left != "":
		d.left = r.Left
	default:
		d.log.add(r.Log)
	}
}

// ready waits until the daemon answers.
func (d *Driver) ready(ctx context.Context) error {
	select {
	case <-d.began: // the wait for another run does not count
	case <-d.stopped:
		return d.notStarted(nil)
	case <-ctx.Done():
		return ctx.Err()
	}
	within, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- d.ask(within) }()
	select {
	case err := <-answered:
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		// It ended between two words, or time is up.
		select {
		case <-d.stopped:
			return d.notStarted(nil)
		case <-time.After(100 * time.Millisecond):
		}
		return d.notStarted(fmt.Errorf("%w within %s: %v", errTimeout, d.options.Timeout, err))
	case <-d.stopped:
		return d.notStarted(nil)
	}
}

// ask asks the daemon who it is until it says so.
func (d *Driver) ask(ctx context.Context) error {
	for {
		conn, err := d.dial(ctx)
		if err == nil {
			conn.Close()
			break
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
	c, err := client.New(ctx, "", client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return d.dial(ctx) }))
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Info(ctx)
	return err
}

func (d *Driver) dial(ctx context.Context) (net.Conn, error) {
	select {
	case <-d.dead:
		return nil, errEnded
	case <-d.stopped: // what it looked after ends a moment later
		return nil, errEnded
	default:
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", filepath.Join(d.at.run, socketName))
}
