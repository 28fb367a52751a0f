package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// expectCode is the program code N COMMAND…: it runs the command and fails
// unless its exit code is N.
func expectCode() {
	c := exec.Command(os.Args[2], os.Args[3:]...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	code := 0
	var failed *exec.ExitError
	if err := c.Run(); errors.As(err, &failed) {
		code = failed.ExitCode()
	} else if err != nil {
		code = -1
	}
	if want, err := strconv.Atoi(os.Args[1]); err != nil || code != want {
		fmt.Fprintf(os.Stderr, "exit code %d, and %s was expected\n", code, os.Args[1])
		os.Exit(1)
	}
}
