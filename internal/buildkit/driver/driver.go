// Package driver is what every way to a BuildKit daemon has in common: the
// interface, the options and the errors. One folder below holds one driver.
package driver

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Driver brings builders about and reaches them. Its methods may be called by
// several goroutines, Start once and before the others.
type Driver interface {
	// Start makes the builders exist, and returns when at least one answers.
	Start(ctx context.Context) error
	// Builder chooses the builder of key. The same key gets the same builder for
	// as long as that lives, so that what was built before is found again.
	Builder(ctx context.Context, key string) (*Builder, error)
	// Close ends what Start began and should not outlive the run, also when Start
	// failed or was cancelled half-way. It takes a context of its own: the run's is
	// over when a job is cancelled.
	Close(ctx context.Context) error
}

// Builder is one BuildKit daemon.
type Builder struct {
	// Name says which it is in messages: "tcp://builder:1234", "pod team/builder-0".
	Name string
	// Dial opens a connection on which the daemon's gRPC is spoken. It goes to this
	// daemon always, and fails once it is gone.
	Dial func(ctx context.Context) (net.Conn, error)
	// Lost looks into why a build on this builder ended with an error of transport. It
	// returns a *LostError when the builder is at fault, and nil when it is well. It
	// is nil where a driver cannot know.
	Lost func(ctx context.Context) *LostError
}

// Host is what a driver may use of the process that it works for.
type Host struct {
	Env func(string) string
	// Self is the command that runs this program again, for drivers that need a process
	// of their own to outlive it: what Supervise reads follows as arguments.
	Self []string
	// Log says what is being waited for, one line a call, without a line's end. Never nil.
	Log func(line string)
}

// Error is a builder that cannot be had: a daemon that does not start, an API
// server that does not answer, a right that is missing.
type Error struct {
	Op      string // what was being done: "starting buildkitd"
	Builder string // the builder, where there is one
	Err     error
	Detail  string // lines of a log or events, as they were; may be empty
	Hint    string // what to do about it; may be empty
}

func (e *Error) Error() string {
	msg := e.Op
	if e.Builder != "" {
		msg += " on " + e.Builder
	}
	msg = fmt.Sprintf("%s: %v", msg, e.Err)
	if e.Detail != "" {
		msg += "\n" + e.Detail
	}
	return msg
}

func (e *Error) Unwrap() error { return e.Err }

// LostError is a builder that went away while it was building.
type LostError struct {
	Builder string
	Reason  string // "the pod was deleted", "buildkitd ended: signal: killed"
	Detail  string // lines of its log, as they were; may be empty
	Hint    string
	Retry   bool // another builder, or this one again, may be asked with the same build
}

func (e *LostError) Error() string {
	msg := fmt.Sprintf("the builder went away in mid-build: %s: %s", e.Builder, e.Reason)
	if e.Detail != "" {
		msg += "\n" + e.Detail
	}
	return msg
}

// HintOf returns what to do about an error of a driver; "" where nothing is known.
func HintOf(err error) string {
	var (
		e    *Error
		lost *LostError
		opt  *OptionError
	)
	switch {
	case errors.As(err, &lost):
		return lost.Hint
	case errors.As(err, &e):
		return e.Hint
	case errors.As(err, &opt):
		return opt.Hint
	}
	return ""
}
