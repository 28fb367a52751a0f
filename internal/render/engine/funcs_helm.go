package engine

import (
	"bytes"
	"encoding/json"
	"strings"
	"text/template"

	"github.com/BurntSushi/toml"
	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v3"
)

// helmFuncs are the functions that Helm adds to Sprig's, or has its own of.
func (r *run) helmFuncs() template.FuncMap {
	return template.FuncMap{
		"include":          r.include,
		"tpl":              r.evaluate,
		"required":         r.required,
		"fail":             fail,
		"lookup":           r.lookupNothing,
		"getHostByName":    func(string) string { return "" },
		"toYaml":           r.encoder(toYAML),
		"toYamlPretty":     r.encoder(toYAMLPretty),
		"toJson":           r.encoder(toJSON),
		"toToml":           r.encoder(toTOML),
		"fromYaml":         decoder(r, decodeYAML, "Error"),
		"fromJson":         decoder(r, decodeJSON, "Error"),
		"fromToml":         decoder(r, decodeTOML, "Error"),
		"fromYamlArray":    listDecoder(r, decodeYAML),
		"fromJsonArray":    listDecoder(r, decodeJSON),
		"mustFromJson":     r.mustFromJSON,
		"mustToJson":       r.mustEncoder("mustToJson"),
		"mustToPrettyJson": r.mustEncoder("mustToPrettyJson"),
		"mustToRawJson":    r.mustEncoder("mustToRawJson"),
		"toPrettyJson":     r.encoder(original[func(any) string](r, "toPrettyJson")),
		"toRawJson":        r.encoder(original[func(any) string](r, "toRawJson")),
		"genPrivateKey":    r.patiently(original[func(string) string](r, "genPrivateKey")),
	}
}

// required returns the value, or fails with the chart's words where there is
// none. A value of another type than string is there even if it is empty.
func (r *run) required(words string, v any) (any, error) {
	if s, ok := v.(string); v == nil || ok && s == "" {
		return v, &signal{kind: Required, text: words}
	}
	return v, r.step()
}

func fail(words string) (string, error) { return "", &signal{kind: Fail, text: words} }

// lookupNothing is lookup where there is no cluster.
func (r *run) lookupNothing(_, _, _, _ string) (map[string]any, error) {
	return map[string]any{}, r.take(nodeCost)
}

// encodable refuses values whose encoding would be too long or never end.
func (r *run) encodable(v any) error {
	met, err := r.deep(v)
	if err != nil {
		return err
	}
	return r.room(met.bytes + met.nodes)
}

func (r *run) encoder(f func(any) string) func(any) (string, error) {
	return func(v any) (string, error) {
		if err := r.encodable(v); err != nil {
			return "", err
		}
		return r.str(f(v))
	}
}

func (r *run) mustEncoder(name string) func(any) (string, error) {
	f := original[func(any) (string, error)](r, name)
	return func(v any) (string, error) {
		if err := r.encodable(v); err != nil {
			return "", err
		}
		out, err := f(v)
		if err != nil {
			return out, err
		}
		return r.str(out)
	}
}

// What cannot be encoded becomes an empty string, as in Helm.

func toYAML(v any) string {
	data, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(data), "\n")
}

func toYAMLPretty(v any) string {
	var b bytes.Buffer
	enc := goyaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func toJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

// toTOML gives the error as text, as Helm does.
func toTOML(v any) string {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(v); err != nil {
		return err.Error()
	}
	return b.String()
}

// maxDecoded bounds texts that are decoded: their values take many times
// their size.
const maxDecoded = 8 << 20

// decodedCost is about what a byte of text takes as values.
const decodedCost = 8

func (r *run) decodable(text string) error {
	if len(text) > maxDecoded {
		return r.exceeded("the length of a text that is decoded", size(maxDecoded))
	}
	return r.take(len(text) * decodedCost)
}

func decodeYAML(text string, into any) error { return yaml.Unmarshal([]byte(text), into) }

func decodeJSON(text string, into any) error { return json.Unmarshal([]byte(text), into) }

func decodeTOML(text string, into any) error { return toml.Unmarshal([]byte(text), into) }

// decoder makes a function that gives a map, with the error in it if there
// was one.
func decoder(r *run, decode func(string, any) error, key string) func(string) (map[string]any, error) {
	return func(text string) (map[string]any, error) {
		if err := r.decodable(text); err != nil {
			return nil, err
		}
		if err := r.nesting(text); err != nil {
			return nil, err
		}
		out := map[string]any{}
		if err := decode(text, &out); err != nil {
			out[key] = err.Error()
		}
		return out, nil
	}
}

// listDecoder makes a function that gives a list, of the error alone if there
// was one.
func listDecoder(r *run, decode func(string, any) error) func(string) ([]any, error) {
	return func(text string) ([]any, error) {
		if err := r.decodable(text); err != nil {
			return nil, err
		}
		out := []any{}
		if err := decode(text, &out); err != nil {
			out = []any{err.Error()}
		}
		return out, nil
	}
}

// maxBrackets bounds the brackets of a text that is decoded: the decoder of
// TOML recurses at each.
const maxBrackets = 200_000

func (r *run) nesting(text string) error {
	if len(text) > maxBrackets && strings.Count(text, "[")+strings.Count(text, "{") > maxBrackets {
		return r.exceeded("brackets in a text that is decoded", count(maxBrackets))
	}
	return nil
}

// fromJson of Sprig gives any kind of value; Helm replaced it, but not its
// must variant.
func (r *run) mustFromJSON(text string) (any, error) {
	if err := r.decodable(text); err != nil {
		return nil, err
	}
	return original[func(string) (any, error)](r, "mustFromJson")(text)
}

// patiently runs a function that can take very long, and leaves it behind
// when the render is over before it is.
func (r *run) patiently(f func(string) string) func(string) (string, error) {
	return func(a string) (string, error) {
		if err := r.check(); err != nil {
			return "", err
		}
		done := make(chan string, 1)
		go func() { done <- f(a) }()
		select {
		case s := <-done:
			return r.str(s)
		case <-r.ctx.Done():
			return "", r.stop(r.ctx.Err())
		case <-r.expired():
			return "", r.exceeded("the time of one render", r.lim.Time.String())
		}
	}
}
