package kubernetes

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	corev1 "k8s.io/api/core/v1"
)

// Builder chooses a ready pod for key. Where there is none, say because the last one was evicted, it waits for
// one as Start does.
func (d *Driver) Builder(ctx context.Context, key string) (*driver.Builder, error) {
	pod, err := d.choose(ctx, key)
	if err != nil {
		return nil, err
	}
	if pod == nil {
		if err := d.ready(ctx); err != nil {
			return nil, err
		}
		if pod, err = d.choose(ctx, key); err != nil {
			return nil, err
		}
	}
	if pod == nil {
		return nil, d.failed("choosing a pod of", errors.New("the one that was ready has gone again"), "")
	}
	t := targetOf(pod)
	return &driver.Builder{
		Name: t.name(),
		Dial: func(ctx context.Context) (net.Conn, error) { return d.dial(ctx, t) },
		Lost: func(ctx context.Context) *driver.LostError { return d.lost(ctx, t, d.pace.lost) },
	}, nil
}

func (d *Driver) choose(ctx context.Context, key string) (*corev1.Pod, error) {
	pods, err := d.client.pods(ctx, d.o.Builder)
	if err != nil {
		return nil, d.client.apiError(ctx, d.failed("listing the pods of", nil, "").Op, "list", "pods", d.o.Org, err)
	}
	usable := d.usable(pods, nil)
	if len(usable) == 0 {
		return nil, nil
	}
	if d.o.Balance == balanceRandom {
		return usable[rand.IntN(len(usable))], nil
	}
	return highest(usable, key), nil
}

// highest is the pod with the highest hash together with key (rendezvous hashing): when a pod comes or goes,
// only the keys that are its own move.
func highest(pods []*corev1.Pod, key string) *corev1.Pod {
	var best *corev1.Pod
	var most uint64
	for _, p := range pods {
		sum := sha256.Sum256([]byte(p.Name + "\x00" + key))
		if n := binary.BigEndian.Uint64(sum[:]); best == nil || n > most {
			best, most = p, n
		}
	}
	return best
}
