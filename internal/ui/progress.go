// Package ui is what people see on a terminal while chartgate works.
package ui

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// IsTerminal reports whether w is a terminal that shows colour and takes a line back.
func IsTerminal(w io.Writer, env func(string) string) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && env("TERM") != "dumb"
}

// Colour reports whether to print colour: on a terminal, unless NO_COLOR is set
// (no-color.org).
func Colour(w io.Writer, env func(string) string) bool {
	return IsTerminal(w, env) && env("NO_COLOR") == ""
}

// Progress is a live line on a terminal; it prints nothing anywhere else. It is
// safe for concurrent use.
type Progress struct {
	w    io.Writer
	mu   sync.Mutex
	last time.Time
	open bool
}

// NewProgress makes a progress line on w, a silent one when w is no terminal.
func NewProgress(w io.Writer, env func(string) string) *Progress {
	if !IsTerminal(w, env) {
		w = nil
	}
	return &Progress{w: w}
}

// refresh is how often the line is drawn at most.
const refresh = 50 * time.Millisecond

// Update shows how far a phase has come.
func (p *Progress) Update(phase string, done, total int, what string) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) < refresh && done < total {
		return
	}
	p.last, p.open = time.Now(), true
	fmt.Fprintf(p.w, "\r\x1b[K%s %d/%d %s", phase, done, total, clip(what, 60))
}

// Done takes the line back.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.open = false
	}
}

// clip shortens a name, and drops what a terminal would act on.
func clip(s string, most int) string {
	var out []rune
	for _, c := range s {
		if c < ' ' || c == 0x7f {
			continue
		}
		if out = append(out, c); len(out) == most {
			break
		}
	}
	return string(out)
}
