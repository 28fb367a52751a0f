package store

import (
	"context"
	"errors"
	"os"
	"time"
)

// ErrBusy says that another process, or another goroutine, is evicting or writing.
var ErrBusy = errors.New("the store is in use by another")

const (
	lockPoll = 5 * time.Millisecond
	// lockWait is how long a lock is waited for. Nothing holds one for long, but a process that was stopped may; what a lock
	// prevents is a needless miss, so going on without it is right.
	lockWait = 10 * time.Second
)

// lock waits for the store's lock, shared or exclusive, until ctx ends or lockWait passed; in the latter case it goes on without.
func (s *Store) lock(ctx context.Context, exclusive bool) (unlock func(), err error) {
	deadline := time.Now().Add(lockWait)
	for {
		unlock, err := s.flock(exclusive)
		if err == nil {
			return unlock, nil
		}
		if !errors.Is(err, ErrBusy) {
			return nil, err
		}
		if time.Now().After(deadline) {
			return func() {}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// tryLock takes the store's lock for itself alone, or fails with ErrBusy.
func (s *Store) tryLock() (unlock func(), err error) { return s.flock(true) }

// flock tries once. The lock is on the open file, so that it ends with the process however that ends, and holds between goroutines too.
func (s *Store) flock(exclusive bool) (unlock func(), err error) {
	f, err := s.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f, exclusive); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
