package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	controlapi "github.com/moby/buildkit/api/services/control"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// daemon answers what a driver asks of a daemon, and nothing else.
type daemon struct {
	controlapi.UnimplementedControlServer
}

func (daemon) Info(context.Context, *controlapi.InfoRequest) (*controlapi.InfoResponse, error) {
	return &controlapi.InfoResponse{}, nil
}

// old is a daemon from before Info.
type old struct {
	controlapi.UnimplementedControlServer
}

func (old) ListWorkers(context.Context, *controlapi.ListWorkersRequest) (*controlapi.ListWorkersResponse, error) {
	return &controlapi.ListWorkersResponse{}, nil
}

func listen(t *testing.T, network, addr string, config *tls.Config) net.Listener {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if config != nil {
		return tls.NewListener(l, config)
	}
	return l
}

// serve runs a gRPC server and returns its address.
func serve(t *testing.T, l net.Listener, control controlapi.ControlServer) string {
	t.Helper()
	s := grpc.NewServer()
	if control != nil {
		controlapi.RegisterControlServer(s, control)
	}
	healthv1.RegisterHealthServer(s, health.NewServer())
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

func start(t *testing.T, given map[string]string) error {
	t.Helper()
	if given["timeout"] == "" {
		given["timeout"] = "5s"
	}
	d, err := New(given, driver.Host{Env: func(string) string { return "" }, Log: func(line string) { t.Log(line) }})
	if err != nil {
		return err
	}
	if err := d.Start(t.Context()); err != nil {
		return err
	}
	b, err := d.Builder(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if lost := b.Lost(t.Context()); lost != nil {
		t.Errorf("a daemon that is well is lost: %v", lost)
	}
	conn, err := b.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	return d.Close(context.Background())
}

func TestStart(t *testing.T) {
	ours, others := newAuthority(t, "ours"), newAuthority(t, "others")
	cert, key := ours.issue("client", x509.ExtKeyUsageClientAuth, nil)
	strange, strangeKey := others.issue("stranger", x509.ExtKeyUsageClientAuth, nil)

	plain := serve(t, listen(t, "tcp", "127.0.0.1:0", nil), daemon{})
	older := serve(t, listen(t, "tcp", "127.0.0.1:0", nil), old{})
	noBuildKit := serve(t, listen(t, "tcp", "127.0.0.1:0", nil), nil)
	secured := serve(t, listen(t, "tcp", "127.0.0.1:0", ours.server(nil, nil)), daemon{})
	mutual := serve(t, listen(t, "tcp", "127.0.0.1:0", ours.server(ours, nil)), daemon{})
	config12 := ours.server(ours, nil)
	config12.MaxVersion = tls.VersionTLS12
	mutual12 := serve(t, listen(t, "tcp", "127.0.0.1:0", config12), daemon{})
	config11 := ours.server(nil, nil)
	config11.MinVersion, config11.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	mutual11 := serve(t, listen(t, "tcp", "127.0.0.1:0", config11), daemon{})
	named := serve(t, listen(t, "tcp", "127.0.0.1:0", ours.server(nil, func(c *x509.Certificate) { c.IPAddresses = nil })), daemon{})
	expired := serve(t, listen(t, "tcp", "127.0.0.1:0", ours.server(nil, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })), daemon{})
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	closed := listen(t, "tcp", "127.0.0.1:0", nil)
	closed.Close()
	mute := listen(t, "tcp", "127.0.0.1:0", nil) // the kernel accepts, nobody answers
	socket := filepath.Join(t.TempDir(), "s")
	serve(t, listen(t, "unix", socket, nil), daemon{})

	for _, c := range []struct {
		name       string
		given      map[string]string
		want, hint string // empty: it starts
	}{
		{"plain", map[string]string{"endpoint": "tcp://" + plain}, "", ""},
		{"old", map[string]string{"endpoint": "tcp://" + older}, "", ""},
		{"unix", map[string]string{"endpoint": "unix://" + socket}, "", ""},
		{"TLS", map[string]string{"endpoint": "tcp://" + secured, "cacert": ours.File}, "", ""},
		{"mutual TLS", map[string]string{"endpoint": "tcp://" + mutual, "cacert": ours.File, "cert": cert, "key": key}, "", ""},
		{"mutual TLS 1.2", map[string]string{"endpoint": "tcp://" + mutual12, "cacert": ours.File, "cert": cert, "key": key}, "", ""},
		{"another name", map[string]string{"endpoint": "tcp://" + named, "cacert": ours.File, "servername": "builder.test"}, "", ""},

		{"TLS 1.1", map[string]string{"endpoint": "tcp://" + mutual11, "cacert": ours.File}, "agreeing on TLS on tcp://" + mutual11 + ": ", ""},
		{"no certificate", map[string]string{"endpoint": "tcp://" + mutual, "cacert": ours.File}, "agreeing on TLS on tcp://" + mutual, "name yours with cert=FILE and key=FILE"},
		{"no certificate, 1.2", map[string]string{"endpoint": "tcp://" + mutual12, "cacert": ours.File}, "agreeing on TLS on tcp://" + mutual12, "name yours with cert=FILE and key=FILE"},
		{"a stranger's", map[string]string{"endpoint": "tcp://" + mutual, "cacert": ours.File, "cert": strange, "key": strangeKey}, "remote error: tls: ", `does not accept the certificate in "` + strange},
		{"a stranger's, 1.2", map[string]string{"endpoint": "tcp://" + mutual12, "cacert": ours.File, "cert": strange, "key": strangeKey}, "remote error: tls: ", `does not accept the certificate in "` + strange},
		{"wrong name", map[string]string{"endpoint": "tcp://" + named, "cacert": ours.File}, "doesn't contain any IP SANs", "servername=NAME"},
		{"wrong servername", map[string]string{"endpoint": "tcp://" + named, "cacert": ours.File, "servername": "other.test"}, "builder.test, not other.test", "servername=NAME"},
		{"unknown authority", map[string]string{"endpoint": "tcp://" + secured, "cacert": others.File}, "unknown authority", "cacert=FILE"},
		{"the system's authorities", map[string]string{"endpoint": "tcp://" + secured, "servername": "builder.test"}, "unknown authority", "cacert=FILE"},
		{"expired", map[string]string{"endpoint": "tcp://" + expired, "cacert": ours.File}, "expired", "renewed there"},
		{"TLS to a plain daemon", map[string]string{"endpoint": "tcp://" + plain, "cacert": ours.File}, "agreeing on TLS on tcp://" + plain, "without TLS"},
		{"plain to a TLS daemon", map[string]string{"endpoint": "tcp://" + secured}, "asking for BuildKit on tcp://" + secured, "name cacert, cert and key"},
		{"web server", map[string]string{"endpoint": "tcp://" + web.Listener.Addr().String()}, "it is a web server, not BuildKit", "right port"},
		{"another gRPC server", map[string]string{"endpoint": "tcp://" + noBuildKit}, "it speaks gRPC, but is not BuildKit", "right port"},
		{"refused", map[string]string{"endpoint": "tcp://" + closed.Addr().String(), "timeout": "300ms"}, "connecting on tcp://" + closed.Addr().String(), "does the daemon run"},
		{"mute", map[string]string{"endpoint": "tcp://" + mute.Addr().String(), "timeout": "300ms"}, "asking for BuildKit on tcp://" + mute.Addr().String() + ": no answer in time", "firewall"},
		{"no socket", map[string]string{"endpoint": "unix://" + socket + "x", "timeout": "300ms"}, "connecting on unix://" + socket + "x", "is that its socket"},
		{"no such host", map[string]string{"endpoint": "tcp://no-such-host.invalid:1234", "insecure": "true"}, "looking up the host on tcp://no-such-host.invalid:1234", "is the name right"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := start(t, c.given)
			if c.want == "" {
				if err != nil {
					t.Errorf("%v\nhint: %s", err, driver.HintOf(err))
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(driver.HintOf(err), c.hint) {
				t.Errorf("%v\nhint: %s\nwant %q, %q", err, driver.HintOf(err), c.want, c.hint)
			}
			var e *driver.Error
			if !errors.As(err, &e) {
				t.Errorf("%T is no *driver.Error", err)
			}
		})
	}
}

// TestLate starts the daemon after the driver, as runners do with services.
func TestLate(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	done := make(chan error, 1)
	go func() { done <- start(t, map[string]string{"endpoint": "unix://" + socket}) }()
	time.Sleep(300 * time.Millisecond)
	serve(t, listen(t, "unix", socket, nil), daemon{})
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	mute := listen(t, "tcp", "127.0.0.1:0", nil)
	d, err := New(map[string]string{"endpoint": "tcp://" + mute.Addr().String()}, driver.Host{Env: func(string) string { return "" }, Log: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := d.Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestLost(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0", nil)
	s := grpc.NewServer()
	controlapi.RegisterControlServer(s, daemon{})
	go func() { _ = s.Serve(l) }()
	d, err := New(map[string]string{"endpoint": "tcp://" + l.Addr().String()}, driver.Host{Env: func(string) string { return "" }, Log: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, _ := d.Builder(t.Context(), "")
	s.Stop()
	lost := b.Lost(t.Context())
	if lost == nil || !strings.Contains(lost.Error(), "tcp://"+l.Addr().String()+": it does not answer any more: connecting: ") {
		t.Errorf("%v", lost)
	}
}
