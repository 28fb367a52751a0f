package config

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Schema is the JSON Schema (draft 7) of chartgate.yaml, generated from Config,
// for editors.
func Schema() []byte {
	s := schemaOf(reflect.TypeFor[Config](), "")
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = FileName
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("config: schema: " + err.Error()) // maps of strings always marshal
	}
	return append(out, '\n')
}

func schemaOf(t reflect.Type, enum string) map[string]any {
	switch t.Kind() {
	case reflect.Struct:
		properties := map[string]any{}
		for i := range t.NumField() {
			f := t.Field(i)
			p := schemaOf(f.Type, f.Tag.Get("enum"))
			p["description"] = f.Tag.Get("doc")
			properties[f.Tag.Get("yaml")] = p
		}
		return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), enum)}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), enum)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	}
	s := map[string]any{"type": "string"}
	if enum != "" {
		s["enum"] = strings.Split(enum, ",")
	}
	return s
}
