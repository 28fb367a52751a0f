package deps

import (
	"context"
	"sync"
)

// flight does each thing once and remembers its outcome, a failure too. Its zero value is ready.
//
// Unlike the well-known singleflight, what one caller started and gave up on, the next in line does anew: a cancelled chart must not fail another.
type flight[T any] struct {
	mu    sync.Mutex
	calls map[string]*call[T]
}

type call[T any] struct {
	turn chan struct{} // full while somebody is at it
	done bool
	val  T
	err  error
}

func (f *flight[T]) do(ctx context.Context, key string, fn func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	if f.calls == nil {
		f.calls = map[string]*call[T]{}
	}
	c := f.calls[key]
	if c == nil {
		c = &call[T]{turn: make(chan struct{}, 1)}
		f.calls[key] = c
	}
	f.mu.Unlock()
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
	defer func() { <-c.turn }()
	if c.done {
		return c.val, c.err
	}
	val, err := fn(ctx)
	if err != nil && ctx.Err() != nil {
		return val, err
	}
	c.val, c.err, c.done = val, err, true
	return val, err
}

// forget makes the next caller do it again.
func (f *flight[T]) forget(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.calls, key)
}
