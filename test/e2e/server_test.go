//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/test/fixture"
)

// startDistribution starts the distribution registry on loopback, without TLS and
// accounts, and returns its address.
func startDistribution(t testing.TB) string {
	t.Helper()
	registry := program(t, "REGISTRY", "registry")
	s := newSandbox(t)
	addr := freeAddress(t)
	config := filepath.Join(s.dir, "config.yml")
	fixture.Write(t, config, fmt.Sprintf("version: 0.1\nlog: {level: error}\nhttp: {addr: %q}\nstorage: {filesystem: {rootdirectory: %q}}\n",
		addr, filepath.Join(s.dir, "data")))
	start(t, s, registry, "serve", config)
	answers(t, addr)
	return addr
}

// start starts a program that is ended with the test, and returns its output.
func start(t testing.TB, s sandbox, name string, args ...string) io.Reader {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	out := newOutput()
	go func() { _, _ = io.Copy(out, r); out.close() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		r.Close()
	})
	return out
}

// output keeps what a program prints until somebody reads it: a server whose
// pipe is full stops answering.
type output struct {
	mu     sync.Mutex
	more   *sync.Cond
	buf    bytes.Buffer
	closed bool
}

func newOutput() *output {
	o := &output{}
	o.more = sync.NewCond(&o.mu)
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.more.Broadcast()
	return o.buf.Write(p)
}

func (o *output) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.buf.Len() == 0 && !o.closed {
		o.more.Wait()
	}
	return o.buf.Read(p)
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.more.Broadcast()
}

// address waits for a line with a loopback address, and returns that.
func address(t testing.TB, r io.Reader) string {
	t.Helper()
	found := make(chan string, 1)
	go func() {
		defer close(found)
		pattern := regexp.MustCompile(`127\.0\.0\.1:[1-9]\d*`)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			if addr := pattern.FindString(lines.Text()); addr != "" {
				found <- addr
				_, _ = io.Copy(io.Discard, r) // so that the program never waits for us
				return
			}
		}
	}()
	select {
	case addr := <-found:
		if addr == "" {
			t.Fatal("the server ended without naming its address")
		}
		return addr
	case <-time.After(30 * time.Second):
		t.Fatal("the server names no address")
		return ""
	}
}

// answers waits until a registry answers.
func answers(t testing.TB, addr string) {
	t.Helper()
	var last error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + addr + "/v2/")
		if err == nil {
			resp.Body.Close()
			return
		}
		last = err
	}
	t.Fatalf("no answer from %s: %v", addr, last)
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
