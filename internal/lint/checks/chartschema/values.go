package chartschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const schemaFile = "values.schema.json"

// schemaURL is the name under which Helm compiles a chart's schema.
const schemaURL = "file:///values.schema.json"

// refuse is a loader that never leaves the chart: Helm itself would read
// any file of the runner and ask any host that a schema names.
type refuse struct{}

// A reference is what a schema asks for outside of itself.
type reference struct{ url string }

func (r *reference) Error() string {
	return fmt.Sprintf("it refers to %s, and references never leave the chart", r.url)
}

func (refuse) Load(url string) (any, error) {
	return nil, &reference{strings.TrimPrefix(url, "file:///")}
}

// permissive stands for what Helm cannot resolve either and takes for true.
type permissive struct{}

func (permissive) Load(string) (any, error) { return true, nil }

// compile reads a schema with the validator that Helm uses, in Helm's configuration.
func compile(data []byte) (*jsonschema.Schema, error) {
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

// wellFormed reports a values.schema.json that cannot be used.
func wellFormed(c *chart.Chart) []finding.Finding {
	file, ok := c.File(schemaFile)
	if !ok {
		return nil
	}
	_, err := compile(file.Data)
	if err == nil {
		return nil
	}
	f := finding.Finding{Rule: "values-schema", Severity: finding.Error, File: file.Path, Pos: jsonErrorPos(file.Data, err), Message: oneLine(err)}
	if ref := referenceIn(err); ref != nil {
		f.Rule, f.Message = "schema-reference", ref.Error()
		f.Hint = "copy the definition into definitions and refer to it as #/definitions/NAME"
		f.Pos = textPos(file.Data, strings.SplitN(ref.url, "#", 2)[0])
	}
	return []finding.Finding{f}
}

// referenceIn is the refused reference behind an error of the validator, which
// does not unwrap.
func referenceIn(err error) *reference {
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		err = load.Err
	}
	var ref *reference
	errors.As(err, &ref)
	return ref
}

// fault is one place where values do not meet a schema.
type fault struct {
	path    []string // into the values of the chart that has the schema
	message string
}

// validate returns where the values do not meet the schema; a schema that cannot be
// compiled gives none, since wellFormed reports it.
func validate(schema []byte, values map[string]any) ([]fault, error) {
	s, err := compile(schema)
	if err != nil {
		return nil, nil
	}
	// The same numbers as Helm: what YAML gave, not what JSON would make of it.
	err = s.Validate(values)
	if err == nil {
		return nil, nil
	}
	var ve *jsonschema.ValidationError
	if !errors.As(err, &ve) {
		return nil, err
	}
	return leaves(ve), nil
}

// leaves are the innermost causes of a validation error, each once.
func leaves(e *jsonschema.ValidationError) []fault {
	if len(e.Causes) == 0 {
		return []fault{{e.InstanceLocation, e.ErrorKind.LocalizedString(message.NewPrinter(language.English))}}
	}
	var out []fault
	for _, c := range e.Causes {
		out = append(out, leaves(c)...)
	}
	return out
}

// jsonErrorPos finds the place of a syntax error in JSON; 1:1 for others.
func jsonErrorPos(data []byte, err error) source.Pos {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return offsetPos(data, int(syntax.Offset)-1)
	}
	return source.Pos{Line: 1, Column: 1}
}

func textPos(data []byte, text string) source.Pos {
	if i := bytes.Index(data, []byte(text)); i >= 0 && text != "" {
		return offsetPos(data, i)
	}
	return source.Pos{Line: 1, Column: 1}
}

func offsetPos(data []byte, offset int) source.Pos {
	offset = max(0, min(offset, len(data)))
	before := data[:offset]
	return source.Pos{Line: 1 + bytes.Count(before, []byte("\n")), Column: offset - bytes.LastIndexByte(before, '\n')}
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
