package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chartgate/chartgate/internal/registry"
)

// SharedOptions are how a shared repository is used. A zero field means its default.
type SharedOptions struct {
	Each     time.Duration // one entry, read or written: 10 s
	Reading  time.Duration // all that a run waits for reading together: 30 s
	Closing  time.Duration // what is still to be written when the run ends: 15 s
	Parallel int           // requests at a time: 16
}

// Shared is a repository of an OCI registry in which runners share entries. It never fails a run:
// a registry that is slow or broken is left alone for the rest of it.
type Shared struct {
	client *registry.Client
	repo   registry.Reference
	opts   SharedOptions
	slots  chan struct{}
	cancel context.CancelFunc
	ctx    context.Context // of what is written

	mu      sync.Mutex
	writes  sync.WaitGroup
	closed  bool
	until   time.Time       // when no more is read; zero before the first
	asked   map[string]bool // tags that are not there, or were fetched
	read    access
	written access
}

// access counts what became of reading or of writing.
type access struct {
	failures int // one after another
	err      error
}

// tolerated is how many entries may fail one after another.
const tolerated = 3

func (a *access) off() bool { return a.failures >= tolerated }

func (a *access) note(err error) {
	if err == nil {
		a.failures = 0
		return
	}
	a.failures++
	a.err = err
}

// OpenShared prepares the use of a repository, oci://REGISTRY/PATH. Nothing is asked of it yet.
func OpenShared(client *registry.Client, url string, opts SharedOptions) (*Shared, error) {
	ref, err := registry.ParseReference(url)
	if err != nil {
		return nil, fmt.Errorf("opening the shared result cache: %w", err)
	}
	if ref.Repository == "" || ref.Tag != "" || ref.Digest != "" {
		return nil, fmt.Errorf("opening the shared result cache %q: want oci://REGISTRY/PATH, without a tag", url)
	}
	opts = opts.withDefaults()
	s := &Shared{client: client, repo: ref, opts: opts, slots: make(chan struct{}, opts.Parallel), asked: map[string]bool{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

func (o SharedOptions) withDefaults() SharedOptions {
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.Each, 10 * time.Second}, {&o.Reading, 30 * time.Second}, {&o.Closing, 15 * time.Second}} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if o.Parallel <= 0 {
		o.Parallel = 16
	}
	return o
}

// Err is why the repository was left alone, nil if it was not. That a job may not write there is no fault.
func (s *Shared) Err() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.read.off():
		return fmt.Errorf("the shared result cache was not read: %w", s.read.err)
	case s.written.off() && !errors.Is(s.written.err, registry.ErrDenied):
		return fmt.Errorf("the shared result cache was not written: %w", s.written.err)
	}
	return nil
}

// get fetches an entry. Each is asked for once in a run.
func (s *Shared) get(ctx context.Context, tag string) ([]byte, bool) {
	s.mu.Lock()
	if s.until.IsZero() {
		s.until = time.Now().Add(s.opts.Reading)
	}
	until, ok := s.until, !s.closed && !s.read.off() && !s.asked[tag]
	s.asked[tag] = true
	s.mu.Unlock()
	if !ok || time.Now().After(until) {
		return nil, false
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	var data []byte
	err := s.request(ctx, func(ctx context.Context) error {
		if s.readingOff() {
			return errLeftAlone
		}
		layer, err := s.client.PullLayer(ctx, s.at(tag), maxPacked)
		if err == nil {
			data, err = unpack(layer)
		}
		s.noteRead(ctx, err)
		return err
	})
	return data, err == nil
}

// errLeftAlone is of what is not asked for.
var errLeftAlone = errors.New("the registry is left alone")

func (s *Shared) readingOff() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read.off()
}

// noteRead notes what became of reading, before the slot is free: the next one has to know. An entry that is
// not there is no failure, nor is a run that is cancelled.
func (s *Shared) noteRead(ctx context.Context, err error) {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	if errors.Is(err, registry.ErrNotFound) {
		err = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read.note(err)
}

// put sends an entry, while the run goes on.
func (s *Shared) put(tag string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.written.off() || len(data) > maxUnpacked {
		return
	}
	s.writes.Go(func() {
		// What became of it is noted before its slot is free, so that the next one knows.
		_ = s.request(s.ctx, func(ctx context.Context) error {
			s.mu.Lock()
			off := s.written.off()
			s.mu.Unlock()
			if off {
				return nil
			}
			layer, config, err := pack(data)
			if err == nil {
				err = s.client.PushLayer(ctx, s.at(tag), config, layer)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.written.note(err)
			return err
		})
	})
}

// request waits for a free slot and bounds what is done in it.
func (s *Shared) request(ctx context.Context, do func(context.Context) error) error {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.slots }()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Each)
	defer cancel()
	return do(ctx)
}

func (s *Shared) at(tag string) registry.Reference {
	ref := s.repo
	ref.Tag = tag
	return ref
}

// close waits until all is written, for as long as the options allow.
func (s *Shared) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	timer := time.AfterFunc(s.opts.Closing, s.cancel)
	s.writes.Wait()
	timer.Stop()
	s.cancel()
}
