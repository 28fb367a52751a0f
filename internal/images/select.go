package images

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/chartgate/chartgate/internal/suggest"
)

// Select returns the named images and everything that they need, in the order in
// which they can be built: what is needed comes first, else as given. No names
// select all; Needed is set in the others. An unknown name and a circle of needs are a *buildkit.DefinitionError.
func Select(definitions []*Definition, names []string) ([]*Definition, error) {
	byName := map[string]*Definition{}
	var known []string
	for _, i := range definitions {
		if byName[i.Name] != nil {
			return nil, &buildkit.DefinitionError{Image: i.Name, Message: "there are two of this name"}
		}
		byName[i.Name] = i
		known = append(known, i.Name)
	}
	if len(names) == 0 {
		names = known
	}
	s := &selection{byName: byName, known: known, done: map[string]bool{}}
	for _, d := range definitions {
		d.Needed = !slices.Contains(names, d.Name)
	}
	for _, n := range names {
		if byName[n] == nil {
			return nil, &buildkit.DefinitionError{Message: fmt.Sprintf("there is no image %q", n), Hint: s.hint(n)}
		}
		if err := s.add(n, nil); err != nil {
			return nil, err
		}
	}
	return s.order, nil
}

type selection struct {
	byName map[string]*Definition
	known  []string
	done   map[string]bool
	order  []*Definition
}

func (s *selection) add(name string, path []string) error {
	if at := slices.Index(path, name); at >= 0 {
		return &buildkit.DefinitionError{Image: name, Message: "it needs itself: " + strings.Join(append(path[at:], name), " needs ")}
	}
	if s.done[name] {
		return nil
	}
	path = append(path, name)
	for _, need := range s.byName[name].DependsOn {
		if s.byName[need] == nil {
			return &buildkit.DefinitionError{Image: name, Message: fmt.Sprintf("it depends on %q, which is no image", need), Hint: s.hint(need)}
		}
		if err := s.add(need, path); err != nil {
			return err
		}
	}
	s.done[name] = true
	s.order = append(s.order, s.byName[name])
	return nil
}

func (s *selection) hint(name string) string {
	if near := suggest.Nearest(name, s.known, len(name)/2); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(s.known) == 0 {
		return "images: in chartgate.yaml, or a folder images/NAME with a Dockerfile, defines one"
	}
	return "the images are " + strings.Join(s.known, ", ")
}

// Affected returns the names of the images that a change reaches: those that changed
// says, and all that need one of those, in the order given.
func Affected(definitions []*Definition, changed func(*Definition) bool) []string {
	reached := map[string]bool{}
	for again := true; again; {
		again = false
		for _, i := range definitions {
			if reached[i.Name] {
				continue
			}
			if changed(i) || slices.ContainsFunc(i.DependsOn, func(n string) bool { return reached[n] }) {
				reached[i.Name], again = true, true
			}
		}
	}
	var names []string
	for _, i := range definitions {
		if reached[i.Name] {
			names = append(names, i.Name)
		}
	}
	return names
}
