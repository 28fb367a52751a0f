package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// sshEnd is how long ssh may take to end after its input has.
const sshEnd = 2 * time.Second

// sshArgs is the command that joins its input and output to the daemon's socket.
func sshArgs(at endpoint) []string {
	// Nobody is there to be asked for a password, or whether a host is to be believed.
	args := []string{"-T", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"}
	if at.port != "" {
		args = append(args, "-p", at.port)
	}
	if at.user != "" {
		args = append(args, "-l", at.user)
	}
	args = append(args, "--", at.host, "buildctl")
	if at.socket != "" {
		args = append(args, "--addr", quote("unix://"+at.socket))
	}
	return append(args, "dial-stdio")
}

// quote is for the shell on the other host, which gets the words as one line.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// sshConn is a connection through a process of ssh.
type sshConn struct {
	at     endpoint
	cmd    *exec.Cmd
	in     *os.File // what is written to the daemon
	out    *os.File // what is read from it
	said   bounded
	done   chan struct{} // closed when ssh ended
	closed sync.Once
}

// dialSSH starts ssh. Whether it gets anywhere shows when the connection is used.
func dialSSH(ctx context.Context, at endpoint) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := &sshConn{at: at, cmd: exec.Command("ssh", sshArgs(at)...), done: make(chan struct{})}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		in.Close()
		return nil, err
	}
	c.in, c.out = in, out
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, &c.said
	c.cmd.WaitDelay = sshEnd // a shared connection of the user's may hold the output open
	apart(c.cmd)
	err = c.cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, &sshError{status: err.Error()}
	}
	go func() {
		_ = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

func (c *sshConn) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	if errors.Is(err, io.EOF) {
		if ended := c.ended(); ended != nil {
			return n, ended
		}
	}
	return n, err
}

func (c *sshConn) Write(p []byte) (int, error) {
	n, err := c.in.Write(p)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, os.ErrClosed) {
		if ended := c.ended(); ended != nil {
			return n, ended
		}
	}
	return n, err
}

// ended is the error of a process that failed; nil when it runs, or ended well.
func (c *sshConn) ended() error {
	select {
	case <-c.done:
	case <-time.After(sshEnd):
		return nil
	}
	if c.cmd.ProcessState.Success() {
		return nil
	}
	return &sshError{status: fmt.Sprintf("ssh ended: %s", c.cmd.ProcessState), said: c.said.String()}
}

// Close ends ssh, and returns when it is gone.
func (c *sshConn) Close() error {
	c.closed.Do(func() {
		c.in.Close()
		select {
		case <-c.done:
		case <-time.After(sshEnd):
			_ = c.cmd.Process.Kill()
			<-c.done
		}
		c.out.Close()
	})
	return nil
}

// LocalAddr and RemoteAddr are the endpoint: a pipe has no address.
func (c *sshConn) LocalAddr() net.Addr  { return sshAddr(c.at.String()) }
func (c *sshConn) RemoteAddr() net.Addr { return sshAddr(c.at.String()) }

func (c *sshConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
func (c *sshConn) SetReadDeadline(t time.Time) error  { return c.out.SetReadDeadline(t) }
func (c *sshConn) SetWriteDeadline(t time.Time) error { return c.in.SetWriteDeadline(t) }

type sshAddr string

func (sshAddr) Network() string  { return "ssh" }
func (a sshAddr) String() string { return string(a) }

// sshError is ssh that did not get to the daemon, or lost it.
type sshError struct {
	status string
	said   string // what it wrote to its standard error
}

func (e *sshError) Error() string {
	if e.said == "" {
		return e.status
	}
	return e.status + "\n" + e.said
}

// hint is what to do about what ssh said.
func (e *sshError) hint() string {
	for _, h := range []struct{ part, hint string }{
		{"Host key verification failed", "put the host's key into the known_hosts of this job (ssh-keyscan prints it): ssh cannot ask"},
		{"Permission denied", "the host does not accept a key that ssh found: in its agent (SSH_AUTH_SOCK), its configuration, its folder"},
		{"buildctl: not found", "buildctl has to be on the PATH of the user that logs in there"},
		{"buildctl: command not found", "buildctl has to be on the PATH of the user that logs in there"},
		{"executable file not found", "install the ssh client (openssh-client)"},
		{"Could not resolve hostname", "is the name right, and can this runner look it up?"},
		{"Connection refused", "does sshd run on the host, and listen there?"},
		{"dial unix", "the daemon's socket is named by the path: ssh://HOST/run/user/1000/buildkit/buildkitd.sock"},
	} {
		if strings.Contains(e.said, h.part) || strings.Contains(e.status, h.part) {
			return h.hint
		}
	}
	return ""
}

// maxSaid is how much of ssh's words are kept: the last of them.
const maxSaid = 4 << 10

// bounded keeps the end of what is written to it.
type bounded struct {
	mu   sync.Mutex
	data []byte
}

func (b *bounded) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	if len(b.data) > maxSaid {
		b.data = append(b.data[:0], b.data[len(b.data)-maxSaid:]...)
	}
	return len(p), nil
}

// String is the text in lines, indented as the details of errors are.
func (b *bounded) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, line := range bytes.Split(b.data, []byte("\n")) {
		text := strings.Map(func(r rune) rune {
			if r < 0x20 || r == 0x7f {
				return -1
			}
			return r
		}, strings.ToValidUTF8(string(line), ""))
		if strings.TrimSpace(text) != "" {
			out = append(out, "  "+text)
		}
	}
	return strings.Join(out, "\n")
}
