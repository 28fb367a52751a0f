package buildkit

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/opencontainers/go-digest"
)

// Progress shows several builds in one display of BuildKit's own.
type Progress struct {
	updates chan *client.SolveStatus
	many    bool // images are told apart
	done    chan error
	out     io.Writer
	quiet   bool
	mu      sync.Mutex // one note at a time
}

// ProgressModes are the values of --progress.
var ProgressModes = []string{"auto", "plain", "tty", "quiet", "rawjson"}

// NewProgress starts a display: auto is live on a terminal and plain elsewhere. Images are
// named in front of their steps where there are many. Close ends it.
func NewProgress(out io.Writer, mode string, many bool) (*Progress, error) {
	display, err := progressui.NewDisplay(out, progressui.DisplayMode(mode))
	if err != nil {
		return nil, &DefinitionError{Message: fmt.Sprintf("--progress %q: %v", mode, err), Hint: "modes are " + strings.Join(ProgressModes, ", ")}
	}
	p := &Progress{updates: make(chan *client.SolveStatus, 16), many: many, done: make(chan error, 1), out: out, quiet: mode == "quiet"}
	go func() {
		_, err := display.UpdateFrom(context.Background(), p.updates)
		p.done <- err
	}()
	return p, nil
}

// Close waits until everything is shown.
func (p *Progress) Close() error {
	if p == nil {
		return nil
	}
	close(p.updates)
	return <-p.done
}

// update shows what one image's build says.
func (p *Progress) update(image string, s *client.SolveStatus) {
	if p == nil {
		return
	}
	if p.many {
		s = labelled(image, s)
	}
	p.updates <- s
}

// note shows a line of our own.
func (p *Progress) note(image, text string) {
	if p == nil || p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%s: %s\n", image, text)
}

// labelled puts the image's name before its steps. Steps of two images that are the
// same for BuildKit become two, since a display knows each by one name only.
func labelled(image string, s *client.SolveStatus) *client.SolveStatus {
	own := func(d digest.Digest) digest.Digest { return digest.FromString(image + "\x00" + string(d)) }
	out := &client.SolveStatus{}
	for _, v := range s.Vertexes {
		c := *v
		c.Digest, c.Name, c.Inputs = own(v.Digest), label(image, v.Name), nil
		for _, in := range v.Inputs {
			c.Inputs = append(c.Inputs, own(in))
		}
		out.Vertexes = append(out.Vertexes, &c)
	}
	for _, v := range s.Statuses {
		c := *v
		c.Vertex = own(v.Vertex)
		out.Statuses = append(out.Statuses, &c)
	}
	for _, v := range s.Logs {
		c := *v
		c.Vertex = own(v.Vertex)
		out.Logs = append(out.Logs, &c)
	}
	for _, v := range s.Warnings {
		c := *v
		c.Vertex = own(v.Vertex)
		out.Warnings = append(out.Warnings, &c)
	}
	return out
}

func label(image, step string) string {
	if rest, ok := strings.CutPrefix(step, "["); ok {
		return "[" + image + " " + rest
	}
	return "[" + image + "] " + step
}

// counter counts the steps of a build.
type counter struct {
	steps    map[digest.Digest]*step
	warnings []string
	full     bool // a step said that a disk is full
}

// noSpace is what programs say when a disk is full.
var noSpace = regexp.MustCompile(`(?i)no space left on device`)

type step struct {
	name                  string
	done, cached, fetched bool
}

func newCounter() *counter { return &counter{steps: map[digest.Digest]*step{}} }

func (c *counter) add(s *client.SolveStatus) {
	for _, v := range s.Vertexes {
		at := c.at(v.Digest)
		at.name = v.Name
		at.cached = at.cached || v.Cached
		at.done = at.done || v.Completed != nil && v.Error == ""
	}
	for _, v := range s.Statuses {
		if strings.HasPrefix(v.ID, "sha256:") {
			c.at(v.Vertex).fetched = true
		}
	}
	for _, l := range s.Logs {
		c.full = c.full || noSpace.Match(l.Data)
	}
	for _, w := range s.Warnings {
		text := string(w.Short)
		if w.SourceInfo != nil && len(w.Range) > 0 && w.Range[0].Start != nil {
			text = fmt.Sprintf("%s:%d: %s", w.SourceInfo.Filename, w.Range[0].Start.Line, text)
		}
		c.warnings = append(c.warnings, text)
	}
}

func (c *counter) at(d digest.Digest) *step {
	if c.steps[d] == nil {
		c.steps[d] = &step{}
	}
	return c.steps[d]
}

// count tells how many steps of the Dockerfile there were, and how many of these were
// cached. A step whose layer is fetched was not run: it comes out of a cache in a
// registry, and the daemon does not call that cached.
func (c *counter) count() (steps, cached int) {
	for _, s := range c.steps {
		if !s.done || !strings.HasPrefix(s.name, "[") || notSteps.MatchString(s.name) {
			continue
		}
		steps++
		if s.cached || s.fetched && !strings.Contains(s.name, "] FROM ") {
			cached++
		}
	}
	return steps, cached
}

// notSteps are names of what is done around the steps of a Dockerfile.
var notSteps = regexp.MustCompile(`^\[(internal|auth|context )`)
