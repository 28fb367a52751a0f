package kubesec

import (
	"fmt"
	"strings"
)

// reader takes values out of a decoded manifest and keeps the first
// complaint. A null is the same as nothing, as it is to Kubernetes; anything
// else of the wrong type is an error, since the rules would crash on it or
// silently look away.
type reader struct{ err error }

func (r *reader) fail(path string, found any, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is %s, want %s", path, typeName(found), want)
	}
}

func (r *reader) mapping(m map[string]any, key, path string) map[string]any {
	v, ok := m[key].(map[string]any)
	if !ok && m[key] != nil {
		r.fail(path, m[key], "a mapping")
	}
	return v
}

func (r *reader) list(m map[string]any, key, path string) []any {
	v, ok := m[key].([]any)
	if !ok && m[key] != nil {
		r.fail(path, m[key], "a list")
	}
	return v
}

func (r *reader) text(m map[string]any, key, path string) string {
	v, ok := m[key].(string)
	if !ok && m[key] != nil {
		r.fail(path, m[key], "a string")
	}
	return v
}

// label reads a name out of metadata; an unquoted number will do, so that
// later complaints can say which object they are about.
func (r *reader) label(meta map[string]any, key string) string {
	v := meta[key]
	if v == nil {
		return ""
	}
	if composite(v) {
		r.fail("metadata."+key, v, "a string")
		return ""
	}
	return fmt.Sprint(v)
}

// copyBool copies a value that rules take for a boolean without asking.
func (r *reader) copyBool(dst, src map[string]any, path string, keys ...string) {
	for _, key := range keys {
		switch v := src[key].(type) {
		case nil:
		case bool:
			dst[key] = v
		default:
			r.fail(join(path, key), v, "true or false")
		}
	}
}

// copyScalar copies single values, an explicit null included.
func (r *reader) copyScalar(dst, src map[string]any, path string, keys ...string) {
	for _, key := range keys {
		v, ok := src[key]
		if !ok {
			continue
		}
		if composite(v) {
			r.fail(join(path, key), v, "a single value")
			continue
		}
		dst[key] = v
	}
}

// copyPresence copies a value of which the rules only ask whether it is there:
// what is inside a list or mapping is left behind.
func (r *reader) copyPresence(dst, src map[string]any, keys ...string) {
	for _, key := range keys {
		v, ok := src[key]
		switch {
		case !ok:
		case composite(v):
			dst[key] = []any{}
		default:
			dst[key] = v
		}
	}
}

// copyScalars copies a list of single values.
func (r *reader) copyScalars(dst, src map[string]any, path, key string) {
	if _, ok := src[key]; !ok {
		return
	}
	path = join(path, key)
	values := r.list(src, key, path)
	if values == nil {
		return
	}
	for i, v := range values {
		if composite(v) {
			r.fail(describe(path, i), v, "a single value")
			return
		}
	}
	dst[key] = values
}

func composite(v any) bool {
	return strings.HasPrefix(typeName(v), "a mapping") || typeName(v) == "a list"
}

// typeName says in words what a decoded value is.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "a mapping"
	case map[any]any:
		return "a mapping with keys that are not strings"
	case []any:
		return "a list"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	}
	return "a number"
}
