package git

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxBlob is the largest file that is read.
const maxBlob = 64 << 20

// ErrMissingObject says that a file is part of a revision, but what it holds
// was not cloned.
var ErrMissingObject = errors.New("what the file holds is not in this clone: clone without --filter")

// contents reads blobs through one `git cat-file --batch`, started when the
// first is asked for. One conversation goes on at a time.
type contents struct {
	ctx  context.Context // of whoever asked for the tree: fs.FS leaves no other way to pass it
	repo *Repo
	time time.Time

	mu     sync.Mutex
	cmd    *exec.Cmd
	stop   context.CancelFunc
	in     io.WriteCloser
	out    *bufio.Reader
	closed error // why nothing can be read any more
}

// read gives what a blob holds.
func (c *contents) read(n *node) ([]byte, error) {
	switch {
	case n.size == sizeUnknown:
		return nil, ErrMissingObject
	case n.size > maxBlob:
		return nil, tooLarge(n.size)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	if c.closed != nil {
		return nil, c.closed
	}
	if c.cmd == nil {
		if err := c.start(); err != nil {
			return nil, err
		}
	}
	data, err := c.ask(n)
	if err == nil || errors.Is(err, ErrMissingObject) {
		return data, err
	}
	if c.ctx.Err() != nil {
		err = c.ctx.Err()
	}
	c.end(fmt.Errorf("reading from git: %w", err)) // the conversation is out of step
	return nil, c.closed
}

func (c *contents) start() error {
	ctx, stop := context.WithCancel(c.ctx)
	cmd := c.repo.command(ctx, "cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		stop()
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		stop()
		return err
	}
	if err := cmd.Start(); err != nil {
		stop()
		return failure(c.ctx, []string{"cat-file"}, err, &bounded{})
	}
	c.cmd, c.stop, c.in, c.out = cmd, stop, in, bufio.NewReaderSize(out, 64<<10)
	return nil
}

// ask sends one id and reads `id blob size`, the bytes, and a line break.
func (c *contents) ask(n *node) ([]byte, error) {
	if _, err := io.WriteString(c.in, n.id+"\n"); err != nil {
		return nil, err
	}
	header, err := c.out.ReadString('\n')
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(header)
	if len(fields) == 2 && fields[1] == "missing" {
		return nil, ErrMissingObject
	}
	if len(fields) != 3 || fields[0] != n.id || fields[1] != "blob" {
		return nil, fmt.Errorf("git answered %.100q where a file was asked for", header)
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size != n.size {
		return nil, fmt.Errorf("git answered %.100q for a file of %d bytes", header, n.size)
	}
	data := make([]byte, size+1)
	if _, err := io.ReadFull(c.out, data); err != nil {
		return nil, err
	}
	if data[size] != '\n' {
		return nil, errors.New("git answered with more bytes than it said")
	}
	return data[:size:size], nil
}

// Close ends the process; reading fails with fs.ErrClosed from then on.
func (c *contents) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == nil {
		c.end(fs.ErrClosed)
	}
	return nil
}

func (c *contents) end(why error) {
	c.closed = why
	if c.cmd == nil {
		return
	}
	c.in.Close()
	c.stop()
	_ = c.cmd.Wait() // it was killed: its exit code says nothing
	c.cmd = nil
}
