//go:build e2e_kubernetes && linux

package kubernetes

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit"
	kube "github.com/chartgate/chartgate/internal/buildkit/driver/kubernetes"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd/api"
)

// slow is a step that says when it has begun and takes some seconds.
func slow(seconds int) string {
	return fmt.Sprintf("echo has-$((1))-begun && sleep %d && echo done > /done", seconds)
}

const begun = "has-1-begun"

// evict and deletePod end a pod, at once if hard says so.
func (m *team) evict(pod string, hard bool) {
	m.t.Helper()
	must(m.t, it.Admin.CoreV1().Pods(m.ns).EvictV1(m.t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: m.ns}, DeleteOptions: grace(hard)}))
}

func (m *team) deletePod(pod string, hard bool) {
	m.t.Helper()
	must(m.t, it.Admin.CoreV1().Pods(m.ns).Delete(m.t.Context(), pod, *grace(hard)))
}

func grace(hard bool) *metav1.DeleteOptions {
	if hard {
		return &deleteNow
	}
	return &metav1.DeleteOptions{}
}

// TestPodEnds: a pod that is evicted or deleted in mid-build lets the build on it end, and takes no other. Where it is
// not given the time, the build is made again on another pod, and what happened is said.
func TestPodEnds(t *testing.T) {
	for name, end := range map[string]func(*team, string, bool){"evicted": (*team).evict, "deleted": (*team).deletePod} {
		for _, hard := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/at-once-%v", name, hard), func(t *testing.T) {
				m := newTeam(t, kube.FormAdmin)
				d := m.started(t)
				pod := m.pods()[0].Name
				j := build(t, d, image("web", sources(t, slow(6))))
				j.until(begun)
				end(m, pod, hard)
				r := j.built()[0]
				lost := fmt.Sprintf("the builder went away in mid-build: pod %s/%s: the pod ", m.ns, pod)
				if said := strings.Contains(j.out.String(), lost); said != hard {
					t.Errorf("%q is in it: %v\n%s", lost, said, j.out)
				}
				if same := r.Builder == "pod "+m.ns+"/"+pod; same == hard {
					t.Errorf("it was built on %s", r.Builder)
				}
			})
		}
	}
}

// TestNoPodLeft: when nothing takes the place of the pod that was lost, the error names it.
func TestNoPodLeft(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	m.started(t)
	d := m.started(t, "use-existing=true", "timeout=5s")
	pod := m.pods()[0].Name
	j := build(t, d, image("web", sources(t, slow(60))))
	j.until(begun)
	_, err := m.admin.Remove(t.Context(), "buildkit-acme")
	must(t, err)
	m.deletePod(pod, true)
	r := j.wait()[0]
	if text := told(r.Err) + j.out.String(); r.State != buildkit.Failed || !strings.Contains(text, pod) {
		t.Errorf("%s: %s", r.State, text)
	}
	t.Log(told(r.Err))
}

// TestDaemonKilled: the daemon of a pod that lives on is killed in mid-build.
func TestDaemonKilled(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	d := m.started(t)
	pod := &m.pods()[0]
	j := build(t, d, image("web", sources(t, slow(6))))
	j.until(begun)
	kill(t, running(t, pod, `^rootlesskit `)[0])
	j.built()
	if want := fmt.Sprintf("the builder went away in mid-build: pod %s/%s: the daemon ended", m.ns, pod.Name); !strings.Contains(j.out.String(), want) {
		t.Errorf("no %q in\n%s", want, j.out)
	}
}

// TestUnreachable: an API server that refuses connections, or takes none, is named, and soon.
func TestUnreachable(t *testing.T) {
	for name, server := range map[string]string{"refuses": "127.0.0.1:1", "silent": "10.99.0.77:6443"} {
		t.Run(name, func(t *testing.T) {
			m := newTeam(t, kube.FormAdmin)
			m.through(server)
			began := time.Now()
			err := m.driver().Start(t.Context())
			if err == nil || !strings.Contains(told(err), "the API server https://"+server+" cannot be reached") {
				t.Errorf("%s", told(err))
			}
			if took := time.Since(began); took > 40*time.Second {
				t.Errorf("it took %s to say so", took)
			}
		})
	}
}

