package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/chartgate/chartgate/internal/source"
	"github.com/goccy/go-yaml"
)

const envPrefix = "CHARTGATE"

// applyEnv overrides keys with their variables. Lists are separated by commas,
// maps are FROM=TO pairs separated by commas, everything else is YAML.
func (c *Config) applyEnv(env func(string) string) error {
	err := eachKey(reflect.ValueOf(c).Elem(), envPrefix, func(name string, field reflect.Value) error {
		value := env(name)
		if value == "" {
			return nil
		}
		return setField(field, name, value)
	})
	if err != nil {
		return err
	}
	return c.validate(&source.YAML{}, "environment")
}

// Variables lists the names of all variables, in the order of the keys.
func Variables() []string {
	var names []string
	_ = eachKey(reflect.ValueOf(Default()).Elem(), envPrefix, func(name string, _ reflect.Value) error {
		names = append(names, name)
		return nil
	})
	return names
}

func eachKey(v reflect.Value, prefix string, visit func(name string, field reflect.Value) error) error {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		name := prefix + "_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
		var err error
		if field := v.Field(i); field.Kind() == reflect.Struct {
			err = eachKey(field, name, visit)
		} else {
			err = visit(name, field)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func setField(field reflect.Value, name, value string) error {
	switch target := field.Addr().Interface().(type) {
	case *string:
		*target = value
	case *[]string:
		*target = splitList(value)
	case *map[string]string:
		pairs := map[string]string{}
		for _, pair := range splitList(value) {
			from, to, ok := strings.Cut(pair, "=")
			if !ok {
				return &Error{File: name, Message: fmt.Sprintf("%q is not a FROM=TO pair", pair)}
			}
			pairs[from] = to
		}
		*target = pairs
	default:
		if err := yaml.UnmarshalWithOptions([]byte(value), target, yaml.Strict()); err != nil {
			return &Error{File: name, Message: fmt.Sprintf("%q: %s", value, errorMessage(err))}
		}
	}
	return nil
}

func splitList(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
