package server

import (
	"context"
	"sync"
	"time"
)

// uploadLocks let one request at a time work on an upload.
type uploadLocks struct {
	mu    sync.Mutex
	turns map[string]chan struct{}
}

// take waits for an upload; release must be called if there is no error.
func (l *uploadLocks) take(ctx context.Context, id string) (release func(), err error) {
	for {
		l.mu.Lock()
		turn, busy := l.turns[id]
		if !busy {
			done := make(chan struct{})
			l.turns[id] = done
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				delete(l.turns, id)
				close(done)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// sweepIfDue looks for abandoned uploads now and then.
func (s *Server) sweepIfDue() {
	s.sweepMu.Lock()
	due := time.Since(s.swept) > s.opts.UploadTTL/4
	s.sweepMu.Unlock()
	if due {
		s.sweep(time.Now())
	}
}

// sweep removes uploads and temporary files that nothing was added to for long. It
// does what it can: a folder that cannot be cleaned fails where it is used.
func (s *Server) sweep(now time.Time) {
	s.sweepMu.Lock()
	defer s.sweepMu.Unlock()
	s.swept = now
	old := now.Add(-s.opts.UploadTTL)
	for _, folder := range []string{"uploads", "tmp"} {
		names, _ := s.disk.list(folder)
		for _, name := range names {
			file := folder + "/" + name
			info, err := s.disk.root.Stat(file + "/data")
			if err != nil {
				info, err = s.disk.root.Stat(file)
			}
			if err == nil && info.ModTime().Before(old) {
				_ = s.disk.root.RemoveAll(file)
			}
		}
	}
}
