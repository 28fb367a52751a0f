package engine

import (
	"fmt"
	"time"
)

// Limits bound one render. A zero field means the default; there is no way to
// switch a limit off.
type Limits struct {
	Time       time.Duration // wall clock of one render; default 60 s
	Iterations int           // turns of range loops and calls of templates together; default 1,000,000
	Depth      int           // nested template, include and tpl calls, deep nesting of blocks counted in; default 10,000
	TplDepth   int           // nested tpl calls; default 100
	Output     int           // bytes that one template writes; default 64 MiB
	Memory     int           // bytes that templates and their functions produce in one render, all together; default 256 MiB
	String     int           // bytes of one string that a function takes or returns; default 8 MiB
	Items      int           // elements of a list or map that a function makes or walks; default 1,000,000
	Source     int           // bytes of one template or tpl text; default 5 MiB
	Sources    int           // bytes of all templates of a render; default 128 MiB
}

// WithDefaults fills the zero fields.
func (l Limits) WithDefaults() Limits {
	if l.Time <= 0 {
		l.Time = time.Minute
	}
	set := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	set(&l.Iterations, 1_000_000)
	set(&l.Depth, 10_000)
	set(&l.TplDepth, 100)
	set(&l.Output, 64<<20)
	set(&l.Memory, 256<<20)
	set(&l.String, 8<<20)
	set(&l.Items, 1_000_000)
	set(&l.Source, 5<<20)
	set(&l.Sources, 128<<20)
	return l
}

// LimitError says that a template asked for more than a render may take.
type LimitError struct {
	What  string // what was exceeded, as a noun phrase: "turns of loops and calls of templates"
	Limit string // the bound, with its unit
	File  string // template as Helm names it; "" when no template was running
	Line  int    // from 1; 0 when not known
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("rendering was stopped: %s: the limit is %s", e.What, e.Limit)
}

// size writes a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
