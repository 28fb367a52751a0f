package render

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// PrintOptions are flags of `helm template`.
type PrintOptions struct {
	IncludeCRDs bool     // --include-crds
	SkipTests   bool     // --skip-tests
	NoHooks     bool     // --no-hooks
	ShowOnly    []string // --show-only: paths or patterns of templates within the chart
}

// Print writes the bytes of `helm template`.
func (r *Result) Print(w io.Writer, opts PrintOptions) error {
	text := r.text(opts)
	if len(opts.ShowOnly) == 0 {
		_, err := w.Write(text)
		return err
	}
	only, err := showOnly(string(text), opts.ShowOnly)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, only)
	return err
}

func (r *Result) text(opts PrintOptions) []byte {
	var b bytes.Buffer
	if opts.IncludeCRDs {
		for _, c := range r.CRDs {
			fmt.Fprintf(&b, "---\n# Source: %s\n%s\n", c.File, c.Data)
		}
	}
	hooks := slices.IndexFunc(r.Manifests, func(m *Manifest) bool { return m.Hook != nil })
	if hooks < 0 {
		hooks = len(r.Manifests)
	}
	printManifests(&b, r.Manifests[:hooks])
	out := append(bytes.TrimSpace(b.Bytes()), '\n')
	if opts.NoHooks {
		return out
	}
	b = *bytes.NewBuffer(out)
	for _, m := range r.Manifests[hooks:] {
		if !opts.SkipTests || !m.Hook.Test() {
			printManifests(&b, []*Manifest{m})
		}
	}
	return b.Bytes()
}

func printManifests(b *bytes.Buffer, ms []*Manifest) {
	for _, m := range ms {
		fmt.Fprintf(b, "---\n# Source: %s\n%s\n", m.Template, m.Data)
	}
}

var sourceLine = regexp.MustCompile("# Source: [^/]+/(.+)")

// showOnly picks documents by the path in their Source line, in the order of
// the patterns.
func showOnly(text string, patterns []string) (string, error) {
	var b strings.Builder
	docs := split(text)
	for _, pattern := range patterns {
		pattern = filepath.ToSlash(pattern)
		missing := true
		for _, p := range docs {
			doc := text[p.start:p.end]
			m := sourceLine.FindStringSubmatch(doc)
			if m == nil {
				continue
			}
			if ok, _ := filepath.Match(pattern, m[1]); ok {
				fmt.Fprintf(&b, "---\n%s\n", doc)
				missing = false
			}
		}
		if missing {
			return "", fmt.Errorf("could not find template %s in chart", pattern)
		}
	}
	return b.String(), nil
}
