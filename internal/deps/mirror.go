package deps

import (
	"fmt"
	"strings"
)

// Mirror redirects the repositories that start with From. Where several mirrors do for a repository, the longest From wins, and a mirror is the only place
// that is asked.
type Mirror struct {
	// From is a repository, or the start of one up to a slash: "oci://registry-1.docker.io/bitnamicharts"; also "@name".
	From string
	// To is another repository, or a folder on this machine with a chart in each of its folders: a path, absolute or relative to the repository's root, or the same as a
	// file:// URL. What comes after From is added to it.
	To string
	// StandIn says that what is there is not the same as what From has. A folder always stands in.
	StandIn bool
}

// ParseMirror reads FROM=TO.
func ParseMirror(s string) (Mirror, error) {
	from, to, ok := strings.Cut(s, "=")
	m := Mirror{From: strings.TrimSpace(from), To: strings.TrimSpace(to)}
	if !ok {
		return m, fmt.Errorf("reading mirror %q: want FROM=TO, such as oci://registry.example.com/charts=https://mirror.example.com/charts", s)
	}
	return m, m.check()
}

func (m Mirror) check() error {
	from := show(m.From)
	switch {
	case normalize(m.From) == "" || normalize(m.To) == "":
		return fmt.Errorf("reading mirror %q=%q: both sides must be given", from, show(m.To))
	case !strings.HasPrefix(m.From, "oci://") && !strings.HasPrefix(m.From, "http://") && !strings.HasPrefix(m.From, "https://") &&
		!strings.HasPrefix(m.From, "@") && !strings.HasPrefix(m.From, "alias:"):
		return fmt.Errorf("reading mirror %q=%q: only oci://, http:// and https:// repositories and @NAMEs can be redirected", from, show(m.To))
	}
	if !m.isFolder() {
		if err := checkURL(normalize(m.To)); err != nil {
			return fmt.Errorf("reading mirror %q: %w", from, err)
		}
	}
	return nil
}

func (m Mirror) isFolder() bool {
	return !strings.Contains(m.To, "://") || strings.HasPrefix(m.To, "file://")
}

// mirrorOf finds the mirror of a repository, nil if there is none.
func (r *Resolver) mirrorOf(repository string) *Mirror {
	var best *Mirror
	repository = normalize(repository)
	for i, m := range r.opt.Mirrors {
		from := normalize(m.From)
		if repository != from && !strings.HasPrefix(repository, from+"/") {
			continue
		}
		if best == nil || len(from) > len(normalize(best.From)) {
			best = &r.opt.Mirrors[i]
		}
	}
	return best
}

// place is where the mirror sends a repository.
func (m Mirror) place(repository string) place {
	rest := strings.TrimPrefix(normalize(repository), normalize(m.From))
	if m.isFolder() {
		return place{url: strings.TrimPrefix(m.To, "file://") + rest, folder: true, standIn: true}
	}
	return place{url: normalize(m.To) + rest, standIn: m.StandIn}
}
