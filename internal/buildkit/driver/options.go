package driver

import (
	"encoding/csv"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/suggest"
)

// OptionError is a driver option that is unknown or wrong: a fault of the command
// line or of the configuration.
type OptionError struct {
	Driver, Option string
	Message        string
	Hint           string
}

func (e *OptionError) Error() string {
	if e.Option == "" {
		return fmt.Sprintf("driver %s: %s", e.Driver, e.Message)
	}
	return fmt.Sprintf("driver %s: option %q: %s", e.Driver, e.Option, e.Message)
}

// ParseOptions reads the arguments of --driver-opt, spelled as buildx spells them:
// each is a list KEY=VALUE,KEY=VALUE in CSV, so that a pair whose value holds a comma is
// put into double quotes. A later value of a key wins.
func ParseOptions(driver string, args []string) (map[string]string, error) {
	out := map[string]string{}
	for _, arg := range args {
		fields, err := csv.NewReader(strings.NewReader(arg)).Read()
		if err != nil {
			return nil, &OptionError{Driver: driver, Message: fmt.Sprintf("%q is no list of KEY=VALUE: %v", arg, err),
				Hint: `a pair whose value holds a comma goes into double quotes: --driver-opt '"labels=a=1,b=2"'`}
		}
		for _, field := range fields {
			k, v, ok := strings.Cut(field, "=")
			if !ok || k == "" {
				return nil, &OptionError{Driver: driver, Message: fmt.Sprintf("%q is not KEY=VALUE", field),
					Hint: `a pair whose value holds a comma goes into double quotes: --driver-opt '"labels=a=1,b=2"'`}
			}
			out[k] = v
		}
	}
	return out, nil
}

// Option documents one option of a driver.
type Option struct{ Name, Type, Doc string }

// OptionsOf lists the options that a struct's fields are tagged with, in order:
//
//	Replicas int `opt:"replicas" doc:"How many builders there are."`
func OptionsOf(options any) []Option {
	t := reflect.TypeOf(options)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var out []Option
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("opt"); name != "" {
			out = append(out, Option{Name: name, Type: typeName(t.Field(i).Type), Doc: t.Field(i).Tag.Get("doc")})
		}
	}
	return out
}

// Decode puts given options into the tagged fields of the struct that target points to. Fields
// are strings, bools, ints, durations, or maps of strings (KEY=VALUE,KEY=VALUE). An unknown
// option and a wrong value are an *OptionError.
func Decode(driver string, given map[string]string, target any) error {
	v := reflect.ValueOf(target).Elem()
	fields := map[string]reflect.Value{}
	var names []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("opt"); name != "" {
			fields[name] = v.Field(i)
			names = append(names, name)
		}
	}
	for _, key := range sortedKeys(given) {
		field, ok := fields[key]
		if !ok {
			hint := "its options are " + strings.Join(names, ", ")
			if near := suggest.Nearest(key, names, len(key)/2); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return &OptionError{Driver: driver, Option: key, Message: "there is no such option", Hint: hint}
		}
		if err := setOption(field, given[key]); err != nil {
			return &OptionError{Driver: driver, Option: key, Message: err.Error()}
		}
	}
	return nil
}

func setOption(field reflect.Value, value string) error {
	var err error
	switch target := field.Addr().Interface().(type) {
	case *string:
		*target = value
	case *bool:
		if *target, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
	case *int:
		if *target, err = strconv.Atoi(value); err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
	case *time.Duration:
		if *target, err = time.ParseDuration(value); err != nil || *target < 0 {
			return fmt.Errorf("%q is not a duration such as 90s or 24h", value)
		}
	case *map[string]string:
		*target = map[string]string{}
		for _, pair := range strings.Split(value, ",") {
			k, v, ok := strings.Cut(pair, "=")
			if !ok || k == "" {
				return fmt.Errorf("%q is not KEY=VALUE", pair)
			}
			(*target)[k] = v
		}
	default:
		return fmt.Errorf("options cannot be of type %s", field.Type())
	}
	return nil
}

func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t.Kind() == reflect.Map:
		return "KEY=VALUE,…"
	}
	return t.Kind().String()
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
