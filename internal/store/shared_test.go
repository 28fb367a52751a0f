//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/store"
	"github.com/opencontainers/go-digest"
)

// childDir, in the environment, turns the test binary into one of the processes of TestProcessesShare.
const childDir = "CHARTGATE_TEST_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := hammer(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// holdLock takes the store's lock as another process would.
func holdLock(t *testing.T, s *store.Store) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Dir(), "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	return func() { f.Close() }
}

func TestOneEvictionAtATime(t *testing.T) {
	s := open(t, t.TempDir(), store.Options{})
	unlock := holdLock(t, s)
	if _, err := s.Prune(t.Context()); !errors.Is(err, store.ErrBusy) {
		t.Errorf("error = %v, want ErrBusy", err)
	}
	unlock()
	if _, err := s.Prune(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestProcessesShare lets several processes of several goroutines write, read, name, damage and evict the same few contents.
func TestProcessesShare(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	var procs []*exec.Cmd
	var outs []*strings.Builder
	for range 4 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out := &strings.Builder{}
		cmd.Stderr = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		procs, outs = append(procs, cmd), append(outs, out)
	}
	for i, cmd := range procs {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v\n%s", i, err, outs[i])
		}
	}
	leftovers, _ := filepath.Glob(filepath.Join(dir, "v1", "tmp", "*"))
	if len(leftovers) > 0 {
		t.Errorf("left in tmp/: %q", leftovers)
	}
}

func hammer(dir string) error {
	s, err := store.Open(dir, store.Options{MaxBytes: 200_000, Grace: time.Millisecond})
	if err != nil {
		return err
	}
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for g := range errs {
		wg.Go(func() {
			for range 150 {
				if errs[g] = step(s); errs[g] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, s.Close())...)
}

// step does one random thing. A miss is never an error, other content always is: Get verifies.
func step(s *store.Store) error {
	ctx := context.Background()
	n := rand.IntN(60)
	data := strings.Repeat(fmt.Sprintf("%02d", n), 5_000)
	key := fmt.Sprintf("key %d", n)
	d := digest.FromString(data)
	switch rand.IntN(10) {
	case 0, 1, 2:
		if got, err := s.Put(ctx, []byte(data)); err != nil || got != d {
			return fmt.Errorf("Put: %s, %w", got, err)
		}
		return s.SetRef(ctx, key, store.Entry{Digest: d, ETag: key})
	case 3, 4, 5, 6:
		got, err := s.Get(ctx, d)
		if err != nil && !errors.Is(err, store.ErrNotFound) || err == nil && string(got) != data {
			return fmt.Errorf("Get: %d bytes, %w", len(got), err)
		}
	case 7:
		e, err := s.GetRef(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) || err == nil && (e.ETag != key || e.Digest != d) {
			return fmt.Errorf("GetRef: %+v, %w", e, err)
		}
	case 8:
		if f, err := os.OpenFile(blob(s, d), os.O_WRONLY, 0); err == nil {
			f.WriteString("damage")
			f.Close()
		}
	case 9:
		if _, err := s.Prune(ctx); err != nil && !errors.Is(err, store.ErrBusy) {
			return err
		}
	}
	return nil
}

func TestPutStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := open(t, t.TempDir(), store.Options{Fallback: true})
	unlock := holdLock(t, s)
	defer unlock()
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := s.Put(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if s.Degraded() != nil {
		t.Error("a cancelled write is no reason to stop writing")
	}
}
