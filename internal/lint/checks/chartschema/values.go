package chartschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/render/valuesschema"
	"github.com/chartgate/chartgate/internal/source"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const schemaFile = "values.schema.json"

// wellFormed reports a values.schema.json that cannot be used.
func wellFormed(c *chart.Chart) []finding.Finding {
	file, ok := c.File(schemaFile)
	if !ok {
		return nil
	}
	_, err := valuesschema.Compile(file.Data)
	if err == nil {
		return nil
	}
	f := finding.Finding{Rule: "values-schema", Severity: finding.Error, File: file.Path, Pos: jsonErrorPos(file.Data, err), Message: oneLine(err)}
	if ref := valuesschema.ReferenceIn(err); ref != nil {
		f.Rule, f.Message = "schema-reference", ref.Error()
		f.Hint = "copy the definition into definitions and refer to it as #/definitions/NAME"
		f.Pos = textPos(file.Data, strings.SplitN(ref.URL, "#", 2)[0])
	}
	return []finding.Finding{f}
}

// fault is one place where values do not meet a schema.
type fault struct {
	path    []string // into the values of the chart that has the schema
	message string
}

// validate returns where the values do not meet the schema; a schema that cannot be
// compiled gives none, since wellFormed reports it.
func validate(schema []byte, values map[string]any) ([]fault, error) {
	s, err := valuesschema.Compile(schema)
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
