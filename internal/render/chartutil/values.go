// Package chartutil holds the type of .Values in templates. Templates can see
// the name of a type (typeOf .Values, errors), and Helm's is
// "chartutil.Values"; they can also call its methods, and Helm's YAML writes
// a value of any size. Hence a type of the same name with bounded methods.
package chartutil

import (
	"errors"
	"io"

	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// Values is what a template finds in .Values. It shares its map with the
// helmutil.Values that it was made of.
type Values map[string]any

// ErrTooLarge is returned where writing the values would take too long.
var ErrTooLarge = errors.New("writing values as YAML: they are too large, nest too deep, or contain themselves")

const (
	maxParts   = 1_000_000
	maxBytes   = 8 << 20
	maxNesting = 10_000
)

// YAML writes the values as YAML.
func (v Values) YAML() (string, error) {
	parts, bytes := maxParts, maxBytes
	if !fits(map[string]any(v), &parts, &bytes, 0) || bytes < 0 {
		return "", ErrTooLarge
	}
	return helmutil.Values(v).YAML()
}

// Table returns the map at a dotted path.
func (v Values) Table(name string) (Values, error) {
	t, err := helmutil.Values(v).Table(name)
	return Values(t), err
}

// AsMap returns the values as a plain map, never nil.
func (v Values) AsMap() map[string]any { return helmutil.Values(v).AsMap() }

// Encode writes the values as YAML to w.
func (v Values) Encode(w io.Writer) error {
	text, err := v.YAML()
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// PathValue returns what is at a dotted path, if that is not a map.
func (v Values) PathValue(path string) (any, error) {
	return helmutil.Values(v).PathValue(path)
}

// fits walks v as an encoder would, until it has met too much.
func fits(v any, parts, bytes *int, depth int) bool {
	*parts--
	if *parts < 0 || *bytes < 0 || depth > maxNesting {
		return false
	}
	switch t := v.(type) {
	case string:
		*bytes -= len(t)
	case []byte:
		*bytes -= len(t)
	case Values:
		return fits(map[string]any(t), parts, bytes, depth)
	case helmutil.Values:
		return fits(map[string]any(t), parts, bytes, depth)
	case map[string]any:
		for k, e := range t {
			*bytes -= len(k)
			if !fits(e, parts, bytes, depth+1) {
				return false
			}
		}
	case []any:
		for _, e := range t {
			if !fits(e, parts, bytes, depth+1) {
				return false
			}
		}
	}
	return true
}
