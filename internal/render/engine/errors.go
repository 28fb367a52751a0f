package engine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// Kind says what went wrong in a template.
type Kind string

const (
	Parse    Kind = "parse"    // the template is not one
	Exec     Kind = "exec"     // an action failed
	Required Kind = "required" // the chart asked for a value with required
	Fail     Kind = "fail"     // the chart gave up with fail
	Limit    Kind = "limit"    // a limit was exceeded; Err is a *LimitError
	Panic    Kind = "panic"    // a function crashed outside of what text/template catches
	YAML     Kind = "yaml"     // what was rendered is not YAML
	Chart    Kind = "chart"    // the chart cannot be rendered at all
	Values   Kind = "values"   // a values file is not one
)

// TemplateError is a failed render, in Helm's words.
type TemplateError struct {
	File    string // template as Helm names it: "mychart/templates/x.yaml"; for Values the values file; "" when there is none
	Line    int    // from 1; 0 when not known
	Column  int    // from 1, in bytes; 0 when not known
	Message string // what Helm prints, without the "Error: " before it
	Kind    Kind
	// The place in the innermost file that was executing, where that is not
	// File and Line itself: a named template that File included.
	Inner Pos
	Err   error // the cause
}

// Pos is a line of a file of a chart.
type Pos struct {
	File string // template as Helm names it
	Line int    // from 1
}

func (e *TemplateError) Error() string { return e.Message }
func (e *TemplateError) Unwrap() error { return e.Err }

// Helm marks the words of required and fail so that it can find them again in
// the chain of errors that text/template builds around them.
const (
	markStart = "HELM_ERR_START"
	markEnd   = "HELM_ERR_END"
)

// signal is what required and fail return.
type signal struct {
	kind Kind
	text string
}

func (s *signal) Error() string { return markStart + s.text + markEnd }

// marked returns what stands between the first start and the last end.
func marked(s string) (string, bool) {
	i, j := strings.Index(s, markStart), strings.LastIndex(s, markEnd)
	if i < 0 || j < i+len(markStart) {
		return "", false
	}
	return s[i+len(markStart) : j], true
}

var (
	parsePlace = regexp.MustCompile(`^template: (?s:(.*?)):(\d+)(?::\d+)?: `)
	execPlace  = regexp.MustCompile(`template: ([^\n]*?):(\d+):(\d+): executing `)
)

// parseError puts an error of the parser into Helm's words.
func parseError(file string, err error) *TemplateError {
	e := &TemplateError{File: file, Kind: Parse, Err: err}
	text := err.Error()
	tokens := strings.Split(text, ": ")
	if len(tokens) == 1 {
		e.Message = fmt.Sprintf("parse error in (%s): %s", file, text)
	} else {
		e.Message = fmt.Sprintf("parse error at (%s): %s", tokens[1], tokens[len(tokens)-1])
	}
	if m := parsePlace.FindStringSubmatch(text); m != nil {
		e.Line, _ = strconv.Atoi(m[2])
	}
	return e
}

// execError puts an error of an execution of the template file into Helm's
// words. at is the line of file that was executing last.
func execError(file string, err error, at Pos, called names) *TemplateError {
	e := &TemplateError{File: file, Line: at.Line, Kind: Exec, Err: err}
	var s *signal
	if errors.As(err, &s) {
		e.Kind = s.kind
	}
	text := called.in(unhide(err.Error()))
	e.Message = text
	e.place(text)
	if _, ok := err.(template.ExecError); !ok {
		return e
	}
	tokens := strings.SplitN(text, ": ", 3)
	if len(tokens) != 3 {
		e.Message = fmt.Sprintf("execution error in (%s): %s", file, text)
	} else if words, ok := marked(tokens[2]); ok {
		e.Message = fmt.Sprintf("execution error at (%s): %s", tokens[1], words)
	}
	return e
}

// place reads the places that text/template wrote into its chain of errors.
func (e *TemplateError) place(text string) {
	places := execPlace.FindAllStringSubmatch(text, -1)
	for i, m := range places {
		line, _ := strconv.Atoi(m[2])
		if i == 0 && m[1] == e.File {
			column, _ := strconv.Atoi(m[3])
			e.Line, e.Column = line, column+1
		}
		if m[1] != tplName {
			e.Inner = Pos{File: m[1], Line: line}
		}
	}
	if e.Inner == (Pos{File: e.File, Line: e.Line}) {
		e.Inner = Pos{}
	}
}

// stopError reports what stopped a render from outside of the template's own
// logic: a limit, or the context.
func stopError(cause error, at Pos) error {
	var l *LimitError
	if errors.As(cause, &l) {
		placed := *l
		placed.File, placed.Line = at.File, at.Line
		return &TemplateError{File: at.File, Line: at.Line, Message: placed.Error(), Kind: Limit, Err: &placed}
	}
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return fmt.Errorf("rendering %q, line %d: %w", at.File, at.Line, cause)
	}
	return cause
}
