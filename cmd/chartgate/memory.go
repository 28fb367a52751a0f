package main

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// usualMemory is what the runtime may use in bytes before it collects garbage more often than it has to for speed.
	usualMemory = 320 << 20
	// liveShare is the part of that which may be in use, in percent: with more, collecting would take all the time.
	liveShare = 70
	liveEvery = 200 * time.Millisecond
	// growth is how much the heap may grow, in percent of what is in use, before it is collected, if that is within
	// the bound: a run that is over in a moment need not collect at all.
	growth = 400
)

// boundMemory keeps the process small: without, it takes twice what is in use. GOMEMLIMIT and GOGC have the
// last word. What it returns ends it.
func boundMemory(env func(string) string) (stop func()) {
	if env("GOMEMLIMIT") != "" || env("GOGC") != "" {
		return func() {}
	}
	before, percent := debug.SetMemoryLimit(usualMemory), debug.SetGCPercent(growth)
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(liveEvery)
		defer tick.Stop()
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for limit := int64(usualMemory); ; {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			metrics.Read(live)
			if want := int64(live[0].Value.Uint64()) * 100 / liveShare; want > limit {
				limit = want
				debug.SetMemoryLimit(limit)
			}
		}
	}()
	return func() {
		close(done)
		debug.SetMemoryLimit(before)
		debug.SetGCPercent(percent)
	}
}
