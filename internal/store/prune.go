package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Pruned is what an eviction did.
type Pruned struct {
	// Removed is the number of files that went, Freed their bytes.
	Removed int
	Freed   int64
	// Left is the bytes of what stayed.
	Left int64
}

const (
	// tmpAge is how old a file in tmp/ is when whoever wrote it is surely gone.
	tmpAge = time.Hour
	// keepFree is the part of MaxBytes, as a divisor, that an eviction frees beyond need, so that not every run evicts.
	keepFree = 10
)

// Prune removes what was used longest ago until the store is within its size again, and what is left of processes that died. What was used within
// Options.Grace stays. It is safe at any time, while other processes use the store too; one eviction runs at a time, and
// Prune fails with ErrBusy while another one does.
func (s *Store) Prune(ctx context.Context) (Pruned, error) {
	if err := s.Degraded(); err != nil {
		return Pruned{}, err
	}
	unlock, err := s.tryLock()
	if err != nil {
		return Pruned{}, fmt.Errorf("evicting: %w", err)
	}
	defer unlock()
	s.added.Store(0)
	s.removeStale(ctx)
	files, err := s.list(ctx)
	if err != nil {
		return Pruned{}, fmt.Errorf("evicting: %w", err)
	}
	s.writeFile(prunedName, nil) // its time is what matters; without it, the next run looks again
	return s.evict(ctx, files)
}

const (
	// prunedName is a file as old as the last look at the store's size.
	prunedName = "pruned"
	// pruneEvery is how long a run that adds little spares itself that look, which takes longer than all else it does.
	pruneEvery = 10 * time.Minute
)

// pruneDue reports whether what was added may have made the store too large, as far as this process can tell.
func (s *Store) pruneDue() bool {
	info, err := s.root.Stat(prunedName)
	return err != nil || s.added.Load() > s.opt.MaxBytes/64 || time.Since(info.ModTime()) > pruneEvery
}

// pruneIfLarge evicts in the midst of a run once that run alone added a good part of what the store may hold.
func (s *Store) pruneIfLarge(ctx context.Context) {
	if s.added.Load() > s.opt.MaxBytes/4 {
		s.Prune(ctx) // an eviction that fails is tried again by the next run
	}
}

// usedFile is a file of the store with its last use.
type usedFile struct {
	name string
	size int64
	used time.Time
}

// list returns the content and references of the store.
func (s *Store) list(ctx context.Context) ([]usedFile, error) {
	var files []usedFile
	for _, top := range []string{blobsDir, refsDir} {
		err := fs.WalkDir(s.root.FS(), top, func(name string, e fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, fs.ErrNotExist):
				return nil // removed meanwhile
			case err != nil || e.IsDir():
				return err
			}
			if info, err := e.Info(); err == nil {
				files = append(files, usedFile{name: name, size: info.Size(), used: info.ModTime()})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// evict removes the files used longest ago. Each counts with at least a block, since a million tiny ones fill a disk too.
func (s *Store) evict(ctx context.Context, files []usedFile) (Pruned, error) {
	const block = 4096
	onDisk := func(f usedFile) int64 { return max(f.size, block) }
	var p Pruned
	for _, f := range files {
		p.Left += onDisk(f)
	}
	if p.Left <= s.opt.MaxBytes {
		return p, nil
	}
	slices.SortFunc(files, func(a, b usedFile) int { return a.used.Compare(b.used) })
	goal, young := s.opt.MaxBytes-s.opt.MaxBytes/keepFree, time.Now().Add(-s.opt.Grace)
	for _, f := range files {
		if p.Left <= goal || f.used.After(young) {
			break
		}
		if ctx.Err() != nil {
			return p, ctx.Err()
		}
		// A reader may have used it since the listing.
		if info, err := s.root.Stat(f.name); err != nil || info.ModTime().After(young) {
			continue
		}
		if err := s.root.Remove(f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return p, fmt.Errorf("evicting: %w", err)
		}
		p.Removed++
		p.Freed += onDisk(f)
		p.Left -= onDisk(f)
	}
	return p, nil
}

// removeStale removes what processes that died left in tmp/.
func (s *Store) removeStale(ctx context.Context) {
	entries, err := fs.ReadDir(s.root.FS(), tmpDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()) > tmpAge && ctx.Err() == nil {
			s.root.Remove(tmpDir + "/" + e.Name())
		}
	}
}
