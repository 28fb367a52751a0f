package yamllint

import (
	"bytes"
	"encoding/json"
	"io"
)

// jsonFormat writes one array with an object a problem.
type jsonFormat struct {
	w    io.Writer
	list jsonList
}

type jsonProblem struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Level   string `json:"level"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

func (f *jsonFormat) File(path string, problems []Problem) {
	for _, p := range problems {
		f.list.add(f.w, jsonProblem{path, p.Line, p.Column, p.Level.String(), p.Rule, p.Message})
	}
}

func (f *jsonFormat) Close() { f.list.end(f.w) }

// jsonList writes an array as its elements come, one a line.
type jsonList struct{ count int }

func (l *jsonList) add(w io.Writer, element any) {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	if err := e.Encode(element); err != nil {
		panic(err) // structs of strings and numbers
	}
	before := ",\n  "
	if l.count == 0 {
		before = "[\n  "
	}
	l.count++
	io.WriteString(w, before)
	w.Write(bytes.TrimSuffix(data.Bytes(), []byte{'\n'}))
}

func (l *jsonList) end(w io.Writer) {
	if l.count == 0 {
		io.WriteString(w, "[]\n")
		return
	}
	io.WriteString(w, "\n]\n")
}
