//go:build !linux

package local

import (
	"context"
	"errors"
	"io"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

// Driver is not there but on Linux.
type Driver struct{}

var errNotLinux = errors.New("rootless BuildKit needs Linux")

// New reads the options and fails: a daemon can be started on Linux only.
func New(given map[string]string, _ driver.Host) (*Driver, error) {
	if _, err := decode(given); err != nil {
		return nil, err
	}
	return nil, &driver.Error{Op: "starting buildkitd", Err: errNotLinux, Hint: "take --driver remote or kubernetes"}
}

// Start fails.
func (*Driver) Start(context.Context) error { return errNotLinux }

// Builder fails.
func (*Driver) Builder(context.Context, string) (*driver.Builder, error) { return nil, errNotLinux }

// Close does nothing.
func (*Driver) Close(context.Context) error { return nil }

// Supervise fails.
func Supervise(context.Context, []string, io.Reader, io.Writer) error { return errNotLinux }
