package buildkit

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/suggest"
)

// parseAttrs reads KEY=VALUE,KEY=VALUE in CSV, as buildx's flags are spelled; keys are
// in small letters afterwards.
func parseAttrs(flag, text string) (map[string]string, error) {
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, &DefinitionError{Message: fmt.Sprintf("%s %q is no list of KEY=VALUE: %v", flag, text, err)}
	}
	out := map[string]string{}
	for _, f := range fields {
		k, v, ok := strings.Cut(f, "=")
		if !ok || k == "" {
			return nil, &DefinitionError{Message: fmt.Sprintf("%s %q: %q is not KEY=VALUE", flag, text, f)}
		}
		out[strings.ToLower(strings.TrimSpace(k))] = v
	}
	return out, nil
}

// cacheTypes are the kinds of cache that BuildKit knows.
var cacheTypes = []string{"registry", "local", "inline", "s3", "azblob"}

// ParseCache reads the value of --cache-from or --cache-to, which flag names in
// errors: a bare reference stands for type=registry,ref=REFERENCE.
func ParseCache(flag, text string) (Cache, error) {
	if !strings.Contains(text, "=") && text != "" {
		return Cache{Type: "registry", Attrs: map[string]string{"ref": text}}, nil
	}
	attrs, err := parseAttrs(flag, text)
	if err != nil {
		return Cache{}, err
	}
	c := Cache{Type: attrs["type"], Attrs: attrs}
	delete(attrs, "type")
	fail := func(format string, args ...any) (Cache, error) {
		return Cache{}, &DefinitionError{Message: fmt.Sprintf("%s %q: ", flag, text) + fmt.Sprintf(format, args...)}
	}
	if !slices.Contains(cacheTypes, c.Type) {
		return fail("there is no cache of type %q; types are %s", c.Type, strings.Join(cacheTypes, ", "))
	}
	if c.Type == "registry" && attrs["ref"] == "" {
		return fail("a registry cache needs ref=REFERENCE")
	}
	if place := localPlace[flag]; c.Type == "local" && place != "" && attrs[place] == "" {
		return fail("a local cache needs %s=FOLDER", place)
	}
	return c, nil
}

var localPlace = map[string]string{"--cache-from": "src", "--cache-to": "dest"}

// maxSecret is what BuildKit's session hands over at most, in bytes.
const maxSecret = 500 << 10

// Secret is a value that a RUN step may mount. It is read when it is parsed, so that
// one that is missing is found before anything is built.
type Secret struct {
	ID     string
	Origin string // where it came from, for people: "env TOKEN", "file .npmrc"
	value  []byte
}

// ParseSecret reads the value of --secret: id=ID with src=FILE (relative to dir) or
// env=VARIABLE; with neither, the variable of the ID's name, else the file. An unset variable and
// an unreadable file are a *DefinitionError.
func ParseSecret(text, dir string, env func(string) string, lookup func(string) (string, bool)) (Secret, error) {
	attrs, err := parseAttrs("--secret", text)
	if err != nil {
		return Secret{}, err
	}
	fail := func(hint, format string, args ...any) (Secret, error) {
		return Secret{}, &DefinitionError{Message: fmt.Sprintf("--secret %q: ", text) + fmt.Sprintf(format, args...), Hint: hint}
	}
	known := []string{"id", "src", "source", "env", "type"}
	for k := range attrs {
		if !slices.Contains(known, k) {
			return fail(fmt.Sprintf("did you mean %q?", suggest.Nearest(k, known, len(k))), "there is no key %q", k)
		}
	}
	id, file, variable := attrs["id"], attrs["src"]+attrs["source"], attrs["env"]
	if attrs["type"] == "env" && variable == "" {
		file, variable = "", file
	}
	switch {
	case id == "":
		return fail("", "it has no id")
	case attrs["type"] != "" && attrs["type"] != "env" && attrs["type"] != "file":
		return fail("", "there is no type %q; types are file and env", attrs["type"])
	case file == "" && variable == "":
		if _, ok := lookup(id); ok {
			variable = id
		} else {
			file = id
		}
	}
	if variable != "" {
		value, ok := lookup(variable)
		if !ok {
			return fail("set it, in GitLab under Settings, CI/CD, Variables", "the variable %s is not set", variable)
		}
		return Secret{ID: id, Origin: "env " + variable, value: []byte(value)}.check(fail)
	}
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		file = filepath.Join(env("HOME"), rest)
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	info, err := os.Stat(file)
	if err != nil {
		return fail("src=FILE or env=VARIABLE names where it is", "reading it: %v", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSecret {
		return fail("", "%q is no file of at most %d KiB", file, maxSecret>>10)
	}
	value, err := os.ReadFile(file)
	if err != nil {
		return fail("", "reading it: %v", err)
	}
	return Secret{ID: id, Origin: "file " + file, value: value}.check(fail)
}

func (s Secret) check(fail func(hint, format string, args ...any) (Secret, error)) (Secret, error) {
	if len(s.value) > maxSecret {
		return fail("", "it has %d bytes; BuildKit takes %d", len(s.value), maxSecret)
	}
	return s, nil
}

// SecretID is the id of a secret, as --secret gives it; "" where it has none.
func SecretID(text string) string {
	attrs, err := parseAttrs("--secret", text)
	if err != nil {
		return ""
	}
	return attrs["id"]
}
