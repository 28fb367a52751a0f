package kubernetes

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// overBoth runs a test over each transport.
func overBoth(t *testing.T, test func(t *testing.T, transport string)) {
	for _, transport := range []string{transportWebSocket, transportSPDY} {
		t.Run(transport, func(t *testing.T) { test(t, transport) })
	}
}

func TestDial(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		s := &apiServer{run: echo, pod: &corev1.Pod{}}
		d, pod, _ := onServer(t, s, "transport", transport)
		conn, err := d.dial(t.Context(), pod)
		if err != nil {
			t.Fatal(err)
		}
		sent := make([]byte, 3<<20)
		rand.Read(sent)
		go func() {
			conn.Write(sent)
			conn.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(conn)
		if err != nil || !bytes.Equal(got, append([]byte("hello "), sent...)) {
			t.Errorf("%d bytes came back of %d, %v", len(got), len(sent), err)
		}
		if conn.RemoteAddr().String() != "pod team/p" {
			t.Error(conn.RemoteAddr())
		}
		if err := errors.Join(conn.Close(), conn.Close(), d.Close(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// Closing ends the command in the pod, and what hangs on the connection, at once.
func TestCloseEndsBothEnds(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		s := &apiServer{run: echo, pod: &corev1.Pod{}}
		d, pod, _ := onServer(t, s, "transport", transport)
		conn, err := d.dial(t.Context(), pod)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(conn, make([]byte, len("hello ")))
		read := make(chan error, 1)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			read <- err
		}()
		began := time.Now()
		conn.Close()
		select {
		case err := <-read:
			if err == nil {
				t.Error("something was read")
			}
		case <-time.After(time.Second):
			t.Error("a reader hangs")
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Error("written after Close")
		}
		s.idle(t)
		d.Close(t.Context())
		if took := time.Since(began); took > partTime {
			t.Errorf("took %s", took)
		}
	})
}

// A command that ignores the end of its input is cut off.
func TestCloseCutsOff(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		end := make(chan struct{})
		defer close(end)
		s := &apiServer{pod: &corev1.Pod{}, run: func(_ io.Reader, stdout, _ io.Writer) int {
			io.WriteString(stdout, "hello ")
			<-end
			return 0
		}}
		d, pod, _ := onServer(t, s, "transport", transport)
		conn, err := d.dial(t.Context(), pod)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		began := time.Now()
		d.Close(t.Context()) // waits for the stream
		if took := time.Since(began); took > 2*partTime {
			t.Errorf("took %s", took)
		}
	})
}

// Close of the driver ends connections that nobody closed, and does not wait for an API server that is silent.
func TestDriverCloseEndsConnections(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		s := &apiServer{run: echo, pod: &corev1.Pod{}}
		d, pod, _ := onServer(t, s, "transport", transport)
		conn, err := d.dial(t.Context(), pod)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := d.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.idle(t)
		if _, err := conn.Read(make([]byte, 1)); err == nil || time.Since(began) > partTime || len(d.open) != 0 {
			t.Errorf("%v after %s, %d open", err, time.Since(began), len(d.open))
		}
		end := make(chan struct{})
		defer close(end)
		silent := redirect(t, d, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/exec") {
				s.ServeHTTP(w, r)
				return
			}
			select {
			case <-end:
			case <-time.After(8 * time.Second):
			}
		}))
		silent.pace.first = 300 * time.Millisecond
		began = time.Now()
		if _, err := silent.dial(t.Context(), pod); err == nil || !strings.Contains(err.Error(), "the daemon has not answered within 300ms") {
			t.Error(err)
		}
		silent.Close(t.Context())
		if took := time.Since(began); took > 3*partTime {
			t.Errorf("took %s", took)
		}
	})
}

func TestDialFails(t *testing.T) {
	fails := func(code int, stderr string) command {
		return func(_ io.Reader, _, w io.Writer) int {
			io.WriteString(w, stderr)
			return code
		}
	}
	overBoth(t, func(t *testing.T, transport string) {
		for _, c := range []struct {
			name string
			run  command
			want string
		}{
			{"no daemon", fails(1, "ERROR: dial unix /run/user/1000/buildkit/buildkitd.sock: no such file\n\x1b[2J"), "exit code 1: ERROR: dial unix /run/user/1000/buildkit/buildkitd.sock: no such file [2J"},
			{"no greeting", func(stdin io.Reader, _, _ io.Writer) int { io.Copy(io.Discard, stdin); return 0 }, "the daemon has not answered within 300ms"},
			{"ends at once", fails(0, ""), "the connection ended before the daemon answered"},
		} {
			d, pod, _ := onServer(t, &apiServer{run: c.run, pod: &corev1.Pod{}}, "transport", transport)
			if c.name == "no greeting" {
				d.pace.first = 300 * time.Millisecond
			}
			_, err := d.dial(t.Context(), pod)
			var e *driver.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "connecting to pod team/p") || e.Hint == "" {
				t.Errorf("%s: %v", c.name, err)
			}
			d.Close(t.Context())
		}
	})
}

// The pod may be gone since it was chosen: another may be tried.
func TestDialGone(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		notFound := &metav1.Status{Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: `pods "p" not found`}
		s := &apiServer{run: echo, refuse: map[string]*metav1.Status{"GET": notFound, "POST": notFound}}
		d, pod, _ := onServer(t, s, "transport", transport)
		_, err := d.dial(t.Context(), pod)
		var lost *driver.LostError
		if !errors.As(err, &lost) || !lost.Retry || !strings.Contains(lost.Reason, "the pod was deleted") {
			t.Errorf("%T %v", err, err)
		}
		if n := s.count("/exec"); n != 1 {
			t.Errorf("%d attempts", n)
		}
	})
}

