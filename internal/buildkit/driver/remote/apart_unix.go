//go:build unix

package remote

import (
	"os/exec"
	"syscall"
)

// apart keeps Ctrl-C in a terminal from ssh: the build is cancelled over it first.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
