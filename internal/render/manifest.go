package render

import (
	"context"
	"fmt"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/chartgate/chartgate/internal/render/engine"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// Manifest is one document that a template rendered.
type Manifest struct {
	APIVersion string // "" where the document has none
	Kind       string
	Name       string // metadata.name
	Template   string // as Helm names it: "mychart/templates/x.yaml"
	Data       string // the document, as Helm prints it
	Set        string // the values set's name; "" for values that came from elsewhere
	Hook       *Hook  // nil for what is no hook

	rendered *engine.Rendered
	start    int // of Data in the template's text
}

// Hook says when a manifest is applied, if not with all others.
type Hook struct {
	Events []string // "pre-install", "test"
	Weight int
}

// Test reports hooks of `helm test`.
func (h *Hook) Test() bool { return h != nil && slices.Contains(h.Events, release.HookTest.String()) }

// Pos returns the line of the template that wrote line n, from 1, of Data.
func (m *Manifest) Pos(n int) Pos { return m.Origin(n).Pos }

// Origin returns the line of the template that wrote line n, from 1, of Data,
// and that of the named template that it came out of, if it did.
func (m *Manifest) Origin(n int) Origin {
	at := 0
	for ; n > 1; n-- {
		i := strings.IndexByte(m.Data[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	// Indents are often written by another line than what is indented.
	for at < len(m.Data) && (m.Data[at] == ' ' || m.Data[at] == '\t') {
		at++
	}
	return m.rendered.Origin(m.start + at)
}

// notesSuffix ends the names of templates that are for people.
const notesSuffix = "NOTES.txt"

// takeNotes removes the notes of all charts and keeps those of the chart itself.
func (r *Result) takeNotes(all []engine.Rendered) []*engine.Rendered {
	own := path.Join(r.Chart.Name(), "templates", notesSuffix)
	var out []*engine.Rendered
	for i := range all {
		t := &all[i]
		if t.Name == own {
			r.Notes = t.Text
		}
		if !strings.HasSuffix(t.Name, notesSuffix) {
			out = append(out, t)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// manifests cuts templates, in the order of their names, into manifests and
// sorts those as Helm does: by the order in which kinds are installed, hooks
// last. Manifests with an unknown kind of hook are left out.
func manifests(ctx context.Context, templates []*engine.Rendered) ([]*Manifest, error) {
	var plain, hooks []*Manifest
	for _, t := range templates {
		if strings.TrimSpace(t.Text) == "" {
			continue
		}
		for _, p := range split(t.Text) {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("reading manifests of %q: %w", t.Name, err)
			}
			if err := checkSize(t, p, len(plain)+len(hooks)); err != nil {
				return nil, err
			}
			m := &Manifest{Template: t.Name, Data: t.Text[p.start:p.end], rendered: t, start: p.start}
			known, err := m.head()
			switch {
			case err != nil:
				return nil, err
			case !known:
			case m.Hook != nil:
				hooks = append(hooks, m)
			default:
				plain = append(plain, m)
			}
		}
	}
	sortByKind(plain)
	sortByKind(hooks)
	return append(plain, hooks...), nil
}

const (
	maxManifest  = 8 << 20 // bytes of one manifest: a server takes less than two
	maxManifests = 100_000 // of one render
)

// checkSize refuses what would take gigabytes to parse.
func checkSize(t *engine.Rendered, p piece, n int) error {
	limit := &LimitError{What: "the size of one manifest", Limit: "8 MiB"}
	switch {
	case n >= maxManifests:
		limit = &LimitError{What: "manifests in one render", Limit: "100,000"}
	case p.end-p.start <= maxManifest:
		return nil
	}
	at := t.Origin(p.start)
	limit.File, limit.Line = at.File, at.Line
	return &Error{File: at.File, Line: at.Line, Inner: at.Inner, Message: limit.Error(), Kind: Limit, Err: limit}
}

// head reads what Helm reads of a manifest. It reports false for hooks of an
// unknown kind.
func (m *Manifest) head() (bool, error) {
	var h releaseutil.SimpleHead
	if err := yaml.Unmarshal([]byte(m.Data), &h); err != nil {
		return false, m.yamlError(err)
	}
	m.APIVersion, m.Kind = h.Version, h.Kind
	if h.Metadata == nil {
		return true, nil
	}
	m.Name = h.Metadata.Name
	events, ok := h.Metadata.Annotations[release.HookAnnotation]
	if !ok {
		return true, nil
	}
	m.Hook = new(Hook)
	m.Hook.Weight, _ = strconv.Atoi(h.Metadata.Annotations[release.HookWeightAnnotation])
	for e := range strings.SplitSeq(events, ",") {
		event := strings.ToLower(strings.TrimSpace(e))
		if event == "test-success" { // Helm 2's name
			event = release.HookTest.String()
		}
		if !slices.Contains(hookEvents(), event) {
			return false, nil
		}
		m.Hook.Events = append(m.Hook.Events, event)
	}
	return true, nil
}

func hookEvents() []string {
	return []string{
		release.HookPreInstall.String(), release.HookPostInstall.String(), release.HookPreDelete.String(), release.HookPostDelete.String(),
		release.HookPreUpgrade.String(), release.HookPostUpgrade.String(), release.HookPreRollback.String(), release.HookPostRollback.String(),
		release.HookTest.String(),
	}
}

func (m *Manifest) yamlError(err error) *Error {
	at := m.Origin(max(yamlLine(err), 1))
	return &Error{
		File: at.File, Line: at.Line, Inner: at.Inner, Kind: YAML, Err: err,
		Message: fmt.Sprintf("YAML parse error on %s: %s", m.Template, err),
	}
}

// sortByKind keeps the order of manifests of one kind.
func sortByKind(ms []*Manifest) {
	rank := make(map[string]int, len(releaseutil.InstallOrder))
	for i, k := range releaseutil.InstallOrder {
		rank[k] = i
	}
	slices.SortStableFunc(ms, func(a, b *Manifest) int {
		ra, oka := rank[a.Kind]
		rb, okb := rank[b.Kind]
		switch {
		case oka && okb:
			return ra - rb
		case oka:
			return -1
		case okb:
			return 1
		}
		return strings.Compare(a.Kind, b.Kind)
	})
}
