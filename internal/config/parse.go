package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/source"
	"github.com/chartgate/chartgate/internal/suggest"
	"github.com/goccy/go-yaml"
)

// Parse reads a configuration on top of Default. Unknown keys and wrong values
// are an *Error with file, line and, for a key, the nearest one that exists.
func Parse(data []byte, name string) (*Config, error) {
	c := Default()
	doc, err := source.ParseYAML(data)
	if err != nil {
		return nil, &Error{File: name, Pos: errorPos(err), Message: errorMessage(err)}
	}
	if doc.Empty() { // which the decoder would take for a zero Config
		return c, nil
	}
	if err := unknownKeys(doc, reflect.TypeFor[Config](), name, nil); err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalWithOptions(data, c, yaml.Strict()); err != nil {
		return nil, &Error{File: name, Pos: errorPos(err), Message: errorMessage(err)}
	}
	return c, c.validate(doc, name)
}

// unknownKeys walks the keys of the document along the struct.
func unknownKeys(doc *source.YAML, t reflect.Type, name string, path []any) error {
	switch t.Kind() {
	case reflect.Struct:
		fields := map[string]reflect.Type{}
		for i := range t.NumField() {
			fields[t.Field(i).Tag.Get("yaml")] = t.Field(i).Type
		}
		for _, key := range doc.Keys(path...) {
			at := append(slices.Clone(path), key)
			sub, ok := fields[key]
			if !ok {
				pos, _ := doc.Pos(at...)
				return &Error{File: name, Pos: pos, Message: fmt.Sprintf("unknown key %q", key), Hint: suggestion(key, keysOf(fields))}
			}
			if err := unknownKeys(doc, sub, name, at); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range doc.Keys(path...) {
			if err := unknownKeys(doc, t.Elem(), name, append(slices.Clone(path), key)); err != nil {
				return err
			}
		}
	case reflect.Slice:
		for i := 0; ; i++ {
			at := append(slices.Clone(path), i)
			if _, ok := doc.Pos(at...); !ok {
				return nil
			}
			if err := unknownKeys(doc, t.Elem(), name, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Config) validate(doc *source.YAML, name string) error {
	fail := func(msg, hint string, path ...any) error {
		pos, _ := doc.Value(path...)
		return &Error{File: name, Pos: pos, Message: msg, Hint: hint}
	}
	for rule, severity := range c.Rules {
		if !slices.Contains([]string{"error", "warning", "info", "off"}, severity) {
			return fail(fmt.Sprintf("rule %q: unknown severity %q", rule, severity), "use error, warning, info or off", "rules", rule)
		}
	}
	if c.FailOn != "error" && c.FailOn != "warning" {
		return fail(fmt.Sprintf("unknown severity %q", c.FailOn), "fail-on is error or warning", "fail-on")
	}
	if c.Jobs < 0 {
		return fail(fmt.Sprintf("%d jobs", c.Jobs), "use 1 or more, or 0 for one per processor", "jobs")
	}
	if err := c.validateImages(fail); err != nil {
		return err
	}
	if len(c.Charts) == 0 {
		return fail("no charts", "leave the key out for charts/*", "charts")
	}
	for chart, sets := range c.ValuesSets {
		seen := map[string]bool{}
		for i, s := range sets {
			if s.Name == "" {
				return fail("a values set without a name", "", "values-sets", chart, i)
			}
			if seen[s.Name] {
				return fail(fmt.Sprintf("two values sets are named %q", s.Name), "", "values-sets", chart, i, "name")
			}
			seen[s.Name] = true
		}
	}
	return nil
}

func (c *Config) validateImages(fail func(msg, hint string, path ...any) error) error {
	if !slices.Contains([]string{"", "local", "remote", "kubernetes"}, c.Build.Driver) {
		return fail(fmt.Sprintf("unknown driver %q", c.Build.Driver), "drivers are local, remote and kubernetes", "build", "driver")
	}
	if !slices.Contains([]string{"auto", "off"}, c.Build.Cache) {
		return fail(fmt.Sprintf("unknown cache %q", c.Build.Cache), "cache is auto or off", "build", "cache")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Images)) {
		if !imageName.MatchString(name) {
			return fail(fmt.Sprintf("%q is no name of an image", name), "small letters and digits, between which . _ or - may stand", "images", name)
		}
		if n := c.Images[name].Network; !slices.Contains([]string{"", "default", "none", "host"}, n) {
			return fail(fmt.Sprintf("image %q: unknown network %q", name, n), "networks are default, none and host", "images", name, "network")
		}
	}
	return nil
}

// imageName is what a part of an image reference may be.
var imageName = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$`)

func errorPos(err error) source.Pos {
	var e yaml.Error
	if errors.As(err, &e) {
		if t := e.GetToken(); t != nil && t.Position != nil {
			return source.Pos{Line: t.Position.Line, Column: t.Position.Column}
		}
	}
	return source.Pos{Line: 1, Column: 1}
}

func errorMessage(err error) string {
	var e yaml.Error
	if errors.As(err, &e) {
		return e.GetMessage()
	}
	return err.Error()
}

func keysOf(m map[string]reflect.Type) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// suggestion names the nearest of the known keys, else all of them.
func suggestion(key string, known []string) string {
	if best := suggest.Nearest(key, known, len(key)/2+1); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known keys: " + strings.Join(known, ", ")
}