func forbidden(verb string) *metav1.Status {
	return &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
		Message: `pods "p" is forbidden: User "system:serviceaccount:team:ci" cannot ` + verb + ` resource "pods/exec" in API group "" in the namespace "team"`}
}

// A right that is missing for the one transport is not hidden by the other.
func TestForbidden(t *testing.T) {
	bare := &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: `pods "p" is forbidden: `} // as of the second check since 1.35
	for _, c := range []struct {
		transport, want string
		refuse          map[string]*metav1.Status
	}{
		{transportWebSocket, `forbidden: "system:serviceaccount:team:ci" may not get pods/exec in namespace "team"`, map[string]*metav1.Status{"GET": forbidden("get")}},
		{transportAuto, `forbidden: "system:serviceaccount:team:ci" may not get pods/exec in namespace "team"`, map[string]*metav1.Status{"GET": forbidden("get")}},
		{transportAuto, `forbidden: this account may not create pods/exec in namespace "team"`, map[string]*metav1.Status{"GET": bare}},
		{transportSPDY, `forbidden: "system:serviceaccount:team:ci" may not create pods/exec in namespace "team"`, map[string]*metav1.Status{"POST": forbidden("create")}},
	} {
		s := &apiServer{run: echo, pod: &corev1.Pod{}, refuse: c.refuse}
		d, pod, _ := onServer(t, s, "transport", c.transport)
		_, err := d.dial(t.Context(), pod)
		var missing *ForbiddenError
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), c.want) || !strings.Contains(driver.HintOf(err), "chartgate builder rbac --org acme --namespace team") {
			t.Errorf("%s: %v, hint %q", c.transport, err, driver.HintOf(err))
		}
		if n := s.count("/exec"); n != 1 {
			t.Errorf("%s: %d attempts", c.transport, n)
		}
	}
}

func TestFallback(t *testing.T) {
	for transport, want := range map[string]bool{transportAuto: true, transportWebSocket: false} {
		s := &apiServer{run: echo, pod: &corev1.Pod{}, without: true}
		d, pod, said := onServer(t, s, "transport", transport)
		conn, err := d.dial(t.Context(), pod)
		if (err == nil) != want {
			t.Errorf("%s: %v", transport, err)
		}
		if err == nil {
			if b := make([]byte, 6); readFull(conn, b) != nil || string(b) != "hello " {
				t.Errorf("%s: read %q", transport, b)
			}
			conn.Close()
		}
		if want && (s.count("POST ") != 1 || !strings.Contains(said.String(), "using SPDY")) {
			t.Errorf("%s: %v, said %s", transport, s.seen, said)
		}
		if !want && s.count("POST ") != 0 {
			t.Errorf("%s: %v", transport, s.seen)
		}
		d.Close(t.Context())
	}
}

func readFull(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	return err
}

// A kubelet that does not listen yet is asked again.
func TestPassingFault(t *testing.T) {
	var n atomic.Int32
	s := &apiServer{pod: &corev1.Pod{}, run: echo}
	d, pod, _ := onServer(t, s)
	busy := &metav1.Status{Code: http.StatusInternalServerError, Reason: metav1.StatusReasonInternalError, Message: "error dialing backend: remote error: tls: internal error"}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/exec") && n.Add(1) <= 2 {
			answerStatus(w, busy)
			return
		}
		s.ServeHTTP(w, r)
	})
	d = redirect(t, d, handler)
	conn, err := d.dial(t.Context(), pod)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	d.Close(t.Context())
	n.Store(-100) // for ever
	if _, err := d.dial(t.Context(), pod); err == nil || n.Load() != -100+maxDials || !strings.Contains(err.Error(), "tls: internal error") {
		t.Errorf("%d attempts, %v", n.Load()+100, err)
	}
}

func TestDialCancelled(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		s := &apiServer{pod: &corev1.Pod{}, run: func(stdin io.Reader, _, _ io.Writer) int { io.Copy(io.Discard, stdin); return 0 }}
		d, pod, _ := onServer(t, s, "transport", transport)
		d.pace.first = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		if _, err := d.dial(ctx, pod); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		d.Close(t.Context())
		s.idle(t)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// When the stream breaks or the daemon dies in mid-build, the reader learns why.
func TestBrokenStream(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		for code, want := range map[int]string{-1: "", 137: "command terminated with exit code 137: Killed"} {
			s := &apiServer{pod: &corev1.Pod{}, run: func(stdin io.Reader, stdout, stderr io.Writer) int {
				io.WriteString(stdout, "hello ")
				stdin.Read(make([]byte, 1))
				io.WriteString(stderr, "Killed\n")
				return code
			}}
			d, pod, _ := onServer(t, s, "transport", transport)
			conn, err := d.dial(t.Context(), pod)
			if err != nil {
				t.Fatal(err)
			}
			conn.Write([]byte("x"))
			got, err := io.ReadAll(conn)
			if string(got) != "hello " || err == nil && code != -1 || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%d: %q, %v", code, got, err)
			}
			written := make(chan error, 1)
			go func() { _, err := conn.Write([]byte("x")); written <- err }()
			select {
			case err := <-written:
				if err == nil {
					t.Error("written to a stream that has ended")
				}
			case <-time.After(5 * time.Second):
				t.Error("a writer hangs")
			}
			conn.Close()
			d.Close(t.Context())
		}
	})
}

var _ net.Conn = (*conn)(nil)
