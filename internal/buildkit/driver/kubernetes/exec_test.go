package kubernetes

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// command is what runs in the pod: it returns its exit code.
type command func(stdin io.Reader, stdout, stderr io.Writer) int

// echo greets, as a gRPC server does, and repeats what it reads.
func echo(stdin io.Reader, stdout, _ io.Writer) int {
	io.WriteString(stdout, "hello ")
	io.Copy(stdout, stdin)
	return 0
}

// apiServer speaks as much of the API as exec needs, over both transports.
type apiServer struct {
	run     command
	pod     *corev1.Pod // that exists; nil: none
	refuse  map[string]*metav1.Status
	without bool // WebSocket

	mu   sync.Mutex
	seen []string
	open atomic.Int32 // commands
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := r.Method
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		what += " websocket"
	}
	s.mu.Lock()
	s.seen = append(s.seen, what+" "+r.URL.Path)
	s.mu.Unlock()
	if !strings.HasSuffix(r.URL.Path, "/exec") {
		list := corev1.PodList{}
		if s.pod != nil {
			list.Items = []corev1.Pod{*s.pod}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(&list)
		return
	}
	if status := s.refuse[r.Method]; status != nil {
		answerStatus(w, status)
		return
	}
	q := r.URL.Query()
	if q.Get("stdin") != "true" || q.Get("stdout") != "true" || q.Get("stderr") != "true" || q.Get("container") != containerName || strings.Join(q["command"], " ") != "buildctl dial-stdio" {
		http.Error(w, "not what was expected: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodGet {
		s.webSocket(w, r)
		return
	}
	s.spdy(w, r)
}

func answerStatus(w http.ResponseWriter, s *metav1.Status) {
	s.Kind, s.APIVersion, s.Status = "Status", "v1", metav1.StatusFailure
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(s.Code))
	json.NewEncoder(w).Encode(s)
}

// verdict is what the error channel says of an exit code.
func verdict(code int) []byte {
	s := metav1.Status{Status: metav1.StatusSuccess}
	if code != 0 {
		s = metav1.Status{Status: metav1.StatusFailure, Reason: "NonZeroExitCode", Message: fmt.Sprintf("command terminated with non-zero exit code: %d", code),
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "ExitCode", Message: fmt.Sprint(code)}}}}
	}
	b, _ := json.Marshal(s)
	return b
}

// channel is one of the streams that share a WebSocket.
type channel struct {
	id   byte
	conn *websocket.Conn
	mu   *sync.Mutex
}

func (c channel) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(p), c.conn.WriteMessage(websocket.BinaryMessage, append([]byte{c.id}, p...))
}

func (s *apiServer) webSocket(w http.ResponseWriter, r *http.Request) {
	if s.without {
		http.Error(w, "what is this?", http.StatusBadRequest)
		return
	}
	up := websocket.Upgrader{Subprotocols: []string{"v5.channel.k8s.io"}}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	s.open.Add(1)
	defer s.open.Add(-1)
	in, inW := io.Pipe()
	go func() {
		for {
			_, message, err := conn.ReadMessage()
			switch {
			case err != nil || len(message) == 2 && message[0] == 255:
				inW.Close() // the stream, or all, has been closed
				if err != nil {
					return
				}
			case len(message) > 1 && message[0] == 0:
				inW.Write(message[1:])
			}
		}
	}()
	mu := &sync.Mutex{}
	code := s.run(in, channel{1, conn, mu}, channel{2, conn, mu})
	in.Close()
	if code < 0 { // the connection breaks
		return
	}
	channel{3, conn, mu}.Write(verdict(code))
	conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
}

func (s *apiServer) spdy(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{"v4.channel.k8s.io"}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream, 4)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	})
	if conn == nil {
		return
	}
	defer conn.Close()
	s.open.Add(1)
	defer s.open.Add(-1)
	of := map[string]httpstream.Stream{}
	for len(of) < 4 {
		stream := <-streams
		of[stream.Headers().Get(corev1.StreamType)] = stream
	}
	code := s.run(of["stdin"], of["stdout"], of["stderr"])
	if code < 0 {
		return
	}
	of["error"].Write(verdict(code))
	for _, stream := range of {
		stream.Close()
	}
	select { // the client has all of it when it hangs up
	case <-conn.CloseChan():
	case <-time.After(5 * time.Second):
	}
}

// onServer is a driver and the pod "p" behind a real HTTP server.
func onServer(t *testing.T, s *apiServer, pairs ...string) (*Driver, target, *logged) {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	client, err := newClient(&rest.Config{Host: srv.URL, Timeout: 5 * time.Second}, "team")
	if err != nil {
		t.Fatal(err)
	}
	said := &logged{}
	d := newDriver(options(t, pairs...), client, driver.Host{Env: noEnv, Log: said.add})
	d.pace = pace{poll: time.Millisecond, stamp: time.Hour, lost: 20 * time.Millisecond, first: 10 * time.Second}
	pod := podOf("p", &corev1.PodTemplateSpec{})
	if s.pod != nil {
		s.pod = pod
	}
	return d, targetOf(pod), said
}

func (s *apiServer) count(part string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.seen {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// redirect is the driver d with another handler before its API server.
func redirect(t *testing.T, d *Driver, h http.Handler) *Driver {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	config := rest.CopyConfig(d.client.config)
	config.Host = srv.URL
	client, err := newClient(config, d.client.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	out := newDriver(d.o, client, d.host)
	out.pace = d.pace
	return out
}

// idle waits until no command runs any more.
func (s *apiServer) idle(t *testing.T) {
	t.Helper()
	for range 5000 {
		if s.open.Load() == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("a command runs on")
}
