// Package valuesschema validates values against values.schema.json with the
// validator that Helm uses, in Helm's configuration but for one thing: Helm
// reads any file of the machine and asks any host that a schema refers to,
// and here references never leave the chart.
package valuesschema

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	helmchart "helm.sh/helm/v3/pkg/chart"
)

// schemaURL is the name under which Helm compiles a chart's schema.
const schemaURL = "file:///values.schema.json"

// Reference is what a schema asks for outside of itself.
type Reference struct{ URL string }

func (r *Reference) Error() string {
	return fmt.Sprintf("it refers to %s, and references never leave the chart", r.URL)
}

// ReferenceIn is the refused reference behind an error of Compile, nil if that
// is not the cause. The validator's own errors do not unwrap.
func ReferenceIn(err error) *Reference {
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		err = load.Err
	}
	var ref *Reference
	errors.As(err, &ref)
	return ref
}

// refuse is a loader that never leaves the chart.
type refuse struct{}

func (refuse) Load(url string) (any, error) {
	return nil, &Reference{strings.TrimPrefix(url, "file:///")}
}

// permissive stands for what Helm cannot resolve either and takes for true.
type permissive struct{}

func (permissive) Load(string) (any, error) { return true, nil }

// Compile reads a schema.
func Compile(data []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{"file": refuse{}, "http": refuse{}, "https": refuse{}, "urn": permissive{}})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	return c.Compile(schemaURL)
}

// Check validates the coalesced values of a chart and of what it depends on.
// The error is in Helm's words.
func Check(c *helmchart.Chart, values map[string]any) error {
	if said := describe(c, values); said != "" {
		return fmt.Errorf("values don't meet the specifications of the schema(s) in the following chart(s):\n%s", said)
	}
	return nil
}

// describe is what is wrong, "" if nothing is: each chart's schema sees that
// chart's part of the values, and a subchart without values is not looked at.
func describe(c *helmchart.Chart, values map[string]any) string {
	var b strings.Builder
	if c.Schema != nil {
		if err := single(c.Schema, values); err != nil {
			fmt.Fprintf(&b, "%s:\n%s", c.Name(), err)
		}
	}
	for _, sub := range c.Dependencies() {
		raw, ok := values[sub.Name()]
		if !ok || raw == nil {
			continue
		}
		table, ok := raw.(map[string]any)
		if !ok {
			fmt.Fprintf(&b, "%s:\ninvalid type for values: expected object (map), got %T\n", sub.Name(), raw)
			continue
		}
		b.WriteString(describe(sub, table))
	}
	return b.String()
}

// single validates against one schema. The validator panics for some.
func single(schema []byte, values map[string]any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if fatal, ok := p.(runtime.Error); ok {
				p = fatal.Error()
			}
			err = fmt.Errorf("unable to validate schema: %v", p)
		}
	}()
	s, err := Compile(schema)
	if err != nil {
		return err
	}
	if values == nil {
		values = map[string]any{}
	}
	if err := s.Validate(values); err != nil {
		var invalid *jsonschema.ValidationError
		if errors.As(err, &invalid) {
			inOrder(invalid)
		}
		return errors.New(strings.TrimPrefix(err.Error(), "jsonschema validation failed with '"+schemaURL+"#'\n") + "\n")
	}
	return nil
}

// inOrder sorts the causes, which the validator finds in the order of maps.
func inOrder(e *jsonschema.ValidationError) {
	for _, c := range e.Causes {
		inOrder(c)
	}
	slices.SortStableFunc(e.Causes, func(a, b *jsonschema.ValidationError) int {
		return cmp.Or(slices.Compare(a.InstanceLocation, b.InstanceLocation), cmp.Compare(a.SchemaURL, b.SchemaURL), cmp.Compare(a.Error(), b.Error()))
	})
}
