package render

import (
	"context"
	"errors"
	"fmt"

	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// Overrides are the values that `helm template` takes from its command line.
type Overrides struct {
	Files   []string // -f: values files
	JSON    []string // --set-json
	Set     []string // --set
	Strings []string // --set-string
	Texts   []string // --set-file: the value is the name of a file
	Literal []string // --set-literal
	// Read gives the bytes of a file that Files or Texts name. Its errors are
	// handed on as they are.
	Read func(name string) ([]byte, error)
}

// Merge gives one table of all of them, in Helm's order: files first, then
// what is set as JSON, by --set, as strings, from files and literally; later
// ones win. What is wrong with them is an *Error in Helm's words.
func (o *Overrides) Merge(ctx context.Context) (map[string]any, error) {
	out := map[string]any{}
	for _, name := range o.Files {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading values file %q: %w", name, err)
		}
		data, err := o.Read(name)
		if err != nil {
			return nil, err
		}
		if out, err = mergeFile(out, name, data); err != nil {
			return nil, err
		}
	}
	if err := o.set(out); err != nil {
		return nil, &Error{Kind: Values, Message: err.Error(), Err: err}
	}
	return out, nil
}

// mergeFile merges a values file into what came before it.
func mergeFile(into map[string]any, name string, data []byte) (map[string]any, error) {
	vals := map[string]any{}
	if err := yaml.Unmarshal(data, &vals); err != nil {
		return nil, &Error{File: name, Line: yamlLine(err), Kind: Values, Message: fmt.Sprintf("failed to parse %s: %s", name, err), Err: err}
	}
	return mergeTables(into, vals), nil
}

// set applies everything but files, changing the table.
func (o *Overrides) set(into map[string]any) error {
	for _, text := range o.JSON {
		if err := strvals.ParseJSON(text, into); err != nil {
			return fmt.Errorf("failed parsing --set-json data %s", text)
		}
	}
	read := func(name []rune) (any, error) {
		if o.Read == nil {
			return nil, errors.New("there are no files")
		}
		data, err := o.Read(string(name))
		return string(data), err
	}
	for _, kind := range []struct {
		flag  string
		texts []string
		parse func(string, map[string]any) error
	}{
		{"--set", o.Set, strvals.ParseInto},
		{"--set-string", o.Strings, strvals.ParseIntoString},
		{"--set-file", o.Texts, func(s string, m map[string]any) error { return strvals.ParseIntoFile(s, m, read) }},
		{"--set-literal", o.Literal, strvals.ParseLiteralInto},
	} {
		for _, text := range kind.texts {
			if err := kind.parse(text, into); err != nil {
				return fmt.Errorf("failed parsing %s data: %w", kind.flag, err)
			}
		}
	}
	return nil
}
