package buildkit

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"golang.org/x/sync/semaphore"
)

// Run builds images on one driver's builders.
type Run struct {
	Driver      driver.Driver
	Root        string                                            // the repository, for messages
	Key         string                                            // the project and the repository's place in it: what a builder is chosen by, and caches are kept apart by
	Epoch       *time.Time                                        // the time that everything in an image carries at most; nil leaves times and permissions as they are
	Jobs        int                                               // how many images are built at once; 0 means no limit
	Credentials func(ctx context.Context, host string) Credential // nil means none
	PlainHTTP   func(host string) bool                            // registries that are spoken to without TLS; nil means none
	Stdout      io.Writer                                         // where dest=- goes
	Progress    *Progress                                         // nil shows none
}

// State says what became of an image.
type State string

// The states.
const (
	Built  State = "built"
	Failed State = "failed"
	Held   State = "held back" // something that it needs was not built
)

// Result is what became of one image.
type Result struct {
	Image    *Image
	State    State
	Err      error // of a failed one: a *DefinitionError, an *Error or the context's
	Reason   string
	Digest   string   // of the manifest or index; empty where none was made
	Size     int64    // of the manifest, configuration and layers, in bytes; 0 where not known
	Pushed   []string // references under which it was pushed
	Steps    int      // build steps that ran or were cached
	Cached   int      // of these, the cached ones
	Warnings []string
	Builder  string
	Took     time.Duration
}

// Check finds what is wrong with images before any builder is asked: a *DefinitionError.
func (r *Run) Check(images []*Image) error {
	for _, i := range images {
		if _, err := r.request(i); err != nil {
			return err
		}
	}
	return nil
}

// Build builds images, each of which comes after those that it needs, and returns their
// results in the same order. One that fails holds back what needs it; the others go on.
func (r *Run) Build(ctx context.Context, images []*Image) ([]Result, error) {
	layouts, err := newLayouts(images)
	if err != nil {
		return nil, err
	}
	defer layouts.remove()
	limit := r.Jobs
	if limit <= 0 {
		limit = len(images)
	}
	jobs := semaphore.NewWeighted(int64(max(limit, 1)))
	results, done := make([]Result, len(images)), map[string]chan struct{}{}
	at := map[string]int{}
	for n, i := range images {
		done[i.Name], at[i.Name] = make(chan struct{}), n
	}
	keys := keysOf(images)
	var wg sync.WaitGroup
	for n, i := range images {
		wg.Go(func() {
			defer close(done[i.Name])
			results[n] = Result{Image: i, State: Held}
			for _, need := range i.Needs {
				<-done[need]
				if other := results[at[need]]; other.State != Built {
					results[n].Reason = fmt.Sprintf("it needs %s, which was not built", need)
					return
				}
			}
			if err := jobs.Acquire(ctx, 1); err != nil {
				results[n].State, results[n].Err = Failed, err
				return
			}
			defer jobs.Release(1)
			results[n] = r.one(ctx, i, r.Key+"/"+keys[i.Name], layouts)
		})
	}
	wg.Wait()
	return results, nil
}

// keysOf chooses one key for images that need one another, so that they are built
// where the layers of the first already are.
func keysOf(images []*Image) map[string]string {
	keys := map[string]string{}
	for _, i := range images {
		keys[i.Name] = i.Name
	}
	for again := true; again; {
		again = false
		for _, i := range images {
			for _, need := range i.Needs {
				least := min(keys[i.Name], keys[need])
				if keys[i.Name] != least || keys[need] != least {
					keys[i.Name], keys[need], again = least, least, true
				}
			}
		}
	}
	return keys
}

// layouts are the OCI layouts of the images that others need, kept for the run.
type layouts struct {
	dir    string
	wanted map[string]bool
	mu     sync.Mutex
	byName map[string]layout
}

type layout struct {
	dir, digest string
	tags        []string
}

func newLayouts(images []*Image) (*layouts, error) {
	l := &layouts{wanted: map[string]bool{}, byName: map[string]layout{}}
	for _, i := range images {
		for _, need := range i.Needs {
			l.wanted[need] = true
		}
	}
	if len(l.wanted) == 0 {
		return l, nil
	}
	dir, err := os.MkdirTemp("", "chartgate-images-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for images that others need: %w", err)
	}
	l.dir = dir
	return l, nil
}

func (l *layouts) folder(i *Image) string {
	return filepath.Join(l.dir, fmt.Sprintf("%d", slices.Index(slices.Sorted(maps.Keys(l.wanted)), i.Name)))
}

func (l *layouts) put(i *Image, digest string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byName[i.Name] = layout{dir: l.folder(i), digest: digest, tags: i.Tags}
}

func (l *layouts) get(name string) layout {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byName[name]
}

func (l *layouts) remove() {
	if l.dir != "" {
		os.RemoveAll(l.dir)
	}
}
