//go:build !linux

package doctor

import (
	"context"
	"errors"
	"io"
)

// errNotLinux says that there is nothing to look at.
var errNotLinux = errors.New("only Linux has it")

// try makes no attempts: there are no user namespaces.
func try([]string) func(context.Context, User, Plan) (Trial, error) {
	return func(context.Context, User, Plan) (Trial, error) { return Trial{}, errNotLinux }
}

// Attempts is what the program does where it was started to make attempts.
func Attempts(string, []string, io.Reader, io.Writer) error { return errNotLinux }

func stat(string) (File, error) { return File{}, errNotLinux }

func space(string) (Space, error) { return Space{}, errNotLinux }