// TestServerGone: the API server goes away in mid-build.
func TestServerGone(t *testing.T) {
	m := newTeam(t, kube.FormAdmin)
	p := newProxy(t, "127.0.0.1:6443")
	m.through(p.listener.Addr().String())
	d := m.driver()
	must(t, d.Start(t.Context()))
	defer d.Close(t.Context())
	j := build(t, d, image("web", sources(t, slow(30))))
	j.until(begun)
	p.close()
	select {
	case results := <-j.results:
		if r := results[0]; r.State != buildkit.Failed {
			t.Errorf("%s", r.State)
		} else if text := told(r.Err); !strings.Contains(text, "cannot be reached") || !strings.Contains(text, "kubectl cluster-info") {
			t.Error(text)
		}
	case <-time.After(90 * time.Second):
		t.Fatal("the build hangs")
	}
}

// through makes the jobs reach the API server by another address.
func (m *team) through(address string) {
	m.t.Helper()
	token, err := it.Admin.CoreV1().ServiceAccounts(m.ns).CreateToken(m.t.Context(), account, tokenFor(time.Hour), metav1.CreateOptions{})
	must(m.t, err)
	other := *it
	other.Server = "https://" + address
	m.kubeconfig = filepath.Join(m.t.TempDir(), "kubeconfig")
	must(m.t, other.WriteKubeconfig(m.kubeconfig, m.ns, &api.AuthInfo{Token: token.Status.Token}))
}

// proxy hands connections on until it is closed.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	open     []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{listener: l}
	t.Cleanup(p.close)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			p.mu.Lock()
			p.open = append(p.open, in, out)
			p.mu.Unlock()
			for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
				go func() {
					_, _ = io.Copy(way[0], way[1])
					way[0].Close()
				}()
			}
		}
	}()
	return p
}

func (p *proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		c.Close()
	}
}

// TestCancelled: a job that is cancelled leaves no exec in the pod, and the daemon idle for the next. The step's command is
// one process: children of a shell that was killed live on until they end by themselves, since without the
// process sandbox they are in no namespace, and rootless in no cgroup, that could be ended as a whole.
func TestCancelled(t *testing.T) {
	for _, transport := range []string{"websocket", "spdy"} {
		t.Run(transport, func(t *testing.T) {
			m := newTeam(t, kube.FormAdmin)
			d := m.driver("transport=" + transport)
			must(t, d.Start(t.Context()))
			pod := &m.pods()[0]
			j := build(t, d, image("web", sources(t, "echo has-$((1))-begun && exec sleep 120")))
			j.until(begun)
			if len(running(t, pod, `^buildctl dial-stdio`)) == 0 || len(running(t, pod, `^sleep 120$`)) == 0 {
				t.Fatalf("processes in mid-build: %v", processes(t, pod))
			}
			j.cancel()
			if r := j.wait()[0]; r.State != buildkit.Failed {
				t.Errorf("%s", r.State)
			}
			must(t, d.Close(t.Context()))
			m.idle(pod, 20*time.Second)
			next := m.started(t, "transport="+transport)
			build(t, next, image("web", sources(t, "true"))).built()
			if now := m.pods(); len(now) != 1 || now[0].UID != pod.UID || now[0].Status.ContainerStatuses[0].RestartCount != 0 {
				t.Errorf("the next job has another pod, or its daemon had to start again")
			}
		})
	}
}

// idle waits until nothing of a build is left in a pod.
func (m *team) idle(pod *corev1.Pod, most time.Duration) {
	m.t.Helper()
	m.await("the builder to be idle", most, func() error {
		if left := running(m.t, pod, `dial-stdio|sleep [0-9]{1,4}$|^runc `); len(left) > 0 {
			return fmt.Errorf("left over: %v", left)
		}
		return nil
	})
}

func kill(t *testing.T, p process) {
	t.Helper()
	var number int
	if _, err := fmt.Sscanf(p.dir, "/proc/%d", &number); err != nil {
		t.Fatal(err)
	}
	victim, err := os.FindProcess(number)
	must(t, err)
	if err := victim.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}
